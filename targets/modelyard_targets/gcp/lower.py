"""Lower a plan to the Pulumi projects for one Google Cloud project: infrastructure first, then workloads."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.plan import Plan
from modelyard.program import Call
from modelyard.stack import Stack
from modelyard_targets.gcp.infrastructure import calls_of, infrastructure_of
from modelyard_targets.gcp.platform import context_of
from modelyard_targets.gcp.readme import stores_texts_of, texts_of
from modelyard_targets.kube.placement.context import Made
from modelyard_targets.kube.project.workloads_project import objects_of_placement, workloads_of


def lower(plan: Plan, placement: str) -> Stack:
    """Return a placement's stack on Google Cloud, which is empty if the target creates nothing."""
    if not plan.on(placement):
        return Stack(plan.system.environment, placement, ())
    context = context_of(plan, placement)
    infrastructure = infrastructure_of(context)
    if not plan.has_cluster(placement):
        texts = stores_texts_of(context, infrastructure)
        return Stack(plan.system.environment, placement, infrastructure, texts)
    workloads = workloads_of(context, {})
    texts = (*workloads.image, *texts_of(context, infrastructure, workloads))
    return Stack(plan.system.environment, placement, (*infrastructure, *workloads.projects), texts)


def objects(plan: Plan, placement: str) -> Iterator[Made]:
    """Yield every object in a placement's cluster in the order of application, with its line in the spec."""
    if plan.on(placement):
        yield from objects_of_placement(context_of(plan, placement))


def calls(plan: Plan, placement: str) -> Iterator[Call]:
    """Yield every component of a placement's infrastructure with its line in the spec."""
    if plan.on(placement):
        yield from calls_of(context_of(plan, placement))
