"""Bearer tokens of an endpoint's clients, read from mounted files and reread when these change.

Tokens are compared in constant time.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Mapping
from pathlib import Path

from modelyard_runtime.refusals import Refusal

_log = logging.getLogger(__name__)


class Tokens:
    """The tokens of all clients. Each client has a file with one token per line."""

    def __init__(self, paths: Mapping[str, str]) -> None:
        self._callers = {caller: _File(Path(path)) for caller, path in paths.items()}
        empty = [caller for caller, file in self._callers.items() if not file.tokens()]
        if len(empty) == len(self._callers):
            raise Refusal("no caller's token can be read, so no one could call this endpoint")
        if empty:
            _log.warning("these callers have no token and are refused: %s", ", ".join(sorted(empty)))

    def caller(self, header: str) -> str | None:
        """Return the client whose token is in an Authorization header.

        All tokens are compared, even after a match.
        """
        scheme, _, credentials = header.partition(" ")
        presented = credentials.strip().encode()
        matching = [
            caller
            for caller, file in self._callers.items()
            for token in file.tokens()
            if hmac.compare_digest(presented, token)
        ]
        return matching[0] if matching and scheme.lower() == "bearer" else None


class _File:
    """The tokens in a file, or none if the file is missing or empty."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_at = -1
        self._tokens: tuple[bytes, ...] = ()

    def tokens(self) -> tuple[bytes, ...]:
        try:
            changed = self._path.stat().st_mtime_ns
            if changed != self._read_at:
                lines = (line.strip() for line in self._path.read_bytes().splitlines())
                self._tokens = tuple(line for line in lines if line)
                self._read_at = changed
        except OSError:
            return ()
        return self._tokens
