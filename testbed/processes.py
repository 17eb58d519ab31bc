"""Runs programs during tests, each with its own log, and always stops them."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

# Above the ports of Ray's workers (10002 to 19999), below Linux's range for outgoing connections (32768 to 60999).
_PORTS = range(20_000, 32_000)


class Processes:
    """Starts programs, and stops them all in reverse order when the `with` block ends.

    The kernel also kills them when this process dies, so they end even after a crash or a kill. `within` is a prefix
    for every command, such as `nsenter --net=…`.
    """

    def __init__(self, folder: Path, within: tuple[str, ...] = ()) -> None:
        self.within = within
        self._logs = folder / "log"
        self._logs.mkdir(parents=True, exist_ok=True)
        self._started: dict[str, subprocess.Popen[bytes]] = {}
        self._files = ExitStack()
        die_with_us = shutil.which("setpriv")
        self._prefix = (die_with_us, "--pdeathsig", "KILL") if die_with_us else ()

    def __enter__(self) -> Processes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def start(self, name: str, *command: str | Path, environment: Mapping[str, str] | None = None) -> None:
        """Start a program, with its output in a log of the given name."""
        log = self._files.enter_context((self._logs / name).open("wb"))
        self._started[name] = subprocess.Popen(
            [*self._prefix, *self.within, *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
        )

    def log(self, name: str, characters: int = 3000) -> str:
        """Return the end of the given program's output."""
        return (self._logs / name).read_text(errors="replace")[-characters:]

    def wait_until(self, ready: Callable[[], bool], what: str, seconds: float = 240) -> None:
        """Wait for a condition. Raises RuntimeError with the last log lines if a program exits or time runs out."""
        until = time.monotonic() + seconds
        while not ready():
            ended = [name for name, process in self._started.items() if process.poll() is not None]
            if ended or time.monotonic() > until:
                logs = "\n".join(f"--- {name}\n{self.log(name)}" for name in ended or self._started)
                raise RuntimeError(f"{what}: {'ended: ' + ', '.join(ended) if ended else 'not in time'}\n{logs}")
            time.sleep(0.1)

    def end(self) -> None:
        """Kill all programs in reverse order, since an API server never exits by itself without its etcd."""
        for process in reversed(self._started.values()):
            below = descendants(process.pid)
            process.kill()
            process.wait()
            for left in below:  # such as the workers of a server, which would keep running
                with suppress(ProcessLookupError):
                    os.kill(left, signal.SIGKILL)
            _wait_for_end(below)
        self._started.clear()
        self._files.close()


def descendants(process: int) -> list[int]:
    """Return all descendants of a process, or an empty list on machines without /proc."""
    result: list[int] = []
    waiting = [process]
    while waiting:
        parent = waiting.pop()
        with suppress(OSError):
            below = [int(child) for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
            result += below
            waiting += below
    return result


def _wait_for_end(killed: list[int], seconds: float = 10) -> None:
    """Wait for killed processes to end. As they aren't our children, this can take a while on a busy machine."""
    until = time.monotonic() + seconds
    while any(map(_runs, killed)) and time.monotonic() < until:
        time.sleep(0.01)


def _runs(process: int) -> bool:
    """Return whether a process exists and is not a zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def session(leader: int) -> list[int]:
    """Return all processes of a session in any process group."""
    members: list[int] = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(ProcessLookupError):
            if os.getsid(int(entry.name)) == leader:
                members.append(int(entry.name))
    return members


def kill_session(leader: subprocess.Popen[Any]) -> None:
    """Kill a session leader and all processes in its session, like a machine crash would."""
    while left := session(leader.pid):
        for process in left:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        leader.wait()


def free_ports(count: int) -> list[int]:
    """Return free loopback ports below the range from which the kernel assigns ports to connections.

    A server doesn't bind its port until later. Until then, a port the kernel had chosen for us could be given to
    another program's connection, and the server would fail with "address already in use".
    """
    with ExitStack() as stack:
        return [stack.enter_context(_bound()).getsockname()[1] for _ in range(count)]


def _bound() -> socket.socket:
    """Return a socket on a free port, chosen at random so that no two runs choose the same port."""
    while True:
        candidate = socket.socket()
        try:
            candidate.bind(("127.0.0.1", secrets.choice(_PORTS)))
        except OSError:
            candidate.close()
        else:
            return candidate
