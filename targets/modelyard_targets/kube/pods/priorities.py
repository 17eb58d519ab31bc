"""A placement's PriorityClasses, which decide which Pods are preempted."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Final

from modelyard.manifest import labels, object_of
from modelyard.plan import ByType, Job, ModelServer, Plan, Resource
from modelyard.source import Path
from modelyard.spec import TargetSpec
from modelyard.stack import Value
from modelyard_targets.kube.placement.context import Context, KubeObject

COMPONENT: Final = "priority"
NORMAL: Final = "normal"
PRIORITIES: Final = (NORMAL, "low", "lowest")
"""Priorities, highest first. Normal workloads have no PriorityClass, so they have the cluster's default priority."""

_VALUES: Final[Mapping[str, int]] = {"low": -4, "lowest": -8}
"""The values of our PriorityClasses are below 0, the value of Pods without a PriorityClass. Pods outside the system are
therefore never preempted.

The values are not below -10, because Cluster Autoscaler would not add nodes for such Pods (its FAQ,
`expendable-pods-priority-cutoff`, read 2026-11-26).
"""
_TAKES: Final[Mapping[str, str]] = {"low": "PreemptLowerPriority", "lowest": "Never"}
_WHOM: Final[Mapping[str, str]] = {
    "low": "Yields to Pods without a class, and preempts lowest.",
    "lowest": "Yields to everything else, and preempts nothing.",
}


def _normal(resource: Resource) -> str:
    return NORMAL


def _of_server(resource: Resource[ModelServer]) -> str:
    return resource.value.applications[0].inference.priority


def _of_job(resource: Resource[Job]) -> str:
    return resource.value.pipeline.priority


priority_of: Final = ByType(_normal).case(ModelServer, _of_server).case(Job, _of_job)
"""Return the priority of a workload."""


def next_lower(priority: str) -> str:
    """Return the next lower priority, whose workloads yield to those of the given one, or ""."""
    return next((below for above, below in itertools.pairwise(PRIORITIES) if above == priority), "")


def _own_path(resource: Resource) -> Path:
    return (*resource.origin, "priority")


def _path_of_server(resource: Resource[ModelServer]) -> Path:
    return ("inference", resource.value.applications[0].inference.name, "priority")


priority_path: Final = ByType(_own_path).case(ModelServer, _path_of_server)
"""Return the path of a workload's priority in the spec."""


def yielding(plan: Plan, placement: str) -> dict[str, Path]:
    """Return the below-normal priorities used on a placement, with a path to where the spec sets each."""
    lines: dict[str, Path] = {}
    prioritized: tuple[Resource, ...] = (*plan.of(Job, placement), *plan.of(ModelServer, placement))  # in plan order
    for resource in prioritized:
        priority = priority_of(resource)
        if priority not in lines:
            lines[priority] = priority_path(resource)
    return {priority: lines[priority] for priority in PRIORITIES if priority in lines and priority != NORMAL}


def class_name(priority: str, target: TargetSpec, namespace: str) -> str:
    """Return the name of a priority's PriorityClass, or "" for normal priority.

    PriorityClasses are cluster-scoped, so the name contains the namespace, which is unique to a system and environment.
    The priority comes first because the prefix `system-` is reserved.
    """
    if priority == NORMAL:
        return ""
    return dict(target.priority_classes).get(priority, f"{priority}.{namespace}")


def priority_class_of(resource: Resource, context: Context) -> str:
    """Return the name of the PriorityClass for a workload's Pods, or "" for normal priority."""
    return class_name(priority_of(resource), context.target, context.namespace)


def priority_classes(context: Context) -> Iterator[KubeObject]:
    """Yield the PriorityClasses in use that do not exist yet."""
    for priority, path in yielding(context.plan, context.placement).items():
        if priority in dict(context.target.priority_classes):
            continue
        name = class_name(priority, context.target, context.namespace)
        meta: dict[str, Value] = {
            "name": name,
            "labels": labels(context.system.metadata.name, context.namespace, component=COMPONENT),
        }
        fields: dict[str, Value] = {
            "value": _VALUES[priority],
            "preemptionPolicy": _TAKES[priority],
            "description": _WHOM[priority],
        }
        yield KubeObject(path, object_of("scheduling.k8s.io/v1", "PriorityClass", meta, **fields))


def quotas(quota: Mapping[str, str], name: str, context: Context) -> Iterator[tuple[str, dict[str, Value]]]:
    """Yield the ResourceQuotas for a namespace, along with their names.

    If there are several priorities, each has its own quota. A shared quota would also count lower-priority Pods, and
    therefore reject the Pods that should preempt them.
    """
    hard: dict[str, Value] = dict(quota)
    priorities = yielding_here(context)
    below = [class_name(priority, context.target, context.namespace) for priority in priorities]
    if not below:
        yield name, {"hard": hard}
        return
    yield f"{name}-{NORMAL}", {"hard": hard, **_scope("NotIn", below)}
    for priority, called in zip(priorities, below, strict=True):
        yield f"{name}-{priority}", {"hard": hard, **_scope("In", [called])}


def yielding_here(context: Context) -> tuple[str, ...]:
    """Return the below-normal priorities that a placement uses."""
    return tuple(yielding(context.plan, context.placement))


def _scope(operator: str, names: list[str]) -> dict[str, Value]:
    expression: dict[str, Value] = {"scopeName": "PriorityClass", "operator": operator, "values": list(names)}
    return {"scopeSelector": {"matchExpressions": [expression]}}
