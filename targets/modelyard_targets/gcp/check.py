"""Check that Google Cloud can provide what the plan requires."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.diagnostics.base import Diagnostic
from modelyard.plan import Plan
from modelyard_targets.gcp import check_cluster as cluster
from modelyard_targets.gcp.check_access import (
    check_elsewhere,
    check_folders,
    check_members,
    check_namespaces,
    check_order,
    check_retained,
    check_secret_names,
    check_way_out,
)
from modelyard_targets.gcp.check_machines import check_disks, check_machines
from modelyard_targets.gcp.check_network import check_images, check_network, check_region
from modelyard_targets.gcp.check_stores import check_stores
from modelyard_targets.gcp.gateway import filled_in
from modelyard_targets.kube.checks.check import Rule, check_cluster
from modelyard_targets.kube.placement.context import Context


def check(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Run all checks that lowering relies on, reporting each problem at its line in the spec."""
    if plan.on(placement):
        yield from check_cluster(plan, placement, filled_in(plan, placement), CHECKS, _context)


def _context(plan: Plan, placement: str) -> Context:
    from modelyard_targets.gcp.platform import context_of

    return context_of(plan, placement)


CHECKS: Final[tuple[Rule, ...]] = (
    check_region,
    *cluster.CHECKS,
    check_network,
    check_images,
    check_stores,
    check_elsewhere,
    check_way_out,
    check_namespaces,
    check_order,
    check_folders,
    check_members,
    check_retained,
    check_secret_names,
    check_machines,
    check_disks,
)
