"""Checks for an existing cluster: the add-ons and PriorityClasses that a tenant needs, and the declared machines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.diagnostics import platform as problems
from modelyard.diagnostics.base import Diagnostic
from modelyard.plan import Plan
from modelyard.spec import target_path
from modelyard_targets.kube.checks.check import Rule
from modelyard_targets.kube.checks.reach import check_clients
from modelyard_targets.kube.existing.budget import check_prices
from modelyard_targets.kube.existing.capacity import check_capacity
from modelyard_targets.kube.placement.placed import addons_to_install, target_of
from modelyard_targets.kube.pods.priorities import yielding

_WHY: Final = {
    "kuberay": "runs all Ray clusters",
    "prometheus": "evaluates the alerts",
    "external-secrets": "provides the secrets",
    "cloudnative-pg": "runs the database",
}


def check_tenancy(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report cluster-wide add-ons missing from a shared cluster, because a tenant must not install them."""
    target = target_of(plan, placement)
    if target.tenancy != "shared":
        return
    where = plan.system.key(*target_path(plan.system, placement), "tenancy")
    for addon in addons_to_install(plan, placement):
        yield problems.shared_without_addon(where, placement, addon, _WHY[addon])


def check_priorities(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report PriorityClasses that don't make workloads yield, or that a shared cluster's spec doesn't declare."""
    target = target_of(plan, placement)
    classes = dict(target.priority_classes)
    for priority, name in classes.items():
        span = plan.system.at(*target_path(plan.system, placement), "priorityClasses", priority)
        if name.startswith("system-"):
            yield problems.priority_class_does_not_yield(
                span, priority, name, "it has a higher priority than all other classes"
            )
        elif priority == "lowest" and name == classes.get("low"):
            yield problems.priority_class_does_not_yield(span, priority, name, "`low` already uses it")
    if target.tenancy != "shared":
        return
    for priority, path in yielding(plan, placement).items():
        if priority not in classes:
            yield problems.shared_without_priority_class(plan.system.at(*path), placement, priority)


CHECKS: Final[tuple[Rule, ...]] = (
    check_tenancy,
    check_priorities,
    check_clients,
    check_capacity,
    check_prices,
)
