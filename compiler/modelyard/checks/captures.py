"""Captures hold what the monitors of their endpoint look at."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import captures as problems
from modelyard.spec import Capture, Inference, System
from modelyard.spec.captures import capture_keys, judges_of


def features(system: System) -> Iterator[Diagnostic]:
    """A monitor checks no column that captures leave out or redact."""
    for monitor in system.monitors.values():
        section, _, name = monitor.watch.partition(".")
        inference = system.inference[name] if section == "inference" else None
        if inference is None or inference.capture is None:
            continue
        for check in monitor.checks:
            for at, column in enumerate(check.features):
                if not _held(system, inference, inference.capture, column):
                    span = system.at("monitors", monitor.name, "checks", check.name, "features", at)
                    yield problems.feature_not_captured(span, column, inference.name)


def labels(system: System) -> Iterator[Diagnostic]:
    """Captures keep something by which late labels are found, as far as the spec says what labels are found by."""
    for inference in system.inference.values():
        if inference.capture is None or inference.capture.keys is not None:
            continue
        judges = judges_of(system, inference)
        unknown = [data.name for monitor, data in judges if data.label and not data.schema and not monitor.key]
        if unknown:
            span = system.key("inference", inference.name, "capture")
            yield problems.keys_unknown(span, inference.name, unknown[0])


def _held(system: System, inference: Inference, capture: Capture, column: str) -> bool:
    if column in capture.redact:
        return False
    return not capture.columns or column in capture.columns or column in capture_keys(system, inference)
