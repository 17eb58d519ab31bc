"""Findings about a target's sites, including added and removed sites and changed values.

A changed value is judged like the same change to the fields that use it. Only if there is no such field, or if the
value changes in too many different ways, is the finding about the value itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from modelyard.diagnostics.base import joined
from modelyard.flow_text import flow
from modelyard.records import replace
from modelyard.review.findings import Finding, Level, facts
from modelyard.review.site_judging import Judge, Versions, judged_directly
from modelyard.review.site_pairs import SitePair
from modelyard.review.site_uses import fields_using, worst_level
from modelyard.review.words import spec_text
from modelyard.same import is_same
from modelyard.sites.groups import NAME, WAVE, Group, Scalar
from modelyard.source import Span
from modelyard.stages import Outcome

_MOST: Final = 3
"""The maximum number of sites that a message names."""


def site_changes(
    old: Outcome,
    new: Outcome,
    environment: str,
    pairs: tuple[SitePair, ...],
    judge: Judge,
    known: Iterable[Finding],
) -> Iterator[Finding]:
    """Report differences between the sites of each target that has sites in both versions.

    `judge` applies the rules to two systems, and `known` holds its findings about the spec.
    """
    if old.bound is None or new.bound is None:
        return
    before = {group.name: group for group in old.bound.groups}
    used = dict.fromkeys((*old.bound.used, *new.bound.used))
    for group in new.bound.groups:
        if group.name in before:
            derived = {NAME, *_waves(before[group.name]), *_waves(group)}
            columns = dict.fromkeys(column for target, column in used if target == group.name and column not in derived)
            yield from _names(before[group.name], group, environment)
            marked = [outcome_bound.bindings[group.name].marked for outcome_bound in (old.bound, new.bound)]
            versions = Versions(before[group.name], group, marked[0], marked[1], pairs, judge, tuple(known))
            for finding, rows in _values(before[group.name], group, tuple(columns), environment):
                direct = tuple(judged_directly(versions, finding.path[-1], rows))
                yield from direct or (_judged(finding, new, group),)


def _judged(finding: Finding, new: Outcome, group: Group) -> Finding:
    """Raise a finding's level if loosening the value is dangerous, e.g. because an allow rule uses it."""
    fields = fields_using(new, group, finding.path[-1])
    level = max(finding.level, worst_level(fields))
    places = " and ".join(dict.fromkeys(".".join(map(str, path)) for path in fields[:_MOST]))
    why = f"it is used in {places}{f' and {len(fields) - _MOST} more' if len(fields) > _MOST else ''}" if fields else ""
    return replace(finding, level=level, why=why)


def _names(old: Group, new: Group, environment: str) -> Iterator[Finding]:
    path, known, kept = (*map(str, new.path), "sites"), set(old.names), set(new.names)
    gone = [name for name in old.names if name not in kept]
    fresh = [at for at, name in enumerate(new.names) if name not in known]
    if gone:
        message = f"target {new.name} loses {len(gone)} of {len(old.names)} sites: {_listed(gone)}"
        why = "a stack keeps running until `pulumi destroy`, even after its site is removed from the spec"
        was = old.places(old.names.index(gone[0]), NAME)
        yield _finding("R516", Level.DANGER, path, message, environment, why, was=was, before=", ".join(gone))
    if fresh:
        names = [new.names[at] for at in fresh]
        count = f"{len(new.names)} sites (was {len(old.names)})"
        message = f"target {new.name} has {count}, including the new {_listed(names)}"
        now = new.places(fresh[0], NAME)
        yield _finding("R515", Level.REVIEW, path, message, environment, now=now, after=", ".join(names))


def _waves(group: Group) -> set[str]:
    """Return the wave column if `waves` sets it, since changes to `waves` are reported separately."""
    return {WAVE} & group.always.keys()


_Rows: TypeAlias = list[tuple[int, int]]
"""The positions of sites in the old version's group and in the new version's."""


def _values(old: Group, new: Group, columns: tuple[str, ...], environment: str) -> Iterator[tuple[Finding, _Rows]]:
    """Report each given column whose values differ at sites in both versions, along with the sites' positions."""
    positions = {name: at for at, name in enumerate(old.names)}
    pairs = [(positions[name], at) for at, name in enumerate(new.names) if name in positions]
    for column in columns:
        was, now = _column(old, column), _column(new, column)
        differing = [(a, b) for a, b in pairs if not is_same(_at(was, a), _at(now, b))]
        if not differing:
            continue
        first, second = differing[0]
        before, after = _formatted(_at(was, first), _at(now, second))
        names = _listed([new.names[at] for _, at in differing])
        message = f"{column} of site {names} of {new.name} is {after} (was {before})"
        if len(differing) > 1:
            message = f"{column} changes at {names} of {new.name}: at {new.names[second]} it is {after} (was {before})"
        path = (*map(str, new.path), "sites", column)
        places = (old.places(first, column) if was else None, new.places(second, column) if now else None)
        every = facts([(new.names[b], _at(was, a), _at(now, b)) for a, b in differing])
        finding = _finding(
            "R517", Level.REVIEW, path, message, environment, was=places[0], now=places[1], before=before, after=after
        )
        yield replace(finding, facts=every), differing


def _column(group: Group, name: str) -> tuple[Scalar | None, ...] | None:
    """Return a column's values, or None if it doesn't exist.

    `get` would also return None while the column's type is undetermined.
    """
    columns = group.columns
    return columns[name] if name in columns else None  # noqa: SIM401


def _at(column: tuple[Scalar | None, ...] | None, at: int) -> Scalar | None:
    return None if column is None else column[at]


def _formatted(*values: Scalar | None) -> tuple[str, ...]:
    """Format values so that different ones look different, e.g. `true` and "true", or 1 and 1.0."""
    texts = tuple("none" if value is None else spec_text("", value) for value in values)
    return texts if len(set(texts)) == len(values) else tuple(map(flow, values))


def _listed(names: list[str]) -> str:
    if len(names) <= _MOST:
        return joined(names)
    return f"{', '.join(names[: _MOST - 1])} and {len(names) - _MOST + 1} more"


def _finding(
    code: str,
    level: Level,
    path: tuple[str, ...],
    message: str,
    environment: str,
    why: str = "",
    was: Span | None = None,
    now: Span | None = None,
    before: str = "",
    after: str = "",
) -> Finding:
    return Finding(
        code, level, path, message, why, before, after, environments=(environment,), was_at=was, now_at=now or was
    )
