"""How often pipelines and monitors run per month and for how long, as expected and maximum values."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Final

from modelyard.costs import HOURS_OF_A_MONTH
from modelyard.cron import parse
from modelyard.records import record
from modelyard.spec import Monitor, Pipeline, Schedule, System
from modelyard.units import duration_text
from modelyard.usage import Runs, Usage
from modelyard_targets.kube.workload.durations import MONITOR_S, run_seconds

LINGER_S: Final = 600
"""How long an autoscaler keeps an empty node: the default of Cluster Autoscaler, also in managed clusters."""

_MONTH_S: Final = HOURS_OF_A_MONTH * 3600
_TYPICAL_SHARE: Final = 4
"""Without a usage file, a run is assumed to take a quarter of its timeout."""

_MONITOR_TYPICAL_S: Final = 300
_SPOT_REPEATS: Final = 1.05
"""Runs on spot capacity repeat a twentieth of their work, because the cloud reclaims machines."""


@record
class Starts:
    """How often a pipeline or monitor starts per month, and why."""

    expected: float
    most: float
    why: str


@record
class Hours:
    """How many hours per month a run's nodes exist, and the assumptions behind that number."""

    expected: float
    most: float
    assumption: str


def pipeline_hours(system: System, pipeline: Pipeline, usage: Usage, *, spot: bool) -> Hours:
    """Return how many hours per month a pipeline's nodes exist. Runs are sequential unless they may overlap."""
    known = usage.pipelines.get(pipeline.name, Runs())
    starts = pipeline_starts(system, pipeline, usage)
    typical, assumed = _typical(known, max(60, pipeline.timeout_s // _TYPICAL_SHARE))
    repeats = _SPOT_REPEATS if spot else 1.0
    expected = starts.expected * (typical * repeats + LINGER_S) / 3600
    longest = run_seconds(pipeline)
    most = starts.most * (longest + LINGER_S) / 3600
    note = f"{starts.why}; {assumed} each, at most {duration_text(longest)} with retries"
    if pipeline.schedule.overlap != "allow":
        most = min(most, HOURS_OF_A_MONTH)
    return Hours(min(expected, most), most, note)


def monitor_hours(monitor: Monitor, usage: Usage) -> Hours:
    """Return the hours of a monitor's node per month."""
    known = usage.monitors.get(monitor.name, Runs())
    starts = monitor_starts(monitor)
    typical, assumed = _typical(known, _MONITOR_TYPICAL_S)
    expected = starts.expected * (min(typical, MONITOR_S) + LINGER_S) / 3600
    most = starts.most * (MONITOR_S + LINGER_S) / 3600
    note = f"{starts.why}; {assumed} each, at most {duration_text(MONITOR_S)}"
    return Hours(min(expected, most, HOURS_OF_A_MONTH), min(most, HOURS_OF_A_MONTH), note)


def monitor_starts(monitor: Monitor) -> Starts:
    """Return how often a monitor runs."""
    return _scheduled(monitor.schedule)


def pipeline_starts(system: System, pipeline: Pipeline, usage: Usage) -> Starts:
    """Return how often a pipeline starts. Includes scheduled, follow-up, monitor-triggered and manual runs."""
    known = usage.pipelines.get(pipeline.name, Runs()).per_month
    before = system.pipelines.get(pipeline.schedule.after)
    scheduled = _scheduled(pipeline.schedule) if before is None else pipeline_starts(system, before, usage)
    triggered = tuple(_triggered(system, pipeline))
    if pipeline.schedule.kind == "on-demand" and triggered:
        scheduled = Starts(0, 0, "")
    expected = scheduled.expected + min(1, len(triggered))
    most = scheduled.most + sum(starts.most for starts in triggered)
    why = " and ".join(filter(None, (scheduled.why, *(starts.why for starts in triggered))))
    if known is None:
        return Starts(expected, most, why)
    return Starts(known, max(most, ceil(known)), f"{why}; {known:g} a month by the usage file")


def _triggered(system: System, pipeline: Pipeline) -> Iterator[Starts]:
    """Yield how often each monitor may start a pipeline: once per cooldown, but at most once per monitor run."""
    for monitor in system.monitors.values():
        if monitor.on_breach.run != pipeline.name:
            continue
        cooldown = monitor.on_breach.cooldown_s
        most = min(ceil(_MONTH_S / max(1, cooldown)), monitor_starts(monitor).most)
        yield Starts(min(1, most), most, f"started by {monitor.name} up to {most:g} times a month")


def _scheduled(schedule: Schedule) -> Starts:
    if schedule.kind == "cron":
        mean, most = parse(schedule.cron).starts_a_month()
        return Starts(mean, most, f"{mean:.3g} starts a month")
    if schedule.kind == "once":
        return Starts(1, 1, "runs once")
    return Starts(1, 1, "started by hand, counted once a month")


def _typical(known: Runs, otherwise: int) -> tuple[float, str]:
    if known.typical_s is not None:
        return known.typical_s, duration_text(known.typical_s)
    return otherwise, f"assumed {duration_text(otherwise)}"
