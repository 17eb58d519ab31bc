"""Tests that no process outlives a local run, no matter how the run and its processes end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from modelyard_runtime.local.processes import MARK, Processes, marked
from tests.narrowing import present

DAEMON = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(600)
    os._exit(0)
time.sleep(600)
"""
RUN = """
import sys, time
from pathlib import Path
from modelyard_runtime.local.processes import Processes
processes = Processes(sys.argv[1])
processes.start([sys.executable, "-c", Path(sys.argv[2]).read_text()], {}, Path(sys.argv[1]) / "log")
print("started", flush=True)
time.sleep(600)
"""


def wait_until(condition: object, patience_s: float = 20) -> bool:
    """Wait until the given function returns true."""
    assert callable(condition)
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_end_leaves_no_process_even_of_daemons(tmp_path: Path) -> None:
    """A process that ignores SIGTERM is ended along with a daemon it started in a separate session."""
    mark, before = str(tmp_path), os.environ.get(MARK)
    try:
        processes = Processes(mark)
        processes.patience_s = 0.5
        processes.start([sys.executable, "-c", DAEMON], {}, tmp_path / "log")
        assert wait_until(lambda: len(list(marked(mark))) >= 3)  # including the guardian
        processes.end()
    finally:
        os.environ.pop(MARK, None)
        if before is not None:
            os.environ[MARK] = before

    assert list(marked(mark)) == []


def test_a_killed_run_leaves_no_process(tmp_path: Path) -> None:
    """After SIGKILL, which a run cannot handle, the guardian kills all remaining processes."""
    code = tmp_path / "daemon.py"
    code.write_text(DAEMON)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.Popen(
        [sys.executable, "-c", RUN, str(tmp_path), str(code)], stdout=subprocess.PIPE, env=environment
    )
    with present(run.stdout) as output:
        assert output.readline() == b"started\n"
    assert wait_until(lambda: len(list(marked(str(tmp_path)))) >= 3)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()

    assert wait_until(lambda: not list(marked(str(tmp_path))))


def test_the_next_run_ends_what_an_earlier_one_left(tmp_path: Path) -> None:
    """If the guardian was killed too, the system's next run ends the remaining processes."""
    environment = {**os.environ, MARK: str(tmp_path)}
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], env=environment)
    assert wait_until(lambda: left.pid in set(marked(str(tmp_path))))
    try:
        processes = Processes(str(tmp_path))
        assert left.wait(10) == -signal.SIGKILL
        processes.end()
    finally:
        os.environ.pop(MARK, None)
