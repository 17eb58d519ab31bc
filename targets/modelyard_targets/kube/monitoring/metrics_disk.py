"""The volume of the Prometheus that is installed here, and how long metrics fit on it.

Volumes that a StatefulSet has made do not grow with its template, so that a longer retention gets no larger one: a
Prometheus that believed in it would fill its disk and end. It stays below nine tenths of it and lets the oldest go.
"""

from __future__ import annotations

from typing import Final

from modelyard.plan import Plan
from modelyard.spec import System, TargetSpec
from modelyard_targets.kube.placement.placed import target_of
from modelyard_targets.kube.pods.demand import demand

DEFAULT_RETENTION_S: Final = 15 * 86400
"""What Prometheus itself keeps where nothing is said."""

_GI: Final = 1024**3
_SCRAPES_PER_DAY: Final = 86400 // 30
_BYTES_PER_SAMPLE: Final = 2
"""The upper end of what prometheus.io/docs/prometheus/latest/storage names (one to two; read on 2026-11-25)."""

_OF_CLUSTER: Final = 50_000
_OF_MACHINE: Final = 3_000
_OF_POD: Final = 1_000
"""Series of a cluster's own components, of a machine with its containers, and of a Pod of Ray: rough figures."""

_PODS_OF_MACHINE: Final = 4
"""Where machines are made as they are needed."""


def kept_s(system: System) -> int:
    """How long the Prometheus that is installed here keeps metrics."""
    return system.governance.retention.metrics_s or DEFAULT_RETENTION_S


def volume_gi(system: System, target: TargetSpec) -> int:
    """The size of the volume, in Gi."""
    if target.edge:
        return 5
    return 50 if system.profile.size == "enterprise" else 20


def used_gi(system: System, target: TargetSpec) -> int:
    """How much of it metrics may fill before the oldest go, in Gi."""
    return volume_gi(system, target) * 9 // 10


def fitting_days(plan: Plan, placement: str) -> int:
    """For how many days metrics fit, by an estimate of their number; at least one.

    Replicas that scale count with half of their range. Runs, which come and go, count with the rest of their machine.
    """
    target = target_of(plan, placement)
    pods = sum(asked.least + asked.most for asked in demand(plan, placement).always) // 2
    machines = sum(one.count for one in target.capacity) or pods // _PODS_OF_MACHINE
    series = _OF_CLUSTER + _OF_MACHINE * machines + _OF_POD * pods
    return max(1, used_gi(plan.system, target) * _GI // (series * _SCRAPES_PER_DAY * _BYTES_PER_SAMPLE))
