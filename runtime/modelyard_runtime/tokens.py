"""The bearer token of an endpoint, as it is mounted: compared in constant time, read again when its file changes."""

from __future__ import annotations

import hmac
from pathlib import Path

from modelyard_runtime.refusals import Refusal


class Token:
    """A token in a file. A file that is gone or empty lets nobody in."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._read_at = -1
        self._value = b""
        if not self._current():
            raise Refusal(f"the token at {path} cannot be read or is empty; nobody could call this endpoint")

    def matches(self, header: str) -> bool:
        """Whether an Authorization header brings this token."""
        scheme, _, given = header.partition(" ")
        wanted = self._current()
        same = hmac.compare_digest(given.strip().encode(), wanted)
        return same and bool(wanted) and scheme.lower() == "bearer"

    def _current(self) -> bytes:
        try:
            changed = self._path.stat().st_mtime_ns
            if changed != self._read_at:
                self._value = self._path.read_bytes().strip()
                self._read_at = changed
        except OSError:
            return b""
        return self._value
