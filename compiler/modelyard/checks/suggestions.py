"""How often a rule looks for the nearest known name: each time costs a walk over all names."""

from __future__ import annotations

from collections.abc import Iterable

_MOST = 50


class Suggestions:
    """Counts the mistakes of one rule in one run; the first few get a suggestion."""

    __slots__ = ("_made",)

    def __init__(self) -> None:
        self._made = 0

    def among(self, names: Iterable[str]) -> Iterable[str]:
        """The names themselves, or none once enough suggestions were made."""
        self._made += 1
        return names if self._made <= _MOST else ()
