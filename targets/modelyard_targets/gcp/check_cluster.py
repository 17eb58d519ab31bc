"""Checks for a cluster created on Google Cloud: version, labels, add-ons and storage classes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.diagnostics import platform as shared
from modelyard.diagnostics import reach as reach_problems
from modelyard.diagnostics.base import Diagnostic
from modelyard.plan import Plan
from modelyard.spec import target_path
from modelyard_targets.gcp.diagnostics import cluster as problems
from modelyard_targets.gcp.names import label_key
from modelyard_targets.gcp.versions import kubernetes_versions
from modelyard_targets.kube.checks.reach import check_clients
from modelyard_targets.kube.network.envoy import CLASS
from modelyard_targets.kube.placement.placed import target_of

STORAGE_CLASS: Final = "balanced"
"""The storage class that modelyard creates, because GKE's own classes are not encrypted with the target's key."""

_OF_A_CLUSTER: Final = (
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
"""Target fields that have no effect without a cluster, in addition to those of any provider."""


def check_without_cluster(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report cluster, network and workload settings on a target that runs nothing."""
    if plan.has_cluster(placement):
        return
    here = target_path(plan.system, placement)
    written = plan.system.written(*here)
    for field in _OF_A_CLUSTER:
        if field in written:
            where = plan.system.key(*here, field)
            yield shared.nothing_uses(where, placement, field, "nothing runs there, so no cluster is created")


def check_version(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Allow only Kubernetes versions that GKE offers."""
    version, known = target_of(plan, placement).version, kubernetes_versions()
    if version and version not in known:
        where = plan.system.at(*target_path(plan.system, placement), "version")
        yield problems.unknown_version(where, version, known)


def check_created_cluster(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report `present` add-ons and unknown storage classes. A new cluster has no add-ons and one storage class."""
    if not plan.has_cluster(placement):
        return
    target, here = target_of(plan, placement), target_path(plan.system, placement)
    if target.present:
        addons = ", ".join(target.present)
        yield reach_problems.present_on_made_cluster(plan.system.key(*here, "present"), placement, addons)
    if target.storage_class not in {"", STORAGE_CLASS}:
        where = plan.system.at(*here, "storageClass")
        yield reach_problems.storage_class_missing(where, placement, target.storage_class)


def check_envoy_clients(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Check the endpoints' `clients` against the namespace where our own gateway controller runs its proxies."""
    yield from check_clients(plan, placement, CLASS)


def check_labels(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report labels in the spec that would become the same Google Cloud label.

    The number needs no check: the schema allows fifty labels, and a resource may have sixty-four including our own.
    """
    system = plan.system
    known: dict[str, str] = {}
    for key, _ in system.metadata.labels:
        other = known.setdefault(label_key(key), key)
        if other != key:
            yield problems.labels_become_one(system.key("metadata", "labels", key), key, other, label_key(key))


def check_currency(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Require a budget in US dollars, the currency of the price tables."""
    budget = plan.system.governance.budget
    if budget is not None and budget.currency != "USD":
        yield problems.budget_in_dollars(plan.system.at("governance", "budget", "monthly"), budget.currency)
