"""Seal files that a user's modelyard writes to a folder others can also write to, such as a repository."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from typing import Final

from modelyard.regular_files import read

_SIZE: Final = 32  # in bytes
_NAME: Final = "seal.key"


def seal(parts: tuple[str, ...]) -> str:
    """Return a keyed hash of the strings in hexadecimal, or "" if this user has no key."""
    try:
        key = read(_path())
    except OSError:
        return ""
    if len(key) != _SIZE:
        return ""
    text = b"".join(f"{len(part)}:{part}".encode("utf-8", "surrogatepass") for part in parts)
    return hashlib.blake2b(text, key=key, digest_size=32).hexdigest()


def create_key() -> None:
    """Create the key in the user's cache folder if it is missing. Does nothing if the folder isn't writable."""
    path = _path()
    with suppress(OSError):
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        try:
            os.write(file, os.urandom(_SIZE))
        finally:
            os.close(file)


def _path() -> str:
    cache_home = os.environ.get("XDG_CACHE_HOME", "")
    folder = cache_home if os.path.isabs(cache_home) else os.path.expanduser(os.path.join("~", ".cache"))
    if not os.path.isabs(folder):  # without a home, the path would be in the working folder, possibly a checkout
        return os.devnull
    return os.path.join(folder, "modelyard", _NAME)
