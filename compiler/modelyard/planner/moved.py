"""Renames without destruction: two things cannot both keep the names of one."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.diagnostics.base import Diagnostic
from modelyard.diagnostics.plan import moved_twice
from modelyard.spec import System


def check_moved(system: System) -> Iterator[Diagnostic]:
    """Each old address is kept once. `resolve` has checked that the new ones exist and the old ones do not."""
    new_by_old: dict[str, str] = {}
    for new, old in (system.moved or {}).items():
        first = new_by_old.setdefault(old, new)
        if first != new:
            yield moved_twice(system.at("moved", new), new, old, first)
