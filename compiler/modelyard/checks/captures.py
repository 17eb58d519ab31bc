"""Captures hold what the monitors of their endpoint look at, and labels are found by what both have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import captures as problems
from modelyard.spec import Capture, Inference, Monitor, System
from modelyard.spec.captures import capture_keys, judges_of
from modelyard.spec.learned import learned
from modelyard.spec.watched import watched_dataset


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
        for monitor, data in judges_of(system, inference):
            if data.label and not data.schema and not monitor.key:
                span = system.key("monitors", monitor.name)
                yield problems.keys_unknown(span, monitor.name, inference.name, data.name)


def joins(system: System) -> Iterator[Diagnostic]:
    """What a monitor watches and its labels have columns in common, or the monitor names those that they have."""
    inputs = _inputs(system)
    for monitor in system.monitors.values():
        if not monitor.labels or monitor.key:
            continue
        labels = system.data[monitor.labels]
        watched = watched_dataset(system, monitor)
        if watched is not None and watched != labels and not (watched.schema and labels.schema):
            yield problems.key_not_declared(system.key("monitors", monitor.name), monitor.name, labels.name)
            continue
        known = _columns(system, monitor, inputs) if watched is None else {column for column, _ in watched.schema}
        apart = {one for data in (labels, watched) if data is not None for one in (data.label, data.timestamp)}
        shared = {column for column, _ in labels.schema if column in known} - apart
        if known and labels.schema and not shared and watched != labels:
            yield problems.no_common_key(system.key("monitors", monitor.name), monitor.name, monitor.watch, labels.name)


def _columns(system: System, monitor: Monitor, inputs: Mapping[str, tuple[str, ...]]) -> set[str]:
    """The columns of what an endpoint captures; none where the inputs of one of its models are not known."""
    section, _, name = monitor.watch.partition(".")
    inference = system.inference[name] if section == "inference" else None
    if inference is None or inference.capture is None:
        return set()
    known = [inputs.get(variant.model.model, ()) for variant in inference.variants]
    kept = inference.capture.columns or [column for columns in known for column in columns if all(known)]
    return {*kept, *capture_keys(system, inference)} - {*inference.capture.redact} if kept else set()


def _inputs(system: System) -> dict[str, tuple[str, ...]]:
    """By model what it takes; nothing for a model that code of the user trains."""
    found: dict[str, tuple[str, ...]] = {}
    for pipeline in system.pipelines.values():
        for step in pipeline.steps if pipeline.type == "training" and pipeline.model else ():
            assert pipeline.model is not None
            model = pipeline.model.model
            data = [system.data[name] for name in step.inputs] if step.trainer else []
            features = learned(data, pipeline.split.key).features if data else ()
            before = found.get(model, features)
            found[model] = (*before, *features) if before and features else ()
    return found


def _held(system: System, inference: Inference, capture: Capture, column: str) -> bool:
    if column in capture.redact:
        return False
    return not capture.columns or column in capture.columns or column in capture_keys(system, inference)
