"""Lower a plan to a cluster's projects: programs, manifests, the runtime image and a README."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.plan import Plan
from modelyard.stack import Stack
from modelyard_targets.kube.placement.context import KubeObject
from modelyard_targets.kube.project.workloads_project import objects_of_placement, workloads_of
from modelyard_targets.kube.readme.readme import texts_of
from modelyard_targets.kubernetes.platform import context_of


def lower(plan: Plan, placement: str) -> Stack:
    """Return the stack of a placement on a cluster, which is empty if nothing runs there."""
    if not plan.has_cluster(placement):
        return Stack(plan.system.environment, placement, ())
    context = context_of(plan, placement)
    settings = {"context": context.target.context} if context.target.context else {}
    workloads = workloads_of(context, settings)
    return Stack(
        plan.system.environment, placement, workloads.projects, (*workloads.image, *texts_of(context, workloads))
    )


def objects(plan: Plan, placement: str) -> Iterator[KubeObject]:
    """Yield a placement's objects in the order they are applied, each with its spec line."""
    if plan.has_cluster(placement):
        yield from objects_of_placement(context_of(plan, placement))
