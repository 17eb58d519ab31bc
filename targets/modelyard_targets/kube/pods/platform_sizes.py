"""Resource requests for our own services: the registry, the database, and the Jobs that create buckets and logins."""

from __future__ import annotations

from modelyard.spec import System, TargetSpec
from modelyard_targets.kube.pods.sizes import Size

_MI = 1024**2
_GI = 1024**3

STORE_JOB = Size(100, 256 * _MI)


def registry_size(system: System, target: TargetSpec) -> Size:
    """Return the resource requests of an MLflow Pod."""
    if target.edge:
        return Size(250, 1 * _GI)
    return Size(1000, 4 * _GI) if system.profile.size == "enterprise" else Size(500, 2 * _GI)


def registry_replicas(system: System, target: TargetSpec) -> int:
    """Return the number of MLflow Pods."""
    return 2 if system.profile.size == "enterprise" and not target.edge else 1


def registry_workers(system: System, target: TargetSpec) -> int:
    """Return the number of worker processes in an MLflow Pod. Each process needs half a gigabyte."""
    if target.edge:
        return 1
    return 4 if system.profile.size == "enterprise" else 2


def database_size(system: System, target: TargetSpec) -> Size:
    """Return the resource requests of a PostgreSQL instance."""
    if target.edge:
        return Size(250, 512 * _MI)
    return Size(1000, 4 * _GI) if system.profile.size == "enterprise" else Size(500, 1 * _GI)
