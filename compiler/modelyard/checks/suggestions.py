"""Limit how many errors of a rule get a suggestion, because each suggestion scans all names."""

from __future__ import annotations

from collections.abc import Iterable

_MOST = 50


class Suggestions:
    """Counts a rule's errors within a run, since only the first few get a suggestion."""

    __slots__ = ("_made",)

    def __init__(self) -> None:
        self._made = 0

    def among(self, names: Iterable[str]) -> Iterable[str]:
        """Return the names to suggest from, or none once the limit is exceeded."""
        self._made += 1
        return names if self._made <= _MOST else ()
