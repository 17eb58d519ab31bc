"""The README's table of workloads below normal priority."""

from __future__ import annotations

from modelyard.records import record
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.pods.priorities import NORMAL, priority_class_of, priority_of


@record
class YieldRow:
    """A workload below normal priority, with the PriorityClass of its Pods."""

    workload: str
    priority: str
    class_name: str


def yields_readme(context: Context) -> dict[str, object]:
    """Return template values for workloads below normal priority and the PriorityClasses that must already exist."""
    rows = [
        YieldRow(resource.workload, priority_of(resource), priority_class_of(resource, context))
        for resource in context.plan.on(context.placement)
        if priority_of(resource) != NORMAL
    ]
    existing = {name for _, name in context.target.priority_classes}
    return {"yields": rows, "theirs": sorted({row.class_name for row in rows} & existing)}
