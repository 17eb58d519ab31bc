"""Check renames: two entries can't both keep the names of the same earlier entry."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.diagnostics.base import Diagnostic
from modelyard.diagnostics.plan import moved_twice
from modelyard.spec import System


def check_moved(system: System) -> Iterator[Diagnostic]:
    """Report old addresses that occur in several renames. The `resolve` stage has checked the new addresses."""
    new_by_old: dict[str, str] = {}
    for new, old in (system.moved or {}).items():
        first = new_by_old.setdefault(old, new)
        if first != new:
            yield moved_twice(system.at("moved", new), new, old, first)
