"""Which columns captures hold, and what finds its labels by them."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.spec.inference import Inference
from modelyard.spec.needs import Dataset
from modelyard.spec.system import System


def labels_of(system: System, inference: Inference) -> Iterator[Dataset]:
    """The labels of the monitors that watch an endpoint."""
    watched = f"inference.{inference.name}"
    for monitor in system.monitors.values():
        if monitor.watch == watched and monitor.labels:
            yield system.data[monitor.labels]


def capture_keys(system: System, inference: Inference) -> tuple[str, ...]:
    """Columns that are kept besides the model's inputs: as written, or else those that its labels are known to have."""
    capture = inference.capture
    if capture is None or capture.keys is not None:
        return (capture.keys or ()) if capture is not None else ()
    found = (
        column
        for labels in labels_of(system, inference)
        for column, _ in labels.schema
        if column not in (labels.label, labels.timestamp)
    )
    return tuple(dict.fromkeys(found))
