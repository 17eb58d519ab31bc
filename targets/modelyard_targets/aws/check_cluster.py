"""Checks on a cluster created on AWS: its add-ons, its storage class, and where its proxies run."""

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
"""The only storage class of a cluster created here."""


def check_made_cluster(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report add-ons listed as `present` and unknown storage classes: a new cluster has no add-ons and one class."""
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
    """Check `clients` of endpoints; the namespace of our own controller's proxies is known."""
    yield from check_clients(plan, placement, CLASS)
