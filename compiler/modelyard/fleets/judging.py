"""Check a site group as a whole, for each kind of site, and for the sites with the longest values.

The plan with markers is valid for all sites if filling in a site's values gives the same output as compiling that site
alone. A value for which this fails is more than text, so it divides the sites into kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Final, TypeAlias

from modelyard.budget import check_budget
from modelyard.diagnostics import Diagnostic, has_errors
from modelyard.diagnostics import sites as tell
from modelyard.fleets.central import central_alerts
from modelyard.fleets.comparing import first_difference, program_difference
from modelyard.fleets.costs import lines_of
from modelyard.fleets.fleet import Fleet, Kind
from modelyard.fleets.leaks import leaks
from modelyard.fleets.merging import Run, merged
from modelyard.plan import Plan
from modelyard.records import replace
from modelyard.sites.binding import EXCEPTION, Bound, Choice, Marked, filled, placeholder
from modelyard.sites.groups import NAME, Group, Scalar
from modelyard.source import Span
from modelyard.stack import Stack as Lowered
from modelyard.stages import Outcome, Stage
from modelyard.target import Targets
from modelyard.usage import NO_USAGE

MOST_KINDS: Final = 32
"""The maximum number of kinds of sites in a group. Each kind costs a compile, and a set of manifests in the output."""

Again: TypeAlias = Callable[[Mapping[str, Choice]], Outcome]
"""Runs all stages with the given choice of site values for each group."""


def judged(first: Outcome, again: Again, targets: Targets) -> Outcome:
    """Return the outcome for all sites of all groups. `first` is the outcome with markers for all values."""
    if first.reached < Stage.VALIDATE:
        return first
    outcome, fixed = _demoted(first, again, targets)
    if has_errors(refused := tuple(_too_many(outcome))):
        return _with_references(outcome.after(Stage.SUBSTITUTE, refused))
    runs = list(_runs(outcome, again, fixed))
    outcome = _with_references(merged(outcome, runs))
    if outcome.failed:
        return outcome
    fleets = tuple(_fleet(group, outcome, runs) for group in _bound(outcome).groups)
    outcome = replace(outcome, fleets=fleets)
    assert outcome.plan is not None
    problems = (
        *_programs(fleets, targets, outcome),
        *central_alerts(outcome.plan, fleets, targets),
        *leaks(outcome.plan, _bound(outcome), fleets, targets),
        *_costs(outcome.plan, fleets, targets),
    )
    return outcome.after(Stage.FIT, problems)


def _bound(outcome: Outcome) -> Bound:
    assert outcome.bound is not None
    return outcome.bound


def _marked(outcome: Outcome) -> dict[int, Marked]:
    return {binding.marked.group: binding.marked for binding in _bound(outcome).bindings.values()}


_Fixed: TypeAlias = "dict[str, frozenset[str]]"


def _demoted(first: Outcome, again: Again, targets: Targets) -> tuple[Outcome, _Fixed]:
    """Remove the markers of values that are more than text. Returns the outcome with the remaining markers.

    If the spec has errors that markers don't cause, the outcome is that of each group's first site.
    """
    groups = _bound(first).groups
    fixed: _Fixed = {group.name: frozenset() for group in groups}
    outcome = first
    real: Outcome | None = None
    while True:
        if outcome.failed:
            real = real or again({group.name: Choice(None, 0) for group in groups})
            if real.failed:
                return real, fixed
            wrong = _culprits(outcome, real, fixed)
        else:
            wrong = _mistaken(outcome, again, targets, fixed)
        if not wrong:
            return outcome, fixed
        fixed = {target: columns | wrong.get(target, frozenset()) for target, columns in fixed.items()}
        outcome = again({target: Choice(columns, 0) for target, columns in fixed.items()})


def _culprits(outcome: Outcome, real: Outcome, fixed: _Fixed) -> _Fixed:
    """Return the columns used where only markers cause errors, or all marked columns without such errors."""
    known = {(diagnostic.code, diagnostic.span) for diagnostic in real.diagnostics}
    places = [diagnostic.span for diagnostic in outcome.diagnostics if (diagnostic.code, diagnostic.span) not in known]
    culprits: dict[str, set[str]] = {}
    for (target, column), spans in _bound(outcome).used.items():
        if column not in fixed[target] and any(_covers(place, span) for place in places for span in spans):
            culprits.setdefault(target, set()).add(column)
    left = culprits or _left(outcome)
    return {target: frozenset(columns) for target, columns in left.items() if columns}


def _left(outcome: Outcome) -> dict[str, set[str]]:
    left = {target: set(binding.marked.columns) for target, binding in _bound(outcome).bindings.items()}
    without_name = {target: columns - {NAME} for target, columns in left.items()}
    return without_name if any(without_name.values()) else left


def _covers(place: Span | None, span: Span) -> bool:
    return (
        place is not None
        and (place.file, place.line) == (span.file, span.line)
        and place.column <= span.column
        and span.end_column <= place.end_column
    )


def _mistaken(outcome: Outcome, again: Again, targets: Targets, fixed: _Fixed) -> _Fixed:
    """Return the columns whose markers change the output, compared with compiling a single site."""
    groups = _bound(outcome).groups
    first = again({group.name: Choice(None, 0) for group in groups})
    if first.failed:
        return {}
    for group in groups:
        lowered = _lowered(outcome, group, targets)
        alone = _lowered(first, group, targets)
        marked = _marked(outcome)
        values = {column: str(group.value(0, column)) for column in marked[_bound(outcome).numbers[group.name]].columns}
        if first_difference(lowered, alone, marked, values):
            for column in values:
                single = {**fixed, group.name: fixed[group.name] | (set(values) - {column})}
                other = again({target: Choice(columns, 0) for target, columns in single.items()})
                if other.failed or first_difference(_lowered(other, group, targets), alone, _marked(other), values):
                    return {group.name: frozenset({column})}
            return {group.name: frozenset(values)}
    return {}


def _lowered(outcome: Outcome, group: Group, targets: Targets) -> Lowered:
    assert outcome.plan is not None
    provider = outcome.plan.system.target(group.name).provider
    return targets[provider].lower(outcome.plan, group.name)


def _kind_columns(outcome: Outcome, group: Group) -> tuple[str, ...]:
    """Return the columns that divide the sites of a group into kinds."""
    binding = _bound(outcome).bindings[group.name]
    return tuple(column for column in binding.values if column not in binding.marked.columns)


def _rows_by_kind(group: Group, columns: tuple[str, ...]) -> dict[tuple[Scalar, ...], list[int]]:
    rows: dict[tuple[Scalar, ...], list[int]] = {}
    for at in range(len(group.names)):
        rows.setdefault(tuple(group.value(at, column) for column in columns), []).append(at)
    return rows


def _too_many(outcome: Outcome) -> Iterator[Diagnostic]:
    """Report groups with too many kinds of sites, unless the spec already has other errors."""
    if outcome.failed:
        return
    for group in _bound(outcome).groups:
        columns = _kind_columns(outcome, group)
        count = len(_rows_by_kind(group, columns))
        if count <= MOST_KINDS:
            continue
        most = max(columns, key=lambda column: len(set(group.columns[column])))
        listed = [column for column in columns if not column.startswith(EXCEPTION)]
        spans = _bound(outcome).used.get((group.name, most))
        span = spans[0] if spans else _bound(outcome).places[group.name]
        yield tell.too_many_kinds(span, group.name, listed, count, MOST_KINDS)


def _runs(outcome: Outcome, again: Again, fixed: _Fixed) -> Iterator[Run]:
    """Yield an outcome for each kind of site, and for the sites with the shortest and the longest values."""
    groups = _bound(outcome).groups
    for group in groups:
        fixed_columns = None if outcome.failed else fixed[group.name]
        columns = _kind_columns(outcome, group)
        if outcome.failed:
            markable = _bound(outcome).markable[group.name]
            columns = tuple(column for column in columns if column not in markable)
        kinds = list(_rows_by_kind(group, columns).values())[:MOST_KINDS]
        choices = {other.name: Choice(None if fixed_columns is None else fixed[other.name], 0) for other in groups}
        for rows in kinds:
            compiled = outcome if rows[0] == 0 else again({**choices, group.name: Choice(fixed_columns, rows[0])})
            with_markers = {**choices, group.name: Choice(frozenset(), rows[0])}
            marked = partial(again, with_markers) if outcome.failed and len(kinds) > 1 else None
            yield Run(group, tuple(rows), compiled, True, marked)
        for at in () if outcome.failed else _extremes(outcome, group):
            yield Run(group, (at,), again({**choices, group.name: Choice(None, at)}), False)


def _extremes(outcome: Outcome, group: Group) -> list[int]:
    """Return the positions of the sites with the shortest and longest values in each marked column."""
    marked = _bound(outcome).bindings[group.name].marked
    positions: dict[int, None] = {}
    for column in marked.columns:
        lengths = [len(str(value)) for value in group.columns[column]]
        positions[lengths.index(max(lengths))] = None
        positions[lengths.index(min(lengths))] = None
    return list(positions)


def with_references(outcome: Outcome, text: str) -> str:
    """Replace the markers in human-readable text with the references that they represent."""
    return text if outcome.bound is None else filled(text, _marked(outcome), placeholder)


def sites_lines(outcome: Outcome, target: str) -> list[str]:
    """Describe a target's sites and their kinds. The result is empty if the target has no sites."""
    fleet = next((candidate for candidate in outcome.fleets if candidate.group.name == target), None)
    if fleet is None:
        return []
    names = fleet.group.names
    lines = ["", f"sites: {len(names)}, as described here for {names[fleet.kinds[0].rows[0]]}"]
    if len(fleet.kinds) == 1:
        return lines
    width = max(len(kind.name) for kind in fleet.kinds)
    return [
        *lines,
        *(f"  {kind.name:<{width}}  {len(kind.rows)}, such as {names[kind.rows[0]]}" for kind in fleet.kinds),
    ]


