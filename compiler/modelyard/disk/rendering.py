"""Render the files of a large tree in two processes.

When thousands of workloads are compiled, rendering accounts for nearly all of the work, and Python runs it on one
core. A forked copy of this process needs no time to start and already has the plan.
"""

from __future__ import annotations

import os
import pickle
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import IO

from modelyard.disk.files import OutputFile


@contextmanager
def rendering(files: Sequence[OutputFile]) -> Generator[Callable[[OutputFile], bytes]]:
    """Provide a function that renders the files. It must be called with each of the files in order.

    Meanwhile, a fork of this process renders the second half of the files that have facts. If the fork fails, those
    files are rendered in this process, so the result is always the same.
    """
    if not _may_fork():
        yield lambda file: file.render()
        return
    candidates = [file for file in files if file.facts is not None]
    with TemporaryFile() as stream:
        helper = _Helper(tuple(candidates[len(candidates) // 2 :]), stream)
        try:
            yield helper.rendered
        finally:
            helper.end()


class _Helper:
    """A forked process that renders files into a stream, in order."""

    def __init__(self, files: tuple[OutputFile, ...], stream: IO[bytes]) -> None:
        self._stream = stream
        self._waiting = {file.path for file in files}
        parent = os.getpid()
        self._process = os.fork()
        if not self._process:
            _render_and_exit(files, stream, parent)

    def rendered(self, file: OutputFile) -> bytes:
        """Return a file's bytes: from the forked process if it rendered the file, or else rendered here."""
        if file.path not in self._waiting or file.facts is None or not self._succeeded():
            return file.render()
        # Our own process wrote this data, into a file without a name.
        data, file.facts.value = pickle.load(self._stream)
        return bytes(data)

    def _succeeded(self) -> bool:
        """Wait for the forked process, and return whether it rendered all its files."""
        if self._process:
            _, status = os.waitpid(self._process, 0)
            self._process = 0
            if status:
                self._waiting.clear()
            self._stream.seek(0)
        return bool(self._waiting)

    def end(self) -> None:
        """Kill the forked process if its results are no longer needed."""
        if self._process:
            os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)
            self._process = 0


def _render_and_exit(files: tuple[OutputFile, ...], stream: IO[bytes], parent: int) -> None:
    """Render files in the forked process, which must never return to the parent's code.

    If the parent was killed, the fork ends after the current file, because it also holds the parent's lock on the
    output.
    """
    status = 1
    try:
        for file in files:
            data = file.render()
            pickle.dump((data, None if file.facts is None else file.facts.value), stream)
            if os.getppid() != parent:
                return
        stream.flush()
        status = 0
    finally:
        os._exit(status)


def _may_fork() -> bool:
    """Return whether there is a second core and there are no threads that a forked process would lack."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return hasattr(os, "fork") and cores > 1 and threading.active_count() == 1
