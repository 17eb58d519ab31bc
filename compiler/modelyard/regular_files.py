"""Reading regular files, for those who need nothing else of the disk."""

from __future__ import annotations

import os

_CHUNK = 1 << 20


def read(path: str) -> bytes:
    """The content of a regular file; links are not followed."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    file = os.open(path, flags)
    try:
        return b"".join(iter(lambda: os.read(file, _CHUNK), b""))
    finally:
        os.close(file)
