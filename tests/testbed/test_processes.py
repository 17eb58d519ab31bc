"""Tests that programs started by tests are always stopped, and that their output can be read."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from testbed.processes import Processes, descendants, free_ports, kill_session, session
from tests.narrowing import present

SLEEP = (sys.executable, "-c", "import time; print('here', flush=True); time.sleep(600)")


def children() -> set[int]:
    """Return the running child processes of the current process."""
    text = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text()
    return {int(process) for process in text.split()}


def test_programs_end_with_the_block_even_when_it_fails(tmp_path: Path) -> None:
    """An exception in the `with` block also stops the programs."""
    before = children()

    with pytest.raises(KeyboardInterrupt), Processes(tmp_path) as processes:  # noqa: PT012 - the block is the subject
        processes.start("first", *SLEEP)
        processes.start("second", *SLEEP)
        processes.wait_until(lambda: "here" in processes.log("second"), "it speaks")
        assert len(children() - before) == 2
        raise KeyboardInterrupt

    assert children() == before


def test_child_processes_of_a_program_are_stopped(tmp_path: Path) -> None:
    """Stopping a server also stops its worker processes."""
    starts = f"import subprocess; subprocess.run({SLEEP!r})"
    with Processes(tmp_path) as processes:
        processes.start("server", sys.executable, "-c", starts)
        processes.wait_until(lambda: "here" in processes.log("server"), "its worker speaks")
        below = descendants(os.getpid())
        assert len(below) >= 2

    assert not set(below) & {int(entry.name) for entry in Path("/proc").glob("[0-9]*") if _runs(entry)}


def _runs(entry: Path) -> bool:
    """Return whether a process is running and not a zombie."""
    try:
        return (entry / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_error_shows_the_output_of_a_program_that_exited(tmp_path: Path) -> None:
    """The error names the program that exited and shows its output."""
    with Processes(tmp_path) as processes:
        processes.start("broken", sys.executable, "-c", "raise SystemExit('no such flag')")

        with pytest.raises(RuntimeError, match=r"ended: broken(.|\n)*no such flag"):
            processes.wait_until(lambda: False, "never")


def test_programs_die_with_a_killed_run(tmp_path: Path) -> None:
    """The kernel kills the programs of a killed run, which can't clean up after itself."""
    program = (
        "import sys, time; from pathlib import Path; from testbed.processes import Processes\n"
        f"p = Processes(Path({str(tmp_path)!r})).__enter__(); p.start('child', *{SLEEP!r})\n"
        "p.wait_until(lambda: 'here' in p.log('child'), 'it speaks'); print('up', flush=True); time.sleep(600)"
    )
    run = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, start_new_session=True)
    with run:
        assert present(run.stdout).readline() == b"up\n"
        assert len(session(run.pid)) == 2

        run.kill()
        run.wait()

    for _ in range(100):
        if not session(run.pid):
            break
        time.sleep(0.1)
    assert session(run.pid) == []


def test_a_killed_session_has_no_processes_left() -> None:
    """Processes in other process groups are killed too, such as the jobs of an interactive shell."""
    script = "set -m; sleep 600 & sleep 600 & echo started; wait"
    with subprocess.Popen(["bash", "-c", script], stdout=subprocess.PIPE, start_new_session=True) as shell:
        assert present(shell.stdout).readline() == b"started\n"
        members = session(shell.pid)
        assert len({os.getpgid(process) for process in members}) == 3

        kill_session(shell)

        assert session(shell.pid) == []
        assert shell.returncode == -signal.SIGKILL


def test_ports_are_free_different_and_not_given_to_connections() -> None:
    """The kernel picks other ports for outgoing connections, so none takes a server's port before it starts."""
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    ports = free_ports(50)
    assert len(set(ports)) == 50
    assert max(ports) < first
    with ExitStack() as stack:
        for port in ports:
            stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
