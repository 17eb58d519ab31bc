"""The cost of all targets in a system. Each kind of site is counted once per site."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from modelyard.costs import CostLine
from modelyard.fleets.fleet import Fleet
from modelyard.plan import Plan
from modelyard.records import replace
from modelyard.target import Targets
from modelyard.usage import Usage


def lines_of(
    plan: Plan, fleets: tuple[Fleet, ...], targets: Targets, usage: Usage
) -> Iterator[tuple[str, Iterable[CostLine]]]:
    """Yield each target's name and cost lines."""
    by_target = {fleet.group.name: fleet for fleet in fleets}
    for target in plan.system.deployment.targets:
        fleet = by_target.get(target.name)
        if fleet is None:
            yield target.name, targets[target.provider].lines(plan, target.name, usage)
        else:
            yield target.name, _of_sites(fleet, targets, usage)


def _of_sites(fleet: Fleet, targets: Targets, usage: Usage) -> Iterator[CostLine]:
    """Yield the cost lines of each kind of site, multiplied by the number of its sites."""
    for kind in fleet.kinds:
        assert kind.plan is not None
        count, name = len(kind.rows), fleet.group.name
        where = f"{count} sites" if count > 1 else "1 site"
        where = f"{where} like {kind.name}" if len(fleet.kinds) > 1 else where
        for line in targets[kind.plan.system.target(name).provider].lines(kind.plan, name, usage):
            yield replace(line, what=f"{line.what}, {where}", quantity=line.quantity.times(count))
