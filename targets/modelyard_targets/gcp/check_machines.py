"""Report compute classes that narrowly miss a much cheaper machine or need a disk larger than Google Cloud offers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.diagnostics.base import Diagnostic
from modelyard.manifest import memory_text
from modelyard.plan import NodePool, Plan
from modelyard_targets.cloud.check_machines import check_machines as check_machines_of
from modelyard_targets.gcp.diagnostics import cluster as problems
from modelyard_targets.gcp.machines import offerings
from modelyard_targets.gcp.pools import disks_of

_GI: Final = 1024**3
_LARGEST_DISK_GIB: Final = 64 * 1024
"""The largest balanced Persistent Disk or Hyperdisk (docs.cloud.google.com/compute/docs/disks, read 2026-11-27)."""


def check_machines(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report compute classes that would cost much less with slightly smaller requests, and the monthly savings."""
    return check_machines_of(offerings(), plan, placement)


def check_disks(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report compute classes whose images and Pods need a larger boot disk than Google Cloud offers."""
    for pool in (resource.value for resource in plan.of(NodePool, placement)):
        needed = max(disks_of(pool.hardware, group).root_gib for group in pool.hardware.groups)
        if needed > _LARGEST_DISK_GIB:
            span = plan.system.at(*plan.system.compute[pool.compute].path, "disk")
            yield problems.disk_beyond_volumes(span, pool.compute, memory_text(needed * _GI))
