"""Targets whose sites send their metrics to the Prometheus of another target."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.plan import bundled_on
from modelyard.spec import System, TargetSpec


def receiver_of(system: System, target: TargetSpec) -> str:
    """Return the target whose Prometheus needs the metrics of a target's sites, or "" if none does.

    It evaluates their alerts, or its promoter waits for their metrics before it starts the next wave.
    """
    if target.telemetry.alerts_on:
        return target.telemetry.alerts_on
    waits = target.waves is not None and bundled_on(system, target.name)
    return system.deployment.placement.registry if waits else ""


def senders_to(system: System, placement: str) -> Iterator[TargetSpec]:
    """Yield the targets whose sites send their metrics to a placement's Prometheus."""
    return (target for target in system.deployment.targets if receiver_of(system, target) == placement)
