"""Alerts for monitors whose checks fail or cannot be measured, or that no longer run.

A monitor pushes these gauges, which all have the labels namespace, system and monitor:

- `modelyard_monitor_value` and `modelyard_monitor_breach` (0 or 1), by check and feature,
- `modelyard_monitor_unknown` (0 or 1: too little data), by check and feature,
- `modelyard_monitor_coverage` (the share of predictions with a label), by variant in the label feature, or `all`,
- `modelyard_monitor_last_run_seconds`, the time of its last run.

Monitors push once per run, so rules look back over three periods of the schedule. A monitor of type `performance` has
no runs. Its checks are rules on the metrics of an endpoint or of a pipeline's Jobs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.cron import parse
from modelyard.plan import AlertRules, Resource
from modelyard.spec import Check, Inference, Monitor, Schedule
from modelyard.stack import Value
from modelyard_targets.kube.metrics.promql import duration, number, one_of, selector
from modelyard_targets.kube.metrics.run_series import failed_runs, longest_run_s, since_any_success_s, since_success_s
from modelyard_targets.kube.metrics.serve_series import LATENCY, of_endpoint
from modelyard_targets.kube.monitoring.alert_rules import alert, alert_labels, group, prometheus_rule
from modelyard_targets.kube.monitoring.availability import failures, requests
from modelyard_targets.kube.monitoring.runbooks import runbook
from modelyard_targets.kube.placement.context import Context, KubeObject

VALUE: Final = "modelyard_monitor_value"
BREACH: Final = "modelyard_monitor_breach"
UNKNOWN: Final = "modelyard_monitor_unknown"
COVERAGE: Final = "modelyard_monitor_coverage"
LAST_RUN: Final = "modelyard_monitor_last_run_seconds"

_PERIODS: Final = 3
_LATE_S: Final = 3600
_SHORTEST_S: Final = 300
_QUANTILES: Final = {"p50_ms": 0.5, "p90_ms": 0.9, "p95_ms": 0.95, "p99_ms": 0.99}


def lower_monitor_rules(resource: Resource[AlertRules], context: Context) -> Iterator[KubeObject]:
    """Yield a monitor's rules, or nothing if the `AlertRules` aren't for a monitor."""
    value = resource.value
    monitor = value.monitor
    if monitor is None:
        return
    if monitor.type == "performance":
        rules = _performance(resource, monitor, context)
    else:
        rules = _of_runs(resource, monitor, context)
    yield prometheus_rule(resource, [group(resource.name, [*rules], 60)], context)


def period_s(schedule: Schedule) -> int | None:
    """Return the longest time between two runs, or None without a cron schedule."""
    gaps = parse(schedule.cron).gaps_s() if schedule.kind == "cron" else None
    return None if gaps is None else gaps[1]


def of_monitor(monitor: Monitor, context: Context, check: Check | None = None, feature: str = "") -> str:
    """Return a selector for a monitor's series.

    It includes namespace and system, since several systems and environments may share a Prometheus.
    """
    own = {
        "namespace": context.namespace,
        "monitor": monitor.name,
        **({"check": check.name} if check is not None else {}),
        **({"feature": feature} if feature else {}),
    }
    return selector(own, one_of("system", (context.system.metadata.name, "")))


def look_back_s(monitor: Monitor) -> int:
    """Return how many seconds a pushed value is valid: three periods, or three windows without a schedule."""
    return _PERIODS * max(_SHORTEST_S, period_s(monitor.schedule) or monitor.window_s)


def _of_runs(resource: Resource[AlertRules], monitor: Monitor, context: Context) -> Iterator[dict[str, Value]]:
    span = duration(look_back_s(monitor))
    for check in monitor.checks:
        breach = f"last_over_time({BREACH}{of_monitor(monitor, context, check)}[{span}])"
        texts = {
            "summary": f"monitor {monitor.name}: {check.metric} of {{{{ $labels.feature }}}} is {_beyond(check)}",
            "description": f"Check {check.name} of {monitor.type} on {monitor.watch} failed in the last run.",
            "runbook": runbook(monitor.type),
        }
        labelled = {**alert_labels(resource, check.severity, context), "monitor": monitor.name, "check": check.name}
        yield alert("ModelyardMonitorBreach", f"max by (feature) ({breach}) > 0", 0, labelled, texts)
    yield from _unmeasured(resource, monitor, context)
    yield from _silence(resource, monitor, context)


def _unmeasured(resource: Resource[AlertRules], monitor: Monitor, context: Context) -> Iterator[dict[str, Value]]:
    """Yield alerts for checks with too little data and for missing labels, neither of which means success."""
    chosen, span = of_monitor(monitor, context), duration(look_back_s(monitor))
    labelled = {**alert_labels(resource, "ticket", context), "monitor": monitor.name}
    # Too little data is normal for one of many features, but not for a whole check or for a variant's labels.
    all_features = chosen if monitor.labels else of_monitor(monitor, context, feature="all")
    texts = {
        "summary": f"monitor {monitor.name}: check {{{{ $labels.check }}}} could not be measured",
        "description": f"The last run on {monitor.watch} had too few rows or labels, or was refused; see its log.",
        "runbook": runbook("unknown"),
    }
    yield alert(
        "ModelyardMonitorUnknown",
        f"max by (check) (last_over_time({UNKNOWN}{all_features}[{span}])) > 0",
        0,
        labelled,
        texts,
    )
    if not monitor.labels:
        return
    share = f"min by (feature) (last_over_time({COVERAGE}{chosen}[{span}]))"
    texts = {
        "summary": f"monitor {monitor.name}: labels in {monitor.labels} are missing for too many predictions",
        "description": f"{{{{ $value | humanizePercentage }}}} of the predictions of {monitor.watch} have a label.",
        "runbook": runbook("coverage"),
    }
    yield alert("ModelyardMonitorCoverage", f"{share} < {number(monitor.coverage)}", 0, labelled, texts)


def _silence(resource: Resource[AlertRules], monitor: Monitor, context: Context) -> Iterator[dict[str, Value]]:
    """Yield alerts for a scheduled monitor that is overdue or has never run."""
    period = period_s(monitor.schedule)
    if period is None:
        return
    chosen, span = of_monitor(monitor, context), duration(look_back_s(monitor))
    labelled = {**alert_labels(resource, "ticket", context), "monitor": monitor.name}
    last = f"max(last_over_time({LAST_RUN}{chosen}[{span}]))"
    texts = {
        "summary": f"monitor {monitor.name} has not checked {monitor.watch} for too long",
        "description": f"It is due at least every {duration(period)}; until it runs, {monitor.watch} is not monitored.",
        "runbook": runbook("silent"),
    }
    yield alert("ModelyardMonitorStale", f"time() - {last} > {period + _LATE_S}", 0, labelled, texts)
    missing = f"absent(last_over_time({LAST_RUN}{chosen}[{span}]))"
    yield alert("ModelyardMonitorSilent", missing, period + _LATE_S, labelled, texts)


def _performance(resource: Resource[AlertRules], monitor: Monitor, context: Context) -> Iterator[dict[str, Value]]:
    section, _, name = monitor.watch.partition(".")
    of_runs = section == "pipelines"
    watched = f"{'pipeline' if of_runs else 'endpoint'} {name}"
    for check in monitor.checks:
        if of_runs:
            measured = runs_expression(check, name, monitor.window_s, context)
        else:
            measured = performance_expression(check.metric, context.system.inference[name], monitor.window_s, context)
        bounds = [f"{measured} < {number(check.minimum)}"] if check.minimum is not None else []
        bounds += [f"{measured} > {number(check.maximum)}"] if check.maximum is not None else []
        texts = {
            "summary": f"monitor {monitor.name}: {check.metric} of {watched} is {_beyond(check)}",
            "description": f"Over the last {duration(monitor.window_s)} it was {{{{ $value | humanize }}}}.",
            "runbook": runbook("runs" if of_runs else "performance"),
        }
        labelled = {**alert_labels(resource, check.severity, context), "monitor": monitor.name, "check": check.name}
        yield alert("ModelyardMonitorBreach", " or ".join(bounds), _SHORTEST_S, labelled, texts)


def runs_expression(check: Check, pipeline: str, window_s: int, context: Context) -> str:
    """Return PromQL for a pipeline run metric, either the age of the last success or a value over a window."""
    cron_job = context.cron_jobs[pipeline]
    if check.metric == "freshness_s" and context.system.pipelines[pipeline].schedule.kind == "after":
        return f"({since_any_success_s(cron_job, max(window_s, int(check.maximum or 0)), context)})"
    if check.metric == "freshness_s":
        return f"({since_success_s(cron_job, context)})"
    return (longest_run_s if check.metric == "duration_s" else failed_runs)(cron_job, window_s, context)


def performance_expression(metric: str, inference: Inference, window_s: int, context: Context) -> str:
    """Return PromQL for a `performance` metric of an endpoint over a window.

    Quantiles are interpolated between bucket bounds.
    """
    span = duration(window_s)
    if metric in _QUANTILES:
        buckets = f"sum by (le) (rate({LATENCY}_bucket{of_endpoint(inference, context)}[{span}]))"
        return f"histogram_quantile({number(_QUANTILES[metric])}, {buckets})"
    every = requests(inference, context, span)
    if metric == "throughput_rps":
        return every
    ratio = f"{failures(inference, context, span)} / ({every} > 0)"
    return f"({ratio})" if metric == "error_rate" else f"(1 - {ratio})"


def _beyond(check: Check) -> str:
    """Describe which bounds a failed check violates."""
    bounds = [f"below {number(check.minimum)}"] if check.minimum is not None else []
    bounds += [f"above {number(check.maximum)}"] if check.maximum is not None else []
    return " or ".join(bounds) or "out of bounds"
