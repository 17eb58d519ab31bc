"""The volume of the Prometheus we install, and the metrics retention that fits on it.

Existing volumes of a StatefulSet don't grow with its template, so a longer retention could fill the volume and crash
Prometheus. Prometheus may therefore only use 90% of the volume, and drops the oldest metrics first.
"""

from __future__ import annotations

from typing import Final

from modelyard.plan import Plan
from modelyard.spec import System, TargetSpec
from modelyard_targets.kube.placement.placed import target_of
from modelyard_targets.kube.pods.demand import demand

DEFAULT_RETENTION_S: Final = 15 * 86400
"""Prometheus's default retention."""

_GI: Final = 1024**3
_SCRAPES_PER_DAY: Final = 86400 // 30
_BYTES_PER_SAMPLE: Final = 2
"""The documented maximum per sample, where the minimum is 1 (prometheus.io/docs/prometheus/latest/storage, read
2026-11-25).
"""

_OF_CLUSTER: Final = 50_000
_OF_MACHINE: Final = 3_000
_OF_POD: Final = 1_000
"""Approximate numbers of series from the cluster's components, each machine with its containers, and each Ray Pod."""

_PODS_OF_MACHINE: Final = 4
"""The assumed number of Pods on a machine, for clusters that create machines on demand."""


def kept_s(system: System) -> int:
    """Return the retention in seconds of the Prometheus that we install."""
    return system.governance.retention.metrics_s or DEFAULT_RETENTION_S


def volume_gi(system: System, target: TargetSpec) -> int:
    """Return the size of Prometheus's volume in Gi."""
    if target.edge:
        return 5
    return 50 if system.profile.size == "enterprise" else 20


def used_gi(system: System, target: TargetSpec) -> int:
    """Return how many Gi Prometheus may use before it drops the oldest metrics."""
    return volume_gi(system, target) * 9 // 10


def fitting_days(plan: Plan, placement: str) -> int:
    """Estimate how many days of metrics fit on the volume, but at least one.

    Autoscaled replicas count as the midpoint of their range. Runs are temporary, so only their machines count.
    """
    target = target_of(plan, placement)
    pods = sum(request.least + request.most for request in demand(plan, placement).always) // 2
    machines = sum(machine.count for machine in target.capacity) or pods // _PODS_OF_MACHINE
    series = _OF_CLUSTER + _OF_MACHINE * machines + _OF_POD * pods
    return max(1, used_gi(plan.system, target) * _GI // (series * _SCRAPES_PER_DAY * _BYTES_PER_SAMPLE))
