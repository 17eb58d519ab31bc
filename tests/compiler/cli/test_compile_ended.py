"""Tests that a compile leaves either the complete old or the complete new output, whenever it is stopped."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compiler.cli.commands import COMMAND, Run, many_endpoints


def version_and_size(folder: Path) -> tuple[str, int]:
    """Return the spec version shared by all files of an output tree, and the number of manifests."""
    manifests = list((folder / "build/default/main").glob("workloads*/manifests/model-*.yaml"))
    versions = {"2Gi" if "memory: 2Gi" in path.read_text(encoding="utf-8") else "4Gi" for path in manifests}
    (version,) = versions
    return version, len(manifests)


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """Restore Python's SIGINT handler, since background jobs and their children ignore SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_compile_leaves_a_complete_tree(tmp_path: Path, run: Run, sent: signal.Signals) -> None:
    """Whenever a compile is interrupted, the output tree is either old or new, and the next compile succeeds."""
    spec, count = tmp_path / "system.yaml", 150
    spec.write_text(many_endpoints([2] * count), encoding="utf-8")
    began = time.monotonic()
    assert run("compile", tmp_path).code == 0
    took = time.monotonic() - began
    interrupted = 0
    for turn in range(12):
        spec.write_text(many_endpoints([(4, 2)[turn % 2]] * count), encoding="utf-8")
        process = subprocess.Popen([*COMMAND, "compile", str(tmp_path)], stderr=subprocess.PIPE, text=True)
        time.sleep(0.1 + took * turn / 10)
        process.send_signal(sent)
        _, errors = process.communicate()
        interrupted += process.returncode != 0
        assert version_and_size(tmp_path)[1] == count
        was_starting = process.returncode == 1 and "modelyard/" not in errors  # Python itself was interrupted
        if sent is signal.SIGINT and process.returncode not in (0, -signal.SIGINT) and not was_starting:
            assert process.returncode == 130, errors
            assert "Traceback" not in errors

    assert interrupted > 0
    spec.write_text(many_endpoints([4] * (count - 1)), encoding="utf-8")  # another tree than any before
    assert run("compile", tmp_path).code == 0
    assert version_and_size(tmp_path) == ("4Gi", count - 1)
    assert {path.name for path in (tmp_path / "build/default").iterdir()} == {"main"}
