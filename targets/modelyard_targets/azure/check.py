"""Check that Azure can provide what the plan requires."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.diagnostics.base import Diagnostic
from modelyard.plan import Plan
from modelyard_targets.azure import check_cluster as cluster
from modelyard_targets.azure.check_access import (
    check_assignments,
    check_elsewhere,
    check_folders,
    check_order,
    check_secret_names,
)
from modelyard_targets.azure.check_machines import check_disks, check_machines, check_pools
from modelyard_targets.azure.check_network import check_network, check_region, check_subscription, check_way_out
from modelyard_targets.azure.check_stores import check_addresses, check_stores
from modelyard_targets.azure.gateway import filled_in
from modelyard_targets.kube.checks.check import Rule, check_cluster
from modelyard_targets.kube.placement.context import Context


def check(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Run all checks that lowering relies on, reporting each problem at the spec line that causes it."""
    if plan.on(placement):
        yield from check_cluster(plan, placement, filled_in(plan, placement), CHECKS, _context)


def _context(plan: Plan, placement: str) -> Context:
    from modelyard_targets.azure.platform import context_of

    return context_of(plan, placement)


CHECKS: Final[tuple[Rule, ...]] = (
    check_region,
    *cluster.CHECKS,
    check_network,
    check_subscription,
    check_way_out,
    check_stores,
    check_addresses,
    check_elsewhere,
    check_order,
    check_folders,
    check_assignments,
    check_secret_names,
    check_machines,
    check_disks,
    check_pools,
)
