"""Check that captured requests contain the columns that monitors need, including the keys for matching labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from modelyard.capabilities import monitor_type
from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import captures as problems
from modelyard.provider import Rule
from modelyard.spec import Capture, Check, Inference, Monitor, System
from modelyard.spec.captures import capture_keys, judges_of
from modelyard.spec.monitors import PREDICTED
from modelyard.spec.training_input import training_input
from modelyard.spec.watched import watched_dataset, watched_model

_BY_FEATURE = frozenset({*monitor_type("data-drift").checks, "out_of_range"})


def features(system: System) -> Iterator[Diagnostic]:
    """Report monitored columns that captures omit or redact."""
    inputs = model_inputs(system)
    trained_on = _trained_on(system)
    for monitor in system.monitors.values():
        section, _, name = monitor.watch.partition(".")
        inference = system.inference[name] if section == "inference" else None
        if inference is None or inference.capture is None:
            continue
        captured = _columns(system, monitor, inputs)
        for check in monitor.checks:
            for at, column in enumerate(check.features):
                no_input = bool(captured) and column not in captured and column in trained_on
                if no_input or not _is_captured(system, inference, inference.capture, column):
                    span = system.at("monitors", monitor.name, "checks", check.name, "features", at)
                    yield problems.feature_not_captured(span, column, inference.name)


def labels(system: System) -> Iterator[Diagnostic]:
    """Report captures that lack a key for matching late labels."""
    for inference in system.inference.values():
        if inference.capture is None or inference.capture.keys is not None:
            continue
        for monitor, data in judges_of(system, inference):
            if data.label and not data.schema and not monitor.key:
                span = system.key("monitors", monitor.name)
                yield problems.keys_unknown(span, monitor.name, inference.name, data.name)


def joins(system: System) -> Iterator[Diagnostic]:
    """Require watched data and labels to share columns. Without schemas, the monitor must name a key instead."""
    inputs = model_inputs(system)
    for monitor in system.monitors.values():
        if not monitor.labels or monitor.key:
            continue
        labels = system.data[monitor.labels]
        watched = watched_dataset(system, monitor)
        if watched is not None and watched != labels and not (watched.schema and labels.schema):
            yield problems.key_not_declared(system.key("monitors", monitor.name), monitor.name, labels.name)
            continue
        columns = _columns(system, monitor, inputs) if watched is None else {column for column, _ in watched.schema}
        apart = {role for data in (labels, watched) if data is not None for role in (data.label, data.timestamp)}
        shared = {column for column, _ in labels.schema if column in columns} - apart
        if columns and labels.schema and not shared and watched != labels:
            yield problems.no_common_key(system.key("monitors", monitor.name), monitor.name, monitor.watch, labels.name)


def keys(system: System) -> Iterator[Diagnostic]:
    """Require captures to contain the key columns that monitors use to match labels."""
    inputs = model_inputs(system)
    for monitor in system.monitors.values():
        section, _, name = monitor.watch.partition(".")
        capture = system.inference[name].capture if section == "inference" else None
        if capture is None or not monitor.labels:
            continue
        captured = _columns(system, monitor, inputs)
        label_columns = {column for column, _ in system.data[monitor.labels].schema}
        for at, column in enumerate(monitor.key):
            if label_columns and column not in label_columns:
                continue  # reported by monitors.monitors
            if column in capture.redact or (captured and column not in captured):
                span = system.at("monitors", monitor.name, "key", at)
                yield problems.key_not_captured(span, column, name, column in capture.redact)


def counted(system: System) -> Iterator[Diagnostic]:
    """Report checks whose `minFeatures` exceeds the number of available columns."""
    inputs = model_inputs(system)
    for monitor in system.monitors.values():
        for check in monitor.checks:
            if check.features or check.metric not in _BY_FEATURE:
                continue
            checked = checked_columns(system, monitor, check, inputs)
            if checked is not None and len(checked) < check.min_features:
                path = ("monitors", monitor.name, "checks", check.name)
                written = check.min_features > 1
                span = system.at(*path, "minFeatures") if written else system.key(*path)
                yield problems.fewer_features_than_asked(span, check.name, check.min_features, sorted(checked))


def checked_columns(
    system: System, monitor: Monitor, check: Check, inputs: Mapping[str, tuple[str, ...]]
) -> set[str] | None:
    """Return the columns that a check without `features` can cover at most, or None if they are unknown."""
    if not monitor_type(monitor.type).features:
        return {*PREDICTED}
    watched_columns = _watched_columns(system, monitor, inputs)
    if check.metric == "missing" and monitor.type == "data-quality":
        return watched_columns
    reference_columns = _reference_columns(system, monitor, inputs)
    return (
        watched_columns
        if reference_columns is None
        else reference_columns
        if watched_columns is None
        else watched_columns & reference_columns
    )


def _watched_columns(system: System, monitor: Monitor, inputs: Mapping[str, tuple[str, ...]]) -> set[str] | None:
    """Return the columns of the watched data."""
    section, _, name = monitor.watch.partition(".")
    if section == "inference":
        capture = system.inference[name].capture
        columns = _columns(system, monitor, inputs)
        return {*columns, *capture.redact} if capture is not None and columns else None
    watched = watched_dataset(system, monitor)
    return {column for column, _ in watched.schema} or None if watched is not None else None


def _reference_columns(system: System, monitor: Monitor, inputs: Mapping[str, tuple[str, ...]]) -> set[str] | None:
    """Return the columns of a monitor's reference data, or None if they are unknown."""
    reference = monitor.reference
    if reference is not None and reference.data:
        data = system.data[reference.data]
        columns = {column for column, _ in data.schema} - {data.label, data.timestamp}
        return {*data.features} or columns or None
    section, _, name = monitor.watch.partition(".")
    if section == "inference":
        models = [variant.model.model for variant in system.inference[name].variants]
    else:
        model = watched_model(system, monitor)
        models = [model.model] if model is not None else []
    columns_of_models = [inputs.get(model, ()) for model in models]
    return (
        {column for columns in columns_of_models for column in columns}
        if columns_of_models and all(columns_of_models)
        else None
    )


