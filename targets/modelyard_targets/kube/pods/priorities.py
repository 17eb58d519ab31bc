"""PriorityClasses of a placement, which decide whose Pods yield, and their names."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Final

from modelyard.manifest import labels, object_of
from modelyard.plan import ByType, Job, ModelServer, Plan, Resource
from modelyard.source import Path
from modelyard.spec import TargetSpec
from modelyard.stack import Value
from modelyard_targets.kube.placement.context import Context, Made

COMPONENT: Final = "priority"
NORMAL: Final = "normal"
PRIORITIES: Final = (NORMAL, "low", "lowest")
"""Highest first. Normal workloads name no class and have the cluster's default priority."""

_VALUES: Final[Mapping[str, int]] = {"low": -4, "lowest": -8}
"""Below the 0 of Pods without a class, so that nothing preempts Pods outside the system. Cluster Autoscaler adds no
nodes for Pods below -10 (`expendable-pods-priority-cutoff`, its FAQ, read 2026-11-26).
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
    """Return the next lower priority, whose workloads yield to this one; empty for the lowest."""
    return next((below for above, below in itertools.pairwise(PRIORITIES) if above == priority), "")


def _own_path(resource: Resource) -> Path:
    return (*resource.origin, "priority")


def _path_of_server(resource: Resource[ModelServer]) -> Path:
    return ("inference", resource.value.applications[0].inference.name, "priority")


priority_path: Final = ByType(_own_path).case(ModelServer, _path_of_server)
"""Return where the spec sets a workload's priority."""


def yielding(plan: Plan, placement: str) -> dict[str, Path]:
    """Return the priorities below normal in use on a placement, each with a line that sets it."""
    lines: dict[str, Path] = {}
    for resource in plan.on(placement):
        lines.setdefault(priority_of(resource), priority_path(resource))
    return {priority: lines[priority] for priority in PRIORITIES if priority in lines and priority != NORMAL}


def class_name(priority: str, target: TargetSpec, namespace: str) -> str:
    """Return the PriorityClass of a priority; empty if it has none.

    Classes are cluster-scoped, so the name contains the namespace, which is unique to a system and environment. The
    priority comes first, since the prefix `system-` is reserved.
    """
    if priority == NORMAL:
        return ""
    return dict(target.priority_classes).get(priority, f"{priority}.{namespace}")


def priority_class_of(resource: Resource, context: Context) -> str:
    """Return the PriorityClass of a workload's Pods; empty if it has none."""
    return class_name(priority_of(resource), context.target, context.namespace)


def priority_classes(context: Context) -> Iterator[Made]:
    """Yield the PriorityClasses that do not exist yet."""
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
        yield Made(path, object_of("scheduling.k8s.io/v1", "PriorityClass", meta, **fields))


def quotas(quota: Mapping[str, str], name: str, context: Context) -> Iterator[tuple[str, dict[str, Value]]]:
    """Yield the ResourceQuotas, with names, that limit a namespace to a quota.

    If workloads yield, each priority has its own quota. A quota also counts pending Pods, so that a single one would
    refuse the Pods that others should yield to.
    """
    hard: dict[str, Value] = dict(quota)
    below = [class_name(priority, context.target, context.namespace) for priority in yielding_here(context)]
    if not below:
        yield name, {"hard": hard}
        return
    yield f"{name}-{NORMAL}", {"hard": hard, **_scope("NotIn", below)}
    for priority, called in zip(yielding_here(context), below, strict=True):
        yield f"{name}-{priority}", {"hard": hard, **_scope("In", [called])}


def yielding_here(context: Context) -> tuple[str, ...]:
    """Return the priorities below normal in use on a placement."""
    return tuple(yielding(context.plan, context.placement))


def _scope(operator: str, names: list[str]) -> dict[str, Value]:
    expression: dict[str, Value] = {"scopeName": "PriorityClass", "operator": operator, "values": list(names)}
    return {"scopeSelector": {"matchExpressions": [expression]}}
