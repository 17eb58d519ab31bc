"""Determine the columns in captures and the columns used to match captures with labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from modelyard.indexes import index
from modelyard.spec.inference import Inference
from modelyard.spec.monitors import Monitor
from modelyard.spec.needs import Dataset
from modelyard.spec.system import System


def judges_of(system: System, inference: Inference) -> Iterator[tuple[Monitor, Dataset]]:
    """Yield the monitors that evaluate an endpoint's predictions against labels, each with its label dataset."""
    for monitor in _judges_by_watched(system.monitors).get(f"inference.{inference.name}", ()):
        yield monitor, system.data[monitor.labels]


@index
def _judges_by_watched(monitors: Mapping[str, Monitor]) -> Mapping[str, list[Monitor]]:
    judges: dict[str, list[Monitor]] = {}
    for monitor in monitors.values():
        if monitor.labels:
            judges.setdefault(monitor.watch, []).append(monitor)
    return judges


def capture_keys(system: System, inference: Inference) -> tuple[str, ...]:
    """Return columns captured besides the model inputs, either declared or needed to match labels.

    For a monitor without a key, these are all known columns of its label dataset.
    """
    capture = inference.capture
    if capture is None or capture.keys is not None:
        return (capture.keys or ()) if capture is not None else ()
    columns = (column for monitor, labels in judges_of(system, inference) for column in monitor.key or _columns(labels))
    return tuple(dict.fromkeys(columns))


def _columns(labels: Dataset) -> Iterator[str]:
    return (column for column, _ in labels.schema if column not in (labels.label, labels.timestamp))
