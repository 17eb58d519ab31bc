"""Limits how many errors of a rule get a suggestion, because each lookup walks over all names."""

from __future__ import annotations

from collections.abc import Iterable

_MOST = 50


class Suggestions:
    """Counts the errors of one rule in one run; only the first few get a suggestion."""

    __slots__ = ("_made",)

    def __init__(self) -> None:
        self._made = 0

    def among(self, names: Iterable[str]) -> Iterable[str]:
        """The names themselves, or none after enough suggestions."""
        self._made += 1
        return names if self._made <= _MOST else ()
