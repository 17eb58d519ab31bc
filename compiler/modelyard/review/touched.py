"""Find the workloads whose objects a change can affect, so that thousands of others needn't be compared."""

from __future__ import annotations

from collections.abc import Container, Iterator
from itertools import zip_longest
from typing import Final

from modelyard.plan import Plan
from modelyard.review.reach import dependents, neighbours
from modelyard.same import is_same
from modelyard.spec import System

_SECTIONS: Final = ("stores", "compute", "data", "models", "pipelines", "inference", "monitors", "channels")
_IGNORED: Final = frozenset({"document", "environment"})


def touched(before: Plan, after: Plan) -> frozenset[str] | None:
    """Return the addresses that a change can affect, or None if it may affect everything.

    A workload's objects depend on its resources in the plan, its dependencies and monitors, and system-wide settings.
    """
    old, new = before.system, after.system
    names = (name for name in System.__match_args__ if name not in _IGNORED and name not in _SECTIONS)
    if not all(is_same(getattr(old, name), getattr(new, name)) for name in names):
        return None
    changed = {*_entries(old, new), *_planned(before, after)}
    reached = {address for system in (old, new) for address in dependents(system, changed)}
    return frozenset(
        changed | reached | {neighbour for system in (old, new) for neighbour in neighbours(system, reached | changed)}
    )


def _entries(old: System, new: System) -> Iterator[str]:
    """Yield the addresses of entries that are new, removed or different."""
    for section in _SECTIONS:
        was, now = getattr(old, section), getattr(new, section)
        if was is not now:
            yield from (f"{section}.{name}" for name in {**was, **now} if not is_same(was.get(name), now.get(name)))


def _planned(before: Plan, after: Plan) -> Iterator[str]:
    """Yield the addresses of workloads whose resources were added, removed or changed."""
    unequal = [pair for pair in zip_longest(before.resources, after.resources) if pair[0] != pair[1]]  # by position
    old, new = ({pair[side].place: pair[side] for pair in unequal if pair[side] is not None} for side in (0, 1))
    for place in {**old, **new}:
        if old.get(place) != new.get(place):
            yield from (plan[place].workload for plan in (old, new) if place in plan)


def is_touched(owner: str, scope: Container[str] | None) -> bool:
    """Return whether an owner's objects may differ. Objects without a single owner always may."""
    return scope is None or not owner or owner in scope
