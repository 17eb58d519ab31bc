"""Versions that are compared: what a row is known by, and on which rows."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.checks.suggestions import Suggestions
from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import comparisons as problems
from modelyard.diagnostics.check.pipelines import column_unknown
from modelyard.spec import Pipeline, Step, System


def keys(system: System) -> Iterator[Diagnostic]:
    """The columns of a split's key are among those of the training data, where these have a schema."""
    suggestions = Suggestions()
    for pipeline in system.pipelines.values():
        for step in _judged(pipeline):
            inputs = [system.data[name] for name in step.inputs]
            known = [column for data in inputs for column, _ in data.schema]
            if not inputs or not all(data.schema for data in inputs):
                continue
            for at, column in enumerate(pipeline.split.key):
                if column not in known:
                    span = system.at("pipelines", pipeline.name, "split", "key", at)
                    yield column_unknown(span, column, ", ".join(step.inputs), suggestions.among(known))


def known_rows(system: System) -> Iterator[Diagnostic]:
    """A comparison with the champion knows its rows by a key, a group or their time."""
    for pipeline in system.pipelines.values():
        model = system.models[pipeline.model.model] if pipeline.model else None
        if pipeline.type != "training" or model is None or pipeline.split.by == "time" or pipeline.split.key:
            continue
        if model.task == "forecasting":
            continue  # leakage.splits asks for a split by time
        line = next((check for check in model.validation if check.versus and not check.data), None)
        grouped = any(system.data[name].group for step in _judged(pipeline) for name in step.inputs)
        if line is not None and not grouped:
            span = system.key("models", model.name, "validation", line.name)
            yield problems.rows_without_key(span, line.name, pipeline.name)


def _judged(pipeline: Pipeline) -> tuple[Step, ...]:
    """The steps whose data is split: built-in trainers, else whatever trains."""
    return tuple(step for step in pipeline.steps if step.trainer) or pipeline.steps
