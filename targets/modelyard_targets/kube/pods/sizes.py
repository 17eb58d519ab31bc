"""Resource requests of Pods without a compute class, which are also used to check a cluster's capacity."""

from __future__ import annotations

from modelyard.records import record
from modelyard.spec import System, TargetSpec

_MI = 1024**2
_GI = 1024**3


@record
class Size:
    """A container's requests and limits."""

    cpu_millis: int
    memory_bytes: int


EDGE_HEAD = Size(500, 2 * _GI)
SMALL_HEAD = Size(1000, 4 * _GI)
ENTERPRISE_HEAD = Size(2000, 8 * _GI)
AUTOSCALER = Size(500, 1 * _GI)
"""The autoscaler's size: twice KubeRay's default memory, because version 2 stores the state of every instance."""

SUBMITTER = Size(200, 512 * _MI)
LAUNCHER = Size(100, 128 * _MI)
PROMOTER = Size(250, 1 * _GI)
"""The promoter's size, enough for MLflow's client and one model file at a time."""

PROMOTER_DISK_BYTES = 16 * _GI
"""The promoter's disk, enough for one model's files at a time. Imported models may have at most half this size."""

STARTER = Size(100, 512 * _MI)
"""The starter's size, enough for Arrow's object storage client and requests of a few kilobytes."""

COPIER = Size(1000, 2 * _GI)
"""The size of a Job that copies objects: rclone buffers parts of 16 files, at most a gigabyte with any store."""

SUPPORT_DISK_BYTES = 512 * _MI
"""Disk limit of a supporting container, for small files and its log, which the kubelet rotates."""

EDGE_DISK_BYTES = 10 * _GI
"""Volume size of an edge workload, enough for two bundles of each model and waiting captures."""

EDGE_SPOOL_BYTES = 2 * _GI
"""The size limit of a server's captures that wait for upload. Beyond this limit, the oldest captures are dropped."""


def head_size(system: System, target: TargetSpec) -> Size:
    """Return the resources of a Ray head, which schedules work and runs a pipeline's driver, but not its tasks."""
    if target.edge:
        return EDGE_HEAD
    return ENTERPRISE_HEAD if system.profile.size == "enterprise" else SMALL_HEAD
