"""Lower a plan to the projects of one cloud target: infrastructure first, then workloads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from modelyard.plan import Plan
from modelyard.program import Call
from modelyard.records import record
from modelyard.stack import Project, Stack, TextFile
from modelyard_targets.kube.placement.context import Context, KubeObject
from modelyard_targets.kube.project.workloads_project import Workloads, objects_of_placement, workloads_of


@record
class Cloud:
    """What a cloud adds to the workloads on a placement.

    `infrastructure` returns the projects the workloads need, and `components` every component in them. `texts` returns
    the README for a target with a cluster, and `stores_texts` the README for one without.
    """

    context: Callable[[Plan, str], Context]
    infrastructure: Callable[[Context], tuple[Project, ...]]
    components: Callable[[Context], Iterator[Call]]
    texts: Callable[[Context, Sequence[Project], Workloads], tuple[TextFile, ...]]
    stores_texts: Callable[[Context, Sequence[Project]], tuple[TextFile, ...]]

    def lower(self, plan: Plan, placement: str) -> Stack:
        """Return a placement's stack, which is empty if the target creates nothing."""
        if not plan.on(placement):
            return Stack(plan.system.environment, placement, ())
        context = self.context(plan, placement)
        infrastructure = self.infrastructure(context)
        if not plan.has_cluster(placement):
            texts = self.stores_texts(context, infrastructure)
            return Stack(plan.system.environment, placement, infrastructure, texts)
        workloads = workloads_of(context, {})
        texts = (*workloads.image, *self.texts(context, infrastructure, workloads))
        return Stack(plan.system.environment, placement, (*infrastructure, *workloads.projects), texts)

    def objects(self, plan: Plan, placement: str) -> Iterator[KubeObject]:
        """Yield every object in a placement's cluster in the order in which they are applied, with its spec line."""
        if plan.on(placement):
            yield from objects_of_placement(self.context(plan, placement))

    def calls(self, plan: Plan, placement: str) -> Iterator[Call]:
        """Yield every component of a placement's infrastructure with its line in the spec."""
        if plan.on(placement):
            yield from self.components(self.context(plan, placement))
