"""Check that all sites in a group have the same alerts if another target evaluates them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.sites import different_programs
from modelyard.fleets.fleet import Fleet
from modelyard.plan import Plan
from modelyard.spec import target_path
from modelyard.stack import Manifest
from modelyard.target import Targets


def central_alerts(plan: Plan, fleets: Iterable[Fleet], targets: Targets) -> Iterator[Diagnostic]:
    """Report groups whose kinds of sites differ in their alerts, since all sites share one set of rules."""
    for fleet in fleets:
        target = plan.system.target(fleet.group.name)
        where = target.telemetry.alerts_on
        first, *others = fleet.kinds
        expected = _rules(first.plan, where, target.name, targets) if where and others else ()
        for kind in others if where else ():
            if _rules(kind.plan, where, target.name, targets) != expected:
                names = fleet.group.names[first.rows[0]], fleet.group.names[kind.rows[0]]
                span = plan.system.at(*fleet.group.path, "telemetry", "alertsOn")
                yield different_programs(span, target.name, *names, f"an alert that target '{where}' evaluates")
                break


def _rules(plan: Plan | None, where: str, sites: str, targets: Targets) -> tuple[Manifest, ...]:
    """Return the alerting rules on target `where` that evaluate the sites' alerts."""
    if plan is None:
        return ()
    objects = targets[plan.system.target(where).provider].objects(plan, where)
    origin = (*target_path(plan.system, sites), "telemetry", "alertsOn")
    return tuple(item.manifest for item in objects if item.origin == origin)
