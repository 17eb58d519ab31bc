"""Combine what was compiled for different sites, taking one group's part from another of its sites."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from modelyard.plan import Plan
from modelyard.records import replace
from modelyard.same import is_same
from modelyard.spec import System

_PLACED: Final = ("stores", "pipelines", "inference", "monitors")
"""The sections whose entries are placed on a target, and so may use the values of its sites."""


def plan_with_part(plan: Plan, other: Plan, target: str) -> Plan:
    """Return a plan with everything on a target taken from another plan for other sites of the same spec.

    Returns the same object if both plans agree on this target.
    """
    system = system_with_part(plan.system, other.system, target)
    if system is plan.system:
        return plan
    resources = (resource for resource in plan.resources if resource.placement != target)
    links = (link for link in plan.links if target not in link.ends)
    there = (link for link in other.links if target in link.ends)
    return Plan(system, (*resources, *other.on(target)), (*links, *there))


def system_with_part(system: System, other: System, target: str) -> System:
    """Return a system with a target and everything on it taken from another system. See `plan_with_part`."""

    def is_there(entry: Any) -> bool:
        return bool(entry.target == target)

    def is_for_entry_there(compute: Any) -> bool:
        path: tuple[str, ...] = tuple(map(str, compute.path))
        entry = getattr(system, path[0]).get(path[1]) if path[0] in _PLACED and len(path) > 1 else None
        return entry is not None and is_there(entry)

    targets = tuple(other.target(target) if each.name == target else each for each in system.deployment.targets)
    overrides = [override for override in system.overrides if not is_there(override)]
    overrides += [override for override in other.overrides if is_there(override)]
    parts: dict[str, Any] = {name: _mixed(getattr(system, name), getattr(other, name), is_there) for name in _PLACED}
    parts["compute"] = _mixed(system.compute, other.compute, is_for_entry_there)
    parts["deployment"] = replace(system.deployment, targets=targets)
    parts["overrides"] = tuple(overrides)
    different = {name: part for name, part in parts.items() if not is_same(part, getattr(system, name))}
    return replace(system, **different) if different else system


def _mixed(entries: Mapping[str, Any], others: Mapping[str, Any], is_there: Callable[[Any], bool]) -> dict[str, Any]:
    """Return the entries, with those on the target as in another system."""
    return {name: others[name] if is_there(entry) else entry for name, entry in entries.items()}
