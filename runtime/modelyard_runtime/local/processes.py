"""The processes of a run. None of them outlives the run, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

MARK = "MODELYARD_LOCAL"
"""The environment variable that contains the state folder, and that every process of a run inherits."""

_PATIENCE_S = 10.0


class Processes:
    """Starts processes, and terminates them along with everything they started."""

    def __init__(self, mark: str) -> None:
        self.patience_s = _PATIENCE_S
        self._mark = mark
        self._running: list[subprocess.Popen[Any]] = []
        os.environ[MARK] = mark
        sweep(mark)  # processes left by a run that was killed together with its guardian
        self._guardian = subprocess.Popen(
            [sys.executable, "-m", "modelyard_runtime.local.guardian", mark, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            start_new_session=True,
        )

    def start(self, command: Sequence[str], environment: Mapping[str, str], log: Path, **options: Any) -> Any:
        """Start a process in its own session, so that Ctrl-C only reaches the run, which stops it in order."""
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as stream:
            settings: dict[str, Any] = {"stdout": stream, "stderr": subprocess.STDOUT} | options
            process = subprocess.Popen(
                list(command),
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                **settings,
            )
        self._running.append(process)
        return process

    def end(self, also: Callable[[], None] = lambda: None) -> None:
        """Terminate all processes, killing those that don't stop in time after calling `also`, which stops Ray.

        Processes connected to Ray exit when Ray is killed.
        """
        for process in self._running:
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + self.patience_s
        for process in self._running:
            try:
                process.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                process.kill()
        try:
            also()
        finally:  # Ray may be only partly started
            sweep(self._mark, spared=frozenset({self._guardian.pid}))
        for process in self._running:
            process.wait()
        if self._guardian.stdin is not None:
            self._guardian.stdin.close()
        try:
            self._guardian.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._guardian.kill()


def sweep(mark: str, spared: frozenset[int] = frozenset()) -> None:
    """Kill all processes with the given mark, except this process and those in `spared`, until none are left."""
    for _ in range(20):
        left = [process for process in marked(mark) if process not in spared and process != os.getpid()]
        if not left:
            return
        for process in left:
            try:
                os.kill(process, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue
        time.sleep(0.1)


def marked(mark: str) -> Iterator[int]:
    """Yield the IDs of running processes with the given mark in their environment."""
    if Path("/proc/self/environ").exists():
        yield from _marked_on_linux(f"{MARK}={mark}".encode())
        return
    psutil: Any = import_module("psutil")  # part of Ray
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                yield process.pid
        except psutil.Error:
            continue


def _marked_on_linux(entry: bytes) -> Iterator[int]:
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            if entry in (folder / "environ").read_bytes().split(b"\0"):  # empty for a process that has ended
                yield int(folder.name)
        except OSError:
            continue
