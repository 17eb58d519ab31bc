"""What no cluster can honour of the workloads of a plan; none of what makes their objects is needed to say so."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.diagnostics.base import Diagnostic
from modelyard.diagnostics.target import registry_elsewhere, run_elsewhere, run_of_once
from modelyard.plan import MonitorJob, Plan
from modelyard.spec import TargetSpec
from modelyard_targets.cluster.reserved import check_names
from modelyard_targets.cluster.route import check_routes


def check_workloads(plan: Plan, placement: str, target: TargetSpec) -> Iterator[Diagnostic]:
    """What no cluster can honour of the workloads of a placement; `target` is it with what its platform fills in."""
    yield from check_names(plan, placement)
    yield from check_routes(plan, placement, target.gateway)
    yield from check_monitors(plan, placement)
    yield from _check_registry(plan, placement)


def check_monitors(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Pipelines that a breach cannot start: on another cluster, or with nothing to start them from."""
    for resource in plan.on(placement):
        if not isinstance(resource.value, MonitorJob) or not resource.value.monitor.on_breach.run:
            continue
        monitor = resource.value.monitor
        pipeline = plan.system.pipelines[monitor.on_breach.run]
        where = plan.system.at("monitors", monitor.name, "onBreach", "run")
        if pipeline.target != placement:
            yield run_elsewhere(where, pipeline.name, placement, pipeline.target)
        elif pipeline.schedule.kind == "once":
            yield run_of_once(where, pipeline.name)


def _check_registry(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Workloads whose registry runs inside of another cluster; each is told once."""
    registry = plan.system.registry
    if registry is None or registry.adopt or plan.system.deployment.placement.registry == placement:
        return
    links = {link.source for link in plan.links if link.what == "registry"}
    told: set[str] = set()
    for resource in plan.on(placement):
        if resource.place in links and resource.workload not in told:
            told.add(resource.workload)
            where = plan.system.key(*resource.origin)
            yield registry_elsewhere(where, resource.workload, placement, plan.system.deployment.placement.registry)
