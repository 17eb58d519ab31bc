"""Do the same work for many files in two processes.

When thousands of workloads are compiled, manifests account for nearly all of the work, and Python runs it on one core.
A forked copy of this process needs no time to start and already has the plan.
"""

from __future__ import annotations

import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from tempfile import TemporaryFile
from typing import IO, Final, TypeVar, cast

from modelyard.disk.files import OutputFile

_R = TypeVar("_R")
_NUMBER: Final = 4
"""The size of a file's number in the queue, in bytes."""


def in_two_processes(files: Sequence[OutputFile], work: Callable[[OutputFile], _R]) -> dict[str, _R]:
    """Return the result of `work` for each file, by path. Each file must have facts, and they are set.

    This process and a fork of it take the next file from a queue until it is empty. If the fork fails, results are
    missing for its files. If there can be no fork, this process works on all files.
    """
    if not _may_fork():
        return {file.path: work(file) for file in files}
    with TemporaryFile(buffering=0) as queue, TemporaryFile() as stream:
        queue.write(b"".join(number.to_bytes(_NUMBER, "big") for number in range(len(files))))
        queue.seek(0)
        parent = os.getpid()
        helper = _Helper(lambda: _record(_taken(files, queue), work, stream, parent))
        try:
            results = {file.path: work(file) for file in _taken(files, queue)}
            if helper.succeeded():
                results.update(cast("Iterator[tuple[str, _R]]", _recorded(files, stream)))
        finally:
            helper.end()
    return results


def _taken(files: Sequence[OutputFile], queue: IO[bytes]) -> Iterator[OutputFile]:
    """Take files from the queue. Both processes read from the same position, which the kernel moves atomically."""
    while number := queue.read(_NUMBER):
        yield files[int.from_bytes(number, "big")]


def _record(files: Iterable[OutputFile], work: Callable[[OutputFile], _R], stream: IO[bytes], parent: int) -> None:
    """Work on files in the forked process, and write their results and facts to a stream.

    If the parent was killed, the fork ends after the current file, because it also holds the parent's lock on the
    output.
    """
    results: list[tuple[str, _R, object]] = []
    for file in files:
        results.append((file.path, work(file), file.facts.value if file.facts is not None else None))
        if os.getppid() != parent:
            return
    pickle.dump(results, stream)
    stream.flush()


def _recorded(files: Iterable[OutputFile], stream: IO[bytes]) -> Iterator[tuple[str, object]]:
    """Read the results, and set the facts."""
    facts = {file.path: file.facts for file in files}
    stream.seek(0)
    # Our own process wrote this data, into a file without a name.
    for path, result, value in pickle.load(stream):
        if (known := facts[path]) is not None:
            known.value = value
        yield path, result


class _Helper:
    """A forked process that runs a function and exits."""

    def __init__(self, run: Callable[[], None]) -> None:
        self._process = os.fork()
        if not self._process:
            status = 1
            try:
                run()
                status = 0
            finally:
                os._exit(status)  # a fork must never return to the parent's code

    def succeeded(self) -> bool:
        """Wait for the process, and return whether its function returned."""
        _, status = os.waitpid(self._process, 0)
        self._process = 0
        return not status

    def end(self) -> None:
        """Kill the process if its results are no longer needed."""
        if self._process:
            os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)
            self._process = 0


def _may_fork() -> bool:
    """Return whether there is a second core and there are no threads that a forked process would lack."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return hasattr(os, "fork") and cores > 1 and threading.active_count() == 1
