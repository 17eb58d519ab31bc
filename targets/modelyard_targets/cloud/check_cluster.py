"""Checks for a cluster that modelyard creates on a cloud: version, add-ons, storage class, clients and budget."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Final, TypeAlias

from modelyard.diagnostics import reach as problems
from modelyard.diagnostics.base import Diagnostic
from modelyard.diagnostics.platform import nothing_uses
from modelyard.plan import Plan
from modelyard.source import Span
from modelyard.spec import target_path
from modelyard_targets.kube.checks.reach import check_clients
from modelyard_targets.kube.network.envoy import CLASS
from modelyard_targets.kube.placement.placed import target_of

_OF_A_CLUSTER: Final = (
    "cluster",
    "capacity",
    "tenancy",
    "priorityClasses",
    "version",
    "network",
    "access",
    "vpc",
    "namespace",
    "present",
    "images",
    "egress",
    "secretStores",
)
"""Target fields that have no effect without a cluster, in addition to those that apply to every provider."""

Versions: TypeAlias = Callable[[], Collection[str]]
"""Returns the minor versions of Kubernetes that a cloud offers."""


def check_without_cluster(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report cluster, network and workload settings on a target that doesn't run anything."""
    if plan.has_cluster(placement):
        return
    here = target_path(plan.system, placement)
    written = plan.system.written(*here)
    for field in _OF_A_CLUSTER:
        if field in written:
            where = plan.system.key(*here, field)
            yield nothing_uses(where, placement, field, "no workload runs there, so no cluster is created")


def check_version(
    plan: Plan, placement: str, versions: Versions, report: Callable[[Span, str, Collection[str]], Diagnostic]
) -> Iterator[Diagnostic]:
    """Allow only Kubernetes versions that the cloud offers."""
    target = target_of(plan, placement)
    version = "" if target.cluster.adopt else target.version
    if version and version not in versions():
        where = plan.system.at(*target_path(plan.system, placement), "version")
        yield report(where, version, versions())


def check_created_cluster(plan: Plan, placement: str, storage_class: str) -> Iterator[Diagnostic]:
    """Report `present` add-ons and unknown storage classes. A new cluster has no add-ons and one storage class."""
    target, here = target_of(plan, placement), target_path(plan.system, placement)
    if not plan.has_cluster(placement) or target.cluster.adopt:
        return
    if target.present:
        addons = ", ".join(target.present)
        yield problems.present_on_made_cluster(plan.system.key(*here, "present"), placement, addons)
    if target.storage_class not in {"", storage_class}:
        where = plan.system.at(*here, "storageClass")
        yield problems.storage_class_missing(where, placement, target.storage_class, storage_class)


def check_envoy_clients(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Check that endpoints' `clients` match the namespace where our own gateway controller runs its proxies."""
    if not target_of(plan, placement).cluster.adopt:  # an existing cluster may have any controller
        yield from check_clients(plan, placement, CLASS)


def check_label_keys(
    plan: Plan,
    placement: str,
    key_of: Callable[[str], str],
    report: Callable[[Span, str, str, str], Diagnostic],
) -> Iterator[Diagnostic]:
    """Report labels whose keys would collide on the cloud once `key_of` has replaced some characters."""
    known: dict[str, str] = {}
    for label, _ in plan.system.metadata.labels:
        other = known.setdefault(key_of(label), label)
        if other != label:
            yield report(plan.system.key("metadata", "labels", label), label, other, key_of(label))


def check_currency(plan: Plan, placement: str, report: Callable[[Span, str], Diagnostic]) -> Iterator[Diagnostic]:
    """Require a budget in US dollars, the currency of the price tables."""
    budget = plan.system.governance.budget
    if budget is not None and budget.currency != "USD":
        yield report(plan.system.at("governance", "budget", "monthly"), budget.currency)
