"""Report compute classes that narrowly miss a much cheaper machine or need a larger disk than EBS offers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.diagnostics.base import Diagnostic
from modelyard.plan import NodePool, Plan
from modelyard_targets.aws.diagnostics import machines as machine_problems
from modelyard_targets.aws.elastic import disk_gib
from modelyard_targets.aws.machines import offerings
from modelyard_targets.aws.pools import disks_of
from modelyard_targets.cloud.check_machines import check_machines as check_machines_of

_LARGEST_VOLUME_GIB: Final = 64 * 1024
"""The largest gp3 volume (docs.aws.amazon.com, EC2 API, ModifyVolume, `Size`, read 2026-11-26)."""


def check_machines(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report compute classes that would cost much less with slightly smaller requests, and the monthly savings."""
    return check_machines_of(offerings(), plan, placement)


def check_disks(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report compute classes whose images and Pods need a larger root volume than EBS offers."""
    pools = [pool.value for pool in plan.of(NodePool, placement)]
    root_sizes: list[tuple[str, int]] = [
        (pool.compute, max(disks_of(pool.hardware, group).root_gib for group in pool.hardware.groups))
        for pool in pools
        if not pool.elastic and pool.hardware.groups
    ]
    elastic = [plan.system.compute[pool.compute] for pool in pools if pool.elastic]
    if elastic:  # all elastic classes share one EC2NodeClass
        largest = max(elastic, key=lambda compute_class: compute_class.disk_bytes or 0)
        root_sizes.append((largest.name, disk_gib(plan, placement)))
    for compute, gib in root_sizes:
        if gib > _LARGEST_VOLUME_GIB:
            span = plan.system.at(*plan.system.compute[compute].path, "disk")
            yield machine_problems.disk_beyond_volumes(span, compute, gib)
