"""Every workload of a plan as the objects of a cluster, and what a cluster cannot honour of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from modelyard.diagnostics.base import Diagnostic
from modelyard.diagnostics.target import registry_elsewhere
from modelyard.plan import Kind, Plan, Resource
from modelyard_targets.cluster.context import Context, Made
from modelyard_targets.cluster.identity import lower_identity
from modelyard_targets.cluster.job import lower_job
from modelyard_targets.cluster.model_server import lower_server
from modelyard_targets.cluster.monitor import check_monitors, lower_monitor
from modelyard_targets.cluster.network import lower_network
from modelyard_targets.cluster.reserved import check_names
from modelyard_targets.cluster.route import check_routes, lower_route

Lower: TypeAlias = Callable[[Resource, Context], Iterator[Made]]

WORKLOADS: Mapping[Kind, tuple[Lower, ...]] = {
    Kind.IDENTITY: (lower_identity,),
    Kind.MODEL_SERVER: (lower_network, lower_server),
    Kind.ROUTE: (lower_route,),
    Kind.TRAINING_JOB: (lower_network, lower_job),
    Kind.BATCH_JOB: (lower_network, lower_job),
    Kind.CUSTOM_JOB: (lower_network, lower_job),
    Kind.MONITOR: (lower_network, lower_monitor),
}
"""By kind, what makes its objects, in the order in which they are applied: openings before what needs them."""


def lower_workload(resource: Resource, context: Context) -> Iterator[Made]:
    """The objects of one resource of a kind that WORKLOADS names."""
    for lower in WORKLOADS[resource.kind]:
        yield from lower(resource, context)


def check_workloads(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """What no cluster can honour of the workloads of a placement."""
    yield from check_names(plan, placement)
    yield from check_routes(plan, placement)
    yield from check_monitors(plan, placement)
    yield from _check_registry(plan, placement)


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
