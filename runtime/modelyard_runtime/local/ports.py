"""Reserves ports for this process so that runs starting at the same time choose different ones."""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from pathlib import Path
from typing import IO

_TRIED = 50
_held: list[IO[str]] = []
"""Locks on files with the ports' numbers. The kernel releases them when this process ends, however it ends."""


def free_port(requested: int, taken: frozenset[int] = frozenset()) -> int:
    """Reserve the requested port or the next free one. If none is free, the kernel chooses a port.

    The server doesn't bind the port until later. Until then, the lock keeps other runs of this user from choosing it.
    """
    for port in (*range(requested, requested + _TRIED), 0):
        chosen = 0 if port in taken else _bound(port)
        if chosen and _reserve(chosen):
            return chosen
    raise OSError(f"no port is free on 127.0.0.1, from {requested}")


def _bound(port: int) -> int:
    """Return the port if it can be bound, or 0 otherwise. For port 0, the kernel chooses a port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return 0
        return int(listener.getsockname()[1])


def _reserve(port: int) -> bool:
    """Lock a port's file. If the file can't be written, the port counts as reserved, as collisions are unlikely."""
    try:
        folder = Path(tempfile.gettempdir()) / f"modelyard-ports-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        stream = (folder / str(port)).open("a", encoding="utf-8")
    except OSError:
        return True
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        stream.close()
        return False
    _held.append(stream)
    return True
