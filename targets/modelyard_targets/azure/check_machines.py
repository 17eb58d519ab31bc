"""Checks for compute classes that barely miss a much cheaper machine, or need more than a node or a cluster has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.diagnostics.base import Diagnostic
from modelyard.manifest import memory_text
from modelyard.plan import NodePool, Plan, SystemPool
from modelyard.spec import target_path
from modelyard_targets.azure.diagnostics import cluster as problems
from modelyard_targets.azure.machines import offerings
from modelyard_targets.azure.pools import disks_of, pool_nodes
from modelyard_targets.cloud.check_machines import check_machines as check_machines_of
from modelyard_targets.kube.placement.placed import target_of

_GI: Final = 1024**3
_LARGEST_DISK_GIB: Final = 2048
"""Maximum disk size of a node (Azure/bicep-types-az@1f896de2d, containerservice 2025-09-01, osDiskSizeGB)."""

_MOST_POOLS: Final = 100
"""Maximum number of node pools of a cluster (learn.microsoft.com/azure/aks/quotas-skus-regions, read 2026-12-02)."""

_POOLS_OF_THE_CLUSTER: Final = 1
"""AKS' own pool, which is created with the cluster."""


def check_machines(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report compute classes that would cost much less with slightly smaller requests, and the monthly savings."""
    return check_machines_of(offerings(), plan, placement)


def check_pools(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report more node pools than a cluster can have. How many an existing cluster already has is not known."""
    if not plan.has_cluster(placement):
        return
    own = 0 if target_of(plan, placement).cluster.adopt else _POOLS_OF_THE_CLUSTER
    pools = own + len(pool_nodes(plan, placement)) + len(plan.of(SystemPool, placement))
    if pools > _MOST_POOLS:
        where = plan.system.at(*target_path(plan.system, placement), "provider")
        yield problems.too_many_pools(where, pools, _MOST_POOLS)


def check_disks(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report compute classes whose images and Pods need a larger disk than a node can have."""
    for pool in (resource.value for resource in plan.of(NodePool, placement)):
        needed = max(disks_of(pool.hardware, group).root_gib for group in pool.hardware.groups)
        if needed > _LARGEST_DISK_GIB:
            span = plan.system.at(*plan.system.compute[pool.compute].path, "disk")
            yield problems.disk_too_large(span, pool.compute, memory_text(needed * _GI))
