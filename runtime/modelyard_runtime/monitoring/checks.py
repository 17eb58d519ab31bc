"""Checks whether this runtime supports the description of a monitor."""

from __future__ import annotations

from modelyard_runtime.capabilities import Metric, check_of, computes, known_metrics, metric_of, monitors
from modelyard_runtime.metrics.needs import check_needs
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.workload.records import Check, Monitor, MonitorWorkload, Workload


def check_monitor(workload: Workload) -> MonitorWorkload:
    """Return the monitor, refusing it if this runtime doesn't support everything it requires."""
    if not isinstance(workload, MonitorWorkload):
        raise Refusal(f"'monitor' is only for monitors, but this workload is of type {workload.type}")
    monitor = workload.monitor
    kind = monitors().get(monitor.type)
    if kind is None:
        raise Refusal(f"unknown monitor type {monitor.type!r}; supported: {', '.join(monitors())}")
    if kind.reads == "series":
        raise Refusal("performance is monitored by alert rules on the servers' own metrics, not by a run")
    watched = monitor.current.data
    if watched and not monitor.data[watched].timestamp:
        raise Refusal(f"a window over {watched!r} needs the dataset's timestamp column in the spec")
    _check_reference(monitor)
    if "labels" in kind.needs:
        _check_labels(monitor)
    for check in monitor.checks:
        try:
            _check_check(monitor, check)
        except Refusal as refusal:
            raise Refusal(f"check {check.name!r}: {refusal}") from None
    return workload


def _check_reference(monitor: Monitor) -> None:
    reference = monitor.reference
    if reference is None:
        return
    dataset_name = reference.data
    if reference.window_seconds is not None and dataset_name and not monitor.data[dataset_name].timestamp:
        raise Refusal(f"a window over {dataset_name!r} needs the dataset's timestamp column in the spec")


def _check_labels(monitor: Monitor) -> None:
    dataset_name = monitor.labels or monitor.current.data
    if dataset_name not in monitor.data or not monitor.data[dataset_name].label:
        raise Refusal("quality needs a dataset with a label: either the monitor's `labels` or the monitored dataset")
    if not monitor.models:
        raise Refusal("quality needs a model, but the monitored dataset has none")


def _check_check(monitor: Monitor, check: Check) -> None:
    """Refuse a check that isn't supported by its monitor type, or that is missing required data."""
    name, type_ = check.metric, monitor.type
    kind = monitors()[type_]
    if check.features and not kind.features:
        raise Refusal(f"a monitor of type {type_} has no column checks")
    if name in kind.checks:
        _check_columns(monitor, check, check_of(name))
        return
    task = monitor.models[0].task if kind.metrics else ""
    definition = metric_of(name)
    if not kind.metrics or not computes(name, task) or (definition is not None and not definition.later):
        available = (
            *kind.checks,
            *(candidate for candidate in known_metrics(task) if kind.metrics and _later(candidate)),
        )
        raise Refusal(f"{name!r} is not computed by a monitor of type {type_}; supported: {', '.join(available)}")
    check_needs(definition, monitor.data.values())


def _check_columns(monitor: Monitor, check: Check, definition: Metric | None) -> None:
    needs = "" if definition is None else definition.needs
    watched = monitor.data.get(monitor.current.data)
    declared = bool(check.features or (watched is not None and (watched.schema or watched.features)))
    if needs not in {"reference", "columns"} or (needs == "columns" and declared):
        return
    if monitor.reference is None:
        raise Refusal(f"{check.metric!r} needs a reference")
    if not monitor.reference.data and not monitor.models:
        raise Refusal("its reference is a model's training data, but the monitored dataset has no model")


def _later(metric: str) -> bool:
    definition = metric_of(metric)
    return definition is not None and definition.later
