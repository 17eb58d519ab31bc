"""Read regular files, for modules that need no other disk access."""

from __future__ import annotations

import os

_CHUNK = 1 << 20


def read(path: str) -> bytes:
    """Read a regular file without following links."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    file = os.open(path, flags)
    try:
        return b"".join(iter(lambda: os.read(file, _CHUNK), b""))
    finally:
        os.close(file)
