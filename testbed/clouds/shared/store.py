"""Stores state not kept by moto in a JSON file shared by the provider's processes."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from testbed.clouds.shared.values import Values


class Store:
    """Values by kind and key, stored in one file with a lock."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def open(self) -> Generator[dict[str, Values]]:
        """Yield all values for reading and changing, saving changes if the block ends without an error."""
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            everything: dict[str, Values] = json.loads(self._path.read_text()) if self._path.exists() else {}
            before = json.dumps(everything, sort_keys=True)
            yield everything
            after = json.dumps(everything, sort_keys=True)
            if after != before:
                fresh = self._path.with_suffix(".new")
                fresh.write_text(after)
                fresh.replace(self._path)

    def put(self, kind: str, key: str, value: Values) -> None:
        """Store a value."""
        with self.open() as everything:
            everything.setdefault(kind, {})[key] = value

    def get(self, kind: str, key: str) -> Values | None:
        """Return a value, or None if there is none."""
        with self.open() as everything:
            value: Values | None = everything.get(kind, {}).get(key)
        return value

    def take(self, kind: str, key: str) -> Values | None:
        """Remove a value and return it, or None if there is none."""
        with self.open() as everything:
            value: Values | None = everything.get(kind, {}).pop(key, None)
        return value

    def all(self, kind: str) -> dict[str, Values]:
        """Return all values of a kind by key."""
        with self.open() as everything:
            values: dict[str, Values] = everything.get(kind, {})
        return values
