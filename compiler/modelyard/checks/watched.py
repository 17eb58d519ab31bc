"""Check that watched data exists, that its rows have a timestamp, and that comparisons have a reference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.capabilities import check_of, monitor_type
from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import monitors as monitor_problems
from modelyard.diagnostics.check import watched as problems
from modelyard.provider import Rule
from modelyard.spec import Check, Monitor, System
from modelyard.spec.monitors import OF_PREDICTIONS
from modelyard.spec.watched import watched_dataset, watched_pipeline, written_last


def watched(system: System) -> Iterator[Diagnostic]:
    """Require watched data to have a timestamp, which monitors use to select rows."""
    for monitor in system.monitors.values():
        if monitor_type(monitor.type).reads != "rows":
            continue
        span = system.at("monitors", monitor.name, "watch")
        data, pipeline = _data(system, monitor), watched_pipeline(system, monitor)
        datasets = written_last(pipeline) if pipeline is not None and monitor.type not in OF_PREDICTIONS else ()
        if len(datasets) > 1:
            yield problems.watches_several_datasets(span, monitor.watch, datasets)
        elif data is None:
            yield problems.watched_without_data(span, monitor.name, monitor.watch.partition(".")[2])
        elif data and not system.data[data].timestamp:
            yield problems.watched_timestamp_missing(span, monitor.name, data)


def compared(system: System) -> Iterator[Diagnostic]:
    """Require a reference for checks that compare with one, even if the monitor's type doesn't need it."""
    for monitor in system.monitors.values():
        if "reference" in monitor_type(monitor.type).needs or monitor.reference is not None:
            continue
        for check in monitor.checks:
            metric = check_of(check.metric) if check.metric in monitor_type(monitor.type).checks else None
            span = system.key("monitors", monitor.name, "checks", check.name)
            if metric is not None and metric.needs == "reference":
                yield monitor_problems.reference_missing(span, monitor.name, monitor.watch)
            elif metric is not None and metric.needs == "columns" and not _declared(system, monitor, check):
                yield problems.columns_not_declared(span, check.name, monitor.watch)


def _data(system: System, monitor: Monitor) -> str | None:
    """Return the watched dataset's name, "" for captures, or None for a pipeline without data."""
    if monitor.watch.startswith("inference."):
        return ""
    dataset = watched_dataset(system, monitor)
    return dataset.name if dataset is not None else None


def _declared(system: System, monitor: Monitor, check: Check) -> bool:
    data = _data(system, monitor)
    return bool(check.features or (data and (system.data[data].schema or system.data[data].features)))


RULES: Final[tuple[Rule, ...]] = (watched, compared)
