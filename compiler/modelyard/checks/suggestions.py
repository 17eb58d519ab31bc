"""Limit how many of a rule's errors get a suggestion, because each suggestion scans all names."""

from __future__ import annotations

from collections.abc import Iterable

_MOST = 50


class Suggestions:
    """Counts a rule's errors within a single run, because only the first few get a suggestion."""

    __slots__ = ("_made",)

    def __init__(self) -> None:
        self._made = 0

    def among(self, names: Iterable[str]) -> Iterable[str]:
        """Return the names to choose suggestions from, or no names if the maximum number is exceeded."""
        self._made += 1
        return names if self._made <= _MOST else ()
