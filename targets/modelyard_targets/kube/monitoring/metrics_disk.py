"""The volume of the Prometheus installed here, and how long metrics fit on it.

A StatefulSet's existing volumes do not grow with its template, so a longer retention gets no larger volume and could
fill the disk until Prometheus crashes. It therefore uses at most nine tenths and drops the oldest metrics first.
"""

from __future__ import annotations

from typing import Final

from modelyard.plan import Plan
from modelyard.spec import System, TargetSpec
from modelyard_targets.kube.placement.placed import target_of
from modelyard_targets.kube.pods.demand import demand

DEFAULT_RETENTION_S: Final = 15 * 86400
"""The default retention of Prometheus."""

_GI: Final = 1024**3
_SCRAPES_PER_DAY: Final = 86400 // 30
_BYTES_PER_SAMPLE: Final = 2
"""The upper end of the range in prometheus.io/docs/prometheus/latest/storage (one to two; read on 2026-11-25)."""

_OF_CLUSTER: Final = 50_000
_OF_MACHINE: Final = 3_000
_OF_POD: Final = 1_000
"""Rough numbers of series: for a cluster's components, a machine with its containers, and a Ray Pod."""

_PODS_OF_MACHINE: Final = 4
"""Assumed where machines are created on demand."""


def kept_s(system: System) -> int:
    """Return how many seconds the Prometheus installed here keeps metrics."""
    return system.governance.retention.metrics_s or DEFAULT_RETENTION_S


def volume_gi(system: System, target: TargetSpec) -> int:
    """Return the volume's size in Gi."""
    if target.edge:
        return 5
    return 50 if system.profile.size == "enterprise" else 20


def used_gi(system: System, target: TargetSpec) -> int:
    """Return how many Gi metrics may use before the oldest are dropped."""
    return volume_gi(system, target) * 9 // 10


def fitting_days(plan: Plan, placement: str) -> int:
    """Return for how many days metrics fit, by an estimate of their number; at least one.

    Scaling replicas count at the middle of their range. Runs are temporary and only count through their machine.
    """
    target = target_of(plan, placement)
    pods = sum(asked.least + asked.most for asked in demand(plan, placement).always) // 2
    machines = sum(one.count for one in target.capacity) or pods // _PODS_OF_MACHINE
    series = _OF_CLUSTER + _OF_MACHINE * machines + _OF_POD * pods
    return max(1, used_gi(plan.system, target) * _GI // (series * _SCRAPES_PER_DAY * _BYTES_PER_SAMPLE))
