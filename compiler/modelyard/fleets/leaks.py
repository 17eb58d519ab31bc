"""Report site values that reach another target, which all sites share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics import sites as tell
from modelyard.diagnostics.base import quote
from modelyard.fleets.comparing import program_difference
from modelyard.fleets.fleet import Fleet
from modelyard.fleets.mapping import plain, texts_in
from modelyard.plan import Plan
from modelyard.sites.binding import Bound, filled, has_markers
from modelyard.source import Path
from modelyard.stack import Stack
from modelyard.target import Targets


def leaks(plan: Plan, bound: Bound, fleets: tuple[Fleet, ...], targets: Targets) -> Iterator[Diagnostic]:
    """Report other targets' objects and programs that contain site values or differ by kind of site."""
    yield from _objects(plan, fleets, targets)
    for fleet in fleets:
        for other in _connected(plan, fleet, fleets):
            stack = _lowered(plan, other, targets)
            yield from _values(stack, fleet, bound)
            yield from _kinds(stack, fleet, bound, targets)


def _objects(plan: Plan, fleets: tuple[Fleet, ...], targets: Targets) -> Iterator[Diagnostic]:
    """Report objects that contain site values, e.g. a monitor that watches a separate folder for each site."""
    grouped = {fleet.group.name for fleet in fleets}
    reported: set[Path] = set()
    for target in plan.system.deployment.targets:
        for item in targets[target.provider].objects(plan, target.name) if target.name not in grouped else ():
            marked_text = next((text for text in texts_in(item.manifest) if has_markers(text)), None)
            if marked_text is not None and item.origin[:2] not in reported:
                reported.add(item.origin[:2])
                who = ".".join(map(str, item.origin[:2]))
                yield tell.no_single_site(
                    plan.system.key(*item.origin[:2]), who, "a value of a site", fleets[0].group.name
                )


def _connected(plan: Plan, fleet: Fleet, fleets: tuple[Fleet, ...]) -> tuple[str, ...]:
    """Return the targets without sites to which a group is connected."""
    grouped = {each.group.name for each in fleets}
    ends = (end for link in plan.crossings(fleet.group.name) for end in link.ends)
    return tuple(dict.fromkeys(end for end in ends if end not in grouped))


def _lowered(plan: Plan, target: str, targets: Targets) -> Stack:
    return targets[plan.system.target(target).provider].lower(plan, target)


def _values(stack: Stack, fleet: Fleet, bound: Bound) -> Iterator[Diagnostic]:
    """Report each group column whose marker is in another target's program, e.g. that of a trusted issuer.

    No single site's value can be filled in there.
    """
    reported: dict[str, str] = {}
    for call in (call for project in stack.projects for call in project.program.calls):
        for text in texts_in(plain(call)):
            if has_markers(text):
                for column in _columns(text, fleet):
                    reported.setdefault(column, f"{call.component} {quote(call.name)}")
    for column, what in reported.items():
        uses = bound.used.get((fleet.group.name, column), [])
        span = uses[0] if len(uses) == 1 else bound.places[fleet.group.name]
        yield tell.site_value_in_program(span, column, fleet.group.name, stack.target, what)


def _columns(text: str, fleet: Fleet) -> Mapping[str, None]:
    """Return the columns of a group whose markers are in a string."""
    present: dict[str, None] = {}

    def note(_: str, columns: tuple[str, ...]) -> str:
        present.update(dict.fromkeys(columns))
        return ""

    filled(text, {fleet.number: fleet.binding.marked}, note)
    return present


def _kinds(stack: Stack, fleet: Fleet, bound: Bound, targets: Targets) -> Iterator[Diagnostic]:
    """Report the first kind of site that would need a different program on the other target."""
    first, *others = fleet.kinds
    for kind in others:
        assert kind.plan is not None
        if what := program_difference(stack, _lowered(kind.plan, stack.target, targets)):
            names = fleet.group.names[first.rows[0]], fleet.group.names[kind.rows[0]]
            what = f"{what} on target {quote(stack.target)}"
            yield tell.different_programs(bound.places[fleet.group.name], fleet.group.name, *names, what)
            return
