"""Insert a site's values into a system with markers, to compare it with a system that was compiled for this site."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

from modelyard.plan import Plan
from modelyard.records import replace
from modelyard.review.site_parts import system_with_part
from modelyard.sites.binding import Site
from modelyard.spec import System
from modelyard.stages import Outcome

_Value = TypeVar("_Value", System, Plan)


def as_at_sites_of(other: Outcome, outcome: Outcome) -> System | None:
    """Return an outcome's system with the values of the sites that `other` was compiled for.

    A version with errors is compiled for the first site in each group, without markers. Returns None if `other` has
    markers, or if the outcome's system doesn't include these sites.
    """
    if other.bound is None or outcome.bound is None or not outcome.fleets:
        return None
    if any(binding.marked.columns for binding in other.bound.bindings.values()):
        return None
    names = {group.name: group.names[0] for group in other.bound.groups}
    system: System | None = None
    sites: list[Site] = []
    for fleet in outcome.fleets:
        name = names.get(fleet.group.name)
        if name not in fleet.group.names:
            return None
        at = fleet.group.names.index(name)
        plan = next((kind.plan for kind in fleet.kinds if at in kind.rows), None)
        if plan is not None:
            system = plan.system if system is None else system_with_part(system, plan.system, fleet.group.name)
        sites.append(Site(fleet.group, at, fleet.binding.marked))
    return None if system is None else with_values(system, *sites)


def with_values(system: System, *sites: Site) -> System:
    """Replace the markers of site groups in a system with the values of the given sites."""

    def fill(text: str) -> str:
        for site in sites:
            text = site.filled(text)
        return text

    return mapped(system, fill)


def with_columns(plan: Plan, columns: Sequence[str], site: Site) -> Plan:
    """Replace the markers of some columns in a plan with a site's values."""
    return mapped(plan, lambda text: site.filled(text, columns)) if columns else plan


def mapped(value: _Value, fill: Callable[[str], str]) -> _Value:
    """Return a system or a plan with each of its strings replaced by what `fill` returns for it."""
    return cast("_Value", _mapped(value, fill))


def _mapped(value: Any, fill: Callable[[str], str]) -> Any:
    """Apply `fill` to every string in a value, except in the document.

    Unchanged subtrees remain the same objects, so they can be compared by identity.
    """
    if isinstance(value, str):
        text = fill(value)
        return value if text == value else text
    if isinstance(value, tuple):
        items = cast("tuple[Any, ...]", value)  # type: ignore[redundant-cast] # for pyright, its items are unknown
        mapped = tuple(_mapped(item, fill) for item in items)
        return items if all(map(operator.is_, items, mapped)) else mapped
    if isinstance(value, Mapping):
        entries = cast("Mapping[Any, Any]", value)  # type: ignore[redundant-cast] # for pyright, its entries are unknown
        changed = {key: each for key, item in entries.items() if (each := _mapped(item, fill)) is not item}
        return {**entries, **changed} if changed else entries
    names: tuple[str, ...] = getattr(cast("type[object]", type(value)), "__match_args__", ())
    fields = ((name, getattr(value, name)) for name in names if name != "document")
    replaced = {name: each for name, field in fields if (each := _mapped(field, fill)) is not field}
    return replace(value, **replaced) if replaced else value
