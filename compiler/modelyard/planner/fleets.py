"""Report connections from other targets to resources that exist once per site."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.diagnostics.base import Diagnostic, quote
from modelyard.diagnostics.sites import alerts_elsewhere, no_single_site, waves_without_promoter
from modelyard.plan import AlertRules, Cluster, Kind, Plan, bundled_on
from modelyard.planner.draft import Draft
from modelyard.spec import TargetSpec, target_path

_WHAT = {Kind.OBJECT_STORE: "store", Kind.DATABASE: "database"}


def check_fleets(plan: Plan) -> Iterator[Diagnostic]:
    """Report impossible waves, and connections to targets that represent many sites (once each)."""
    for target in plan.system.deployment.targets:
        if target.waves is not None:
            yield from _waves(plan, target)
        yield from _alerts(plan, target)
    grouped = {target.name for target in plan.system.deployment.targets if target.sites is not None}
    placed = {resource.place: resource for resource in plan.resources} if grouped else {}
    reported: set[tuple[str, str]] = set()
    for link in plan.crossings() if grouped else ():
        reader, sink = placed[link.source], placed[link.sink]
        who = reader.workload or reader.address
        if sink.placement not in grouped or (who, link.sink) in reported:
            continue
        reported.add((who, link.sink))
        what = "the registry" if sink.kind is Kind.REGISTRY else f"{_WHAT.get(sink.kind, sink.kind)} '{sink.name}'"
        yield no_single_site(plan.system.key(*reader.origin[:2]), who, what, sink.placement)


def plan_site_alerts(draft: Draft) -> None:
    """Plan the alert rules of sites for the target that evaluates their alerts."""
    for target in draft.targets.values():
        where = target.telemetry.alerts_on
        if where in draft.targets and not _unable(target, draft.targets[where]):
            origin = (*target_path(draft.system, target.name), "telemetry", "alertsOn")
            workload = f"sites.{target.name}"
            draft.add(Kind.ALERT_RULES, workload, where, origin, AlertRules(sites=target.name), workload)


def _alerts(plan: Plan, target: TargetSpec) -> Iterator[Diagnostic]:
    where = target.telemetry.alerts_on
    problem = _unable(target, plan.system.target(where)) if where else ""
    if problem:
        span = plan.system.at(*target_path(plan.system, target.name), "telemetry", "alertsOn")
        yield alerts_elsewhere(span, target.name, where, problem)


def _unable(target: TargetSpec, where: TargetSpec) -> str:
    """Return why one target cannot evaluate another target's alerts, or "" if it can."""
    if target.sites is None:
        return "only the alerts of a target with `sites` can be evaluated elsewhere"
    return f"target {quote(where.name)} has `sites` itself" if where.sites is not None else ""


def _waves(plan: Plan, target: TargetSpec) -> Iterator[Diagnostic]:
    """Report what a target lacks for waves: a registry elsewhere, a Prometheus there, or metrics sent to it."""
    system = plan.system
    span = system.key(*target_path(system, target.name), "sites", "waves")
    home = system.deployment.placement.registry
    if not bundled_on(system, target.name):
        what = "this system does not run a registry on another target"
        yield waves_without_promoter(span, target.name, what, "let `registry` run on another target, without `adopt`")
    elif not any("prometheus" in cluster.value.addons for cluster in plan.of(Cluster, home)):
        what = f"target {quote(home)} has no Prometheus in which the promoter could see the sites' alerts"
        hint = f"set `governance.owner.oncall` to a channel, which gives {quote(home)} a Prometheus"
        yield waves_without_promoter(span, target.name, what, hint)
    elif not target.telemetry.remote_write:
        hint = f"set `telemetry.remoteWrite` to the Prometheus of {quote(home)}"
        yield waves_without_promoter(span, target.name, "its sites send no metrics", hint)
