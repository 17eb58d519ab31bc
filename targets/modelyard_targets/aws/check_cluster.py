"""Checks for a cluster created on AWS: add-ons, storage classes, and the namespace of gateway proxies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.diagnostics import reach as problems
from modelyard.diagnostics.base import Diagnostic
from modelyard.plan import Plan
from modelyard.spec import target_path
from modelyard_targets.kube.checks.reach import check_clients
from modelyard_targets.kube.network.envoy import CLASS
from modelyard_targets.kube.placement.placed import target_of

STORAGE_CLASS: Final = "gp3"
"""The only storage class in a new cluster."""


def check_made_cluster(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report `present` add-ons and unknown storage classes. A new cluster has no add-ons and one storage class."""
    if not plan.has_cluster(placement):
        return
    target, here = target_of(plan, placement), target_path(plan.system, placement)
    if target.present:
        addons = ", ".join(target.present)
        yield problems.present_on_made_cluster(plan.system.key(*here, "present"), placement, addons)
    if target.storage_class not in {"", STORAGE_CLASS}:
        where = plan.system.at(*here, "storageClass")
        yield problems.storage_class_missing(where, placement, target.storage_class)


def check_envoy_clients(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Check the endpoints' `clients` against the namespace where our own gateway controller runs its proxies."""
    yield from check_clients(plan, placement, CLASS)
