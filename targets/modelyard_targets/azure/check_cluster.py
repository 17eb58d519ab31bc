"""Checks on a cluster created on Azure: its version, group, tags, add-ons and storage class."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.diagnostics import platform as shared
from modelyard.diagnostics import reach as reach_problems
from modelyard.diagnostics.base import Diagnostic
from modelyard.plan import Plan
from modelyard.spec import target_path
from modelyard_targets.azure.diagnostics import cluster as problems
from modelyard_targets.azure.names import group_name, tag_key
from modelyard_targets.azure.options import options_of
from modelyard_targets.azure.versions import kubernetes_versions
from modelyard_targets.kube.checks.reach import check_clients
from modelyard_targets.kube.network.envoy import CLASS
from modelyard_targets.kube.placement.placed import target_of

STORAGE_CLASS: Final = "premium"
"""The storage class that is created."""

_TAGS: Final = 15
_OUR_TAGS: Final = 4
"""Tags of a private DNS zone, fewer than the fifty of other resources (learn.microsoft.com/azure, "Use tags to organize
your Azure resources", read 2026-11-27).
"""

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
"""Target fields that configure a cluster, in addition to those that any cluster may leave unused."""


def check_without_cluster(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report settings for a cluster, its network or its workloads on a target that runs nothing."""
    if plan.has_cluster(placement):
        return
    here = target_path(plan.system, placement)
    written = plan.system.written(*here)
    for field in _OF_A_CLUSTER:
        if field in written:
            where = plan.system.key(*here, field)
            yield shared.nothing_uses(where, placement, field, "nothing runs there, so no cluster is created")


def check_version(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Allow only Kubernetes versions that AKS offers."""
    version, known = target_of(plan, placement).version, kubernetes_versions()
    if version and version not in known:
        where = plan.system.at(*target_path(plan.system, placement), "version")
        yield problems.unknown_version(where, version, known)


def check_created_cluster(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report add-ons listed as `present` and unknown storage classes: a new cluster has no add-ons and one class."""
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
    """Check `clients` of endpoints; the namespace of our own controller's proxies is known."""
    yield from check_clients(plan, placement, CLASS)


def check_group(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report an earlier target in the same resource group of the same subscription."""
    mine = target_of(plan, placement)
    group, subscription = group_name(plan.system, mine), options_of(mine).subscription
    for other in plan.system.deployment.targets:
        if other.name == placement:
            return
        if other.provider != "azure" or options_of(other).subscription != subscription:
            continue
        if group_name(plan.system, other).lower() == group.lower():
            where = plan.system.key(*target_path(plan.system, placement))
            yield problems.group_shared(where, placement, other.name, group)


def check_tags(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report labels of the spec that would be the same tag of Azure, and more than resources may have."""
    system = plan.system
    labels = [key for key, _ in system.metadata.labels]
    known: dict[str, str] = {}
    for key in labels:
        other = known.setdefault(tag_key(key), key)
        if other != key:
            yield problems.labels_become_one(system.key("metadata", "labels", key), key, other, tag_key(key))
    if len(labels) > _TAGS - _OUR_TAGS:
        yield problems.too_many_tags(system.key("metadata", "labels"), len(labels), _TAGS - _OUR_TAGS)


def check_currency(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Require a budget in US dollars, the currency of the price tables."""
    budget = plan.system.governance.budget
    if budget is not None and budget.currency != "USD":
        yield problems.budget_in_dollars(plan.system.at("governance", "budget", "monthly"), budget.currency)