def _columns(system: System, monitor: Monitor, inputs: Mapping[str, tuple[str, ...]]) -> set[str]:
    """Return the columns that an endpoint captures, or an empty set if any of its models has unknown inputs."""
    section, _, name = monitor.watch.partition(".")
    inference = system.inference[name] if section == "inference" else None
    if inference is None or inference.capture is None:
        return set()
    columns_of_models = [inputs.get(variant.model.model, ()) for variant in inference.variants]
    captured = inference.capture.columns or [
        column for columns in columns_of_models for column in columns if all(columns_of_models)
    ]
    return {*captured, *capture_keys(system, inference)} - {*inference.capture.redact} if captured else set()


def model_inputs(system: System) -> dict[str, tuple[str, ...]]:
    """Return the input columns of each model that is trained only by built-in trainers."""
    inputs: dict[str, tuple[str, ...]] = {}
    for pipeline in system.pipelines.values():
        for step in pipeline.steps if pipeline.type == "training" and pipeline.model else ():
            assert pipeline.model is not None
            model = pipeline.model.model
            data = [system.data[name] for name in step.inputs] if step.trainer else []
            features = training_input(data, pipeline.split.key).features if data else ()
            before = inputs.get(model, features)
            inputs[model] = (*before, *features) if before and features else ()
    return inputs


def _trained_on(system: System) -> set[str]:
    """Return all columns that the spec's training pipelines read."""
    steps = [step for pipeline in system.pipelines.values() if pipeline.type == "training" for step in pipeline.steps]
    datasets = [system.data[name] for step in steps for name in step.inputs]
    columns = {column for data in datasets for column, _ in data.schema}
    return columns.union(*({*data.features, data.label, data.timestamp} for data in datasets))


def _is_captured(system: System, inference: Inference, capture: Capture, column: str) -> bool:
    if column in capture.redact:
        return False
    return not capture.columns or column in capture.columns or column in capture_keys(system, inference)


RULES: Final[tuple[Rule, ...]] = (features, labels, joins, counted, keys)
