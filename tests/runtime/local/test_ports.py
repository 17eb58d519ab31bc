"""Tests that a port is reserved as soon as it is chosen and released when its process ends."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

from modelyard_runtime.local.ports import free_port

CHOOSE = "from modelyard_runtime.local.ports import free_port; print(free_port({port}))"


def chosen_by_another(port: int) -> int:
    """Return the port that a run in another process chooses."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", CHOOSE.format(port=port)]
    return int(subprocess.run(command, capture_output=True, check=True, env=environment).stdout)


def test_two_runs_choose_different_ports() -> None:
    """Two runs choose different ports even though neither server has bound its port yet."""
    first = free_port(free_port(0))

    assert chosen_by_another(first) != first


def test_the_end_of_a_run_frees_its_ports() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    assert chosen_by_another(port) == port

    assert chosen_by_another(port) == port


def test_a_port_of_another_program_is_passed_over() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]

        assert free_port(port) != port
