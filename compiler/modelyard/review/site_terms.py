"""Give both versions of a spec the same markers for the same site values, so that only what differs is compared.

The compiler numbers the columns that a version uses, and a marker's form depends on the column's values. If a version
uses one column more, or a value has another form, the markers of unchanged values differ, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from modelyard.fleets.fleet import Fleet
from modelyard.plan import Plan
from modelyard.records import replace
from modelyard.review.site_systems import mapped
from modelyard.sites.binding import Binding, Marked, Place, filled, placeholder, renumbered
from modelyard.stages import Outcome

_Places: TypeAlias = Mapping[tuple[int, int], Place]

_WAS = "was "
"""The prefix of the columns that stand for the old values of other columns."""


def in_terms_of(new: Outcome, old: Outcome) -> Outcome:
    """Return the outcome of the old version with the markers of the new version, if both have plans for sites."""
    bindings = {fleet.group.name: fleet.binding for fleet in new.fleets}
    shared = [fleet for fleet in old.fleets if fleet.group.name in bindings]
    changed = {fleet.group.name: _aligned(fleet, bindings[fleet.group.name]) for fleet in shared}
    places = {
        key: place
        for fleet in shared
        for key, place in _places(fleet, changed[fleet.group.name], bindings[fleet.group.name])
    }
    if all(key == (place.group, place.column) and not place.marker for key, place in places.items()):
        return old
    fleets = tuple(_with_markers(fleet, changed.get(fleet.group.name, fleet.binding), places) for fleet in old.fleets)
    bound = old.bound
    if bound is not None:
        bound = replace(bound, bindings={**bound.bindings, **changed})
    plan, system = _plan(old.plan, places), old.system
    if system is not None:
        system = plan.system if plan is not None else mapped(system, lambda text: renumbered(text, places))
    return replace(old, plan=plan, system=system, bound=bound, fleets=fleets)


def _with_markers(fleet: Fleet, binding: Binding, places: _Places) -> Fleet:
    kinds = tuple(replace(kind, plan=_plan(kind.plan, places)) for kind in fleet.kinds)
    return replace(fleet, binding=binding, kinds=kinds)


def _plan(plan: Plan | None, places: _Places) -> Plan | None:
    return None if plan is None else mapped(plan, lambda text: renumbered(text, places))


def _aligned(fleet: Fleet, new: Binding) -> Binding:
    """Return the old version's binding with the new version's numbers. Columns that the new one lacks come last."""
    own = fleet.binding.marked.columns
    common = tuple(column if column in own else "" for column in new.marked.columns)
    marked = Marked(new.marked.group, (*common, *(column for column in own if column not in common)))
    return replace(fleet.binding, marked=marked)


def _places(fleet: Fleet, aligned: Binding, new: Binding) -> Iterator[tuple[tuple[int, int], Place]]:
    """Yield the new place of each of a fleet's markers."""
    own = fleet.binding
    for at, column in enumerate(own.marked.columns):
        marker = str(new.values[column]) if column in new.marked.columns else ""
        is_same = marker == own.values[column]
        place = Place(new.marked.group, aligned.marked.columns.index(column), "" if is_same else marker)
        yield (own.marked.group, at), place


def with_old_values(plan: Plan, columns: Sequence[str], marked: Marked) -> Plan:
    """Return a plan with other markers for some columns, because they have other values than in the new version."""
    was = _with_old_columns(marked, columns)
    places = {
        (marked.group, marked.columns.index(column)): Place(marked.group, was.columns.index(f"{_WAS}{column}"))
        for column in columns
    }
    return mapped(plan, lambda text: renumbered(text, places)) if columns else plan


def without_old_columns(text: str, columns: Sequence[str], marked: Marked) -> str:
    """Return a text about a plan of `with_old_values` with placeholders, as if old and new values were the same."""

    def written(kind: str, used: tuple[str, ...]) -> str:
        return placeholder(kind, tuple(column.removeprefix(_WAS) for column in used))

    return filled(text, {marked.group: _with_old_columns(marked, columns)}, written) if columns else text


def _with_old_columns(marked: Marked, columns: Sequence[str]) -> Marked:
    return Marked(marked.group, (*marked.columns, *(f"{_WAS}{column}" for column in columns)))
