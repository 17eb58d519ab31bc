"""Resource requests of Pods without a compute class, also used to check a cluster's capacity."""

from __future__ import annotations

from modelyard.records import record
from modelyard.spec import System, TargetSpec

_MI = 1024**2
_GI = 1024**3


@record
class Size:
    """Requests and limits of a container."""

    cpu_millis: int
    memory_bytes: int


EDGE_HEAD = Size(500, 2 * _GI)
SMALL_HEAD = Size(1000, 4 * _GI)
ENTERPRISE_HEAD = Size(2000, 8 * _GI)
AUTOSCALER = Size(500, 1 * _GI)
"""Twice KubeRay's default memory: version 2 keeps the state of every instance."""

SUBMITTER = Size(200, 512 * _MI)
LAUNCHER = Size(100, 128 * _MI)
PROMOTER = Size(250, 1 * _GI)
"""For MLflow's client and one file of a model at a time."""

PROMOTER_DISK_BYTES = 16 * _GI
"""For the files of one model at a time, imported or bundled; imports are at most half as large."""

STARTER = Size(100, 512 * _MI)
"""For Arrow's object storage client, with requests of a few kilobytes at a time."""

SUPPORT_DISK_BYTES = 512 * _MI
"""Disk limit of a container that only starts others: its log, which the kubelet rotates, and small files."""

EDGE_DISK_BYTES = 10 * _GI
"""The volume of an edge workload: bundles of its models, two of each, and waiting captures."""

EDGE_SPOOL_BYTES = 2 * _GI
"""The most captures of a server that wait for upload; the oldest are dropped."""


def head_size(system: System, target: TargetSpec) -> Size:
    """Return the size of a Ray head, which schedules and runs a pipeline's driver, but none of its tasks."""
    if target.edge:
        return EDGE_HEAD
    return ENTERPRISE_HEAD if system.profile.size == "enterprise" else SMALL_HEAD
