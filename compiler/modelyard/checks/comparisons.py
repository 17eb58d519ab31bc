"""Check comparisons between model versions: how rows are identified, and which rows are compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.checks.suggestions import Suggestions
from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import comparisons as problems
from modelyard.diagnostics.check.pipelines import column_unknown
from modelyard.provider import Rule
from modelyard.source import Path
from modelyard.spec import Check, Model, Pipeline, Step, System


def keys(system: System) -> Iterator[Diagnostic]:
    """Require a split's key columns to exist in the training data, if the data has a schema."""
    suggestions = Suggestions()
    for pipeline in system.pipelines.values():
        for step in _judged(pipeline):
            inputs = [system.data[name] for name in step.inputs]
            columns = [column for data in inputs for column, _ in data.schema]
            if not inputs or not all(data.schema for data in inputs):
                continue
            for at, column in enumerate(pipeline.split.key):
                if column not in columns:
                    span = system.at("pipelines", pipeline.name, "split", "key", at)
                    yield column_unknown(span, column, step.inputs, suggestions.among(columns))


def roles(system: System) -> Iterator[Diagnostic]:
    """Reject split keys that do not identify rows, such as the label alone or the timestamp alone."""
    for pipeline in system.pipelines.values():
        path: Path = ("pipelines", pipeline.name, "split", "key")
        read = [system.data[name] for step in _judged(pipeline) for name in step.inputs]
        labels = {data.label: data.name for data in read if data.label}
        for at, column in enumerate(pipeline.split.key):
            if column in labels:
                yield problems.split_by_label(system.at(*path, at), column, labels[column])
        if {*pipeline.split.key} and {*pipeline.split.key} <= {data.timestamp for data in read}:
            yield problems.split_by_moment(system.at(*path, 0), pipeline.split.key[0])


def known_rows(system: System) -> Iterator[Diagnostic]:
    """Require a key, group or timestamp that identifies rows in comparisons with the champion."""
    for pipeline in system.pipelines.values():
        model = system.models[pipeline.model.model] if pipeline.model else None
        if pipeline.type != "training" or model is None or pipeline.split.by == "time" or pipeline.split.key:
            continue
        if model.task == "forecasting":
            continue  # leakage.splits reports the missing split by time
        line = next((check for check in model.validation if check.versus and not check.data), None)
        grouped = any(system.data[name].group for step in _judged(pipeline) for name in step.inputs)
        if line is not None and not grouped:
            span = system.key("models", model.name, "validation", line.name)
            yield problems.rows_without_key(span, line.name, pipeline.name)


def slices(system: System) -> Iterator[Diagnostic]:
    """Require sliced gate checks to use a column of the evaluated data and not to compare with the champion."""
    for model in system.models.values():
        for check in model.validation:
            path = ("models", model.name, "validation", check.name)
            if check.by and check.versus:
                yield problems.slices_compared(system.key(*path, "by"), check.name)
            elif check.by:
                yield from _slice_column(system, model, check, (*path, "by"))


def _slice_column(system: System, model: Model, check: Check, path: Path) -> Iterator[Diagnostic]:
    training = [pipeline for pipeline in system.pipelines.values() if pipeline.type == "training" and pipeline.model]
    trained = [
        step
        for pipeline in training
        if pipeline.model and pipeline.model.model == model.name
        for step in _judged(pipeline)
    ]
    judged: list[tuple[str, ...]] = [(check.data,)] if check.data else [step.inputs for step in trained]
    for names in judged:
        inputs = [system.data[name] for name in names]
        columns = [column for data in inputs for column, _ in data.schema]
        if inputs and all(data.schema for data in inputs) and check.by not in columns:
            yield column_unknown(system.at(*path), check.by, names, Suggestions().among(columns))
            return


def thresholds(system: System) -> Iterator[Diagnostic]:
    """Reject thresholds for any task other than binary classification."""
    for model in system.models.values():
        if model.threshold is not None and model.task != "binary-classification":
            yield problems.threshold_without_two_classes(system.key("models", model.name, "threshold"), model.task)


def _judged(pipeline: Pipeline) -> tuple[Step, ...]:
    """Return the steps whose data is split: those with built-in trainers or, if there are none, all training steps."""
    return tuple(step for step in pipeline.steps if step.trainer) or pipeline.steps


RULES: Final[tuple[Rule, ...]] = (keys, known_rows, slices, thresholds, roles)