def _with_references(outcome: Outcome) -> Outcome:
    """Replace the markers in messages."""
    pairs = [
        (
            diagnostic,
            replace(
                diagnostic,
                message=with_references(outcome, diagnostic.message),
                hint=with_references(outcome, diagnostic.hint),
            ),
        )
        for diagnostic in outcome.diagnostics
    ]
    stages = {new: outcome.stages[old] for old, new in pairs}
    return replace(outcome, diagnostics=tuple(new for _, new in pairs), stages=stages)


def _fleet(group: Group, outcome: Outcome, runs: Iterable[Run]) -> Fleet:
    columns = _kind_columns(outcome, group)
    kinds: list[Kind] = []
    names: set[str] = set()
    for run in runs:
        if run.group is group and run.kind:
            values = {column: group.value(run.rows[0], column) for column in columns}
            name = _kind_name(values, names)
            kinds.append(Kind(name, values, run.rows, run.outcome.plan))
    return Fleet(group, _bound(outcome).numbers[group.name], _bound(outcome).bindings[group.name], tuple(kinds))


def _kind_name(values: Mapping[str, Scalar], taken: set[str]) -> str:
    """Name a kind of site after its values, such as `boxes-2`."""
    parts: list[str] = []
    for column, value in values.items():
        if column.startswith(EXCEPTION):
            parts += [column.removeprefix(EXCEPTION)] if value is True else []
        else:
            parts += [column, str(value).lower() if isinstance(value, bool) else str(value)]
    plain = "".join(
        character if character.isascii() and character.isalnum() else "-" for character in "-".join(parts).lower()
    )
    name = "-".join(piece for piece in plain.split("-") if piece) or "usual"
    if len(name) > 40 or name in taken:
        name = f"{name[:32].rstrip('-')}-{len(taken) + 1}"
    taken.add(name)
    return name


def _programs(fleets: Iterable[Fleet], targets: Targets, outcome: Outcome) -> Iterator[Diagnostic]:
    """Report kinds of sites that would need different Pulumi programs."""
    for fleet in fleets:
        first, *others = fleet.kinds
        assert first.plan is not None
        lower = targets[first.plan.system.target(fleet.group.name).provider].lower
        lowered = lower(first.plan, fleet.group.name)
        for kind in others:
            assert kind.plan is not None
            what = program_difference(lowered, lower(kind.plan, fleet.group.name))
            if what:
                names = fleet.group.names[first.rows[0]], fleet.group.names[kind.rows[0]]
                span = _bound(outcome).places[fleet.group.name]
                yield tell.different_programs(span, fleet.group.name, *names, what)
                break


def _costs(plan: Plan, fleets: tuple[Fleet, ...], targets: Targets) -> Iterator[Diagnostic]:
    """Compare the cost of all sites, and of all other targets, with the budget."""
    if plan.system.governance.budget is not None:
        lines = (line for _, of_target in lines_of(plan, fleets, targets, NO_USAGE) for line in of_target)
        yield from check_budget(plan, lines)
