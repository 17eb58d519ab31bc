"""What the Pods that nobody sized in the spec ask for; the capacity of a cluster is checked with the same numbers."""

from __future__ import annotations

from modelyard.records import record
from modelyard.spec import System, TargetSpec

_MI = 1024**2
_GI = 1024**3


@record
class Size:
    """What one container asks for and is limited to."""

    cpu_millis: int
    memory_bytes: int


EDGE_HEAD = Size(500, 2 * _GI)
SMALL_HEAD = Size(1000, 4 * _GI)
ENTERPRISE_HEAD = Size(2000, 8 * _GI)
AUTOSCALER = Size(500, 1 * _GI)
"""Twice the memory that KubeRay would give it: version 2 keeps the state of every instance."""

SUBMITTER = Size(200, 512 * _MI)
LAUNCHER = Size(100, 128 * _MI)
PROMOTER = Size(250, 1 * _GI)
"""MLflow's client, and a file of a model at a time."""

PROMOTER_DISK_BYTES = 16 * _GI
"""The files of one model at a time, which is imported or becomes a bundle; imports are at most half as large."""

STARTER = Size(100, 512 * _MI)
"""Arrow's client of object storage, and a request of a few kilobytes at a time."""

SUPPORT_DISK_BYTES = 512 * _MI
"""What a container that only starts others may write: its log, which the kubelet rotates, and small files."""

EDGE_DISK_BYTES = 10 * _GI
"""The volume of a workload at the edge: bundles of its models, two of each, and captures that wait."""

EDGE_SPOOL_BYTES = 2 * _GI
"""Most captures of one server that wait for their store; what is oldest gives way."""


def head_size(system: System, target: TargetSpec) -> Size:
    """The head of a Ray cluster: it schedules, and runs the driver of a pipeline, but no task of it."""
    if target.edge:
        return EDGE_HEAD
    return ENTERPRISE_HEAD if system.profile.size == "enterprise" else SMALL_HEAD
