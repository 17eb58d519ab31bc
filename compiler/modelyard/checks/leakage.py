"""Report leakage (training on data that production will not have) and skew (scoring on different columns)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.checks.folders import Folders, folder_of
from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import leakage as problems
from modelyard.provider import Rule
from modelyard.spec import Pipeline, Step, System
from modelyard.spec.scoring import scorings
from modelyard.spec.training_input import TrainingInput, training_input

_NUMBERS = frozenset({"integer", "number"})


def labels(system: System) -> Iterator[Diagnostic]:
    """Report features that are the label of a joined input, or that only become available with the labels."""
    for _, step in _training_steps(system):
        inputs = [system.data[name] for name in step.inputs]
        owners = {data.label: data.name for data in inputs if data.label}
        for data in inputs:
            for at, column in enumerate(data.features):
                if column in owners and owners[column] != data.name and column != data.label:
                    span = system.at("data", data.name, "features", at)
                    yield problems.joined_label_among_features(span, column, owners[column], data.name, step.name)
        with_features = [data for data in inputs if data.features]
        for dataset in with_features:
            if dataset.label and dataset.delay_s and len(with_features) > 1:
                span = system.key("data", dataset.name, "features")
                yield problems.features_arrive_with_labels(span, dataset.name, step.name)


def splits(system: System) -> Iterator[Diagnostic]:
    """Require forecasts to split by time, so that evaluation rows are newer than the training data."""
    for pipeline in system.pipelines.values():
        task = system.models[pipeline.model.model].task if pipeline.model else ""
        if pipeline.type == "training" and task == "forecasting" and pipeline.split.by == "random":
            path = ("pipelines", pipeline.name)
            written = "by" in system.written(*path, "split")
            if written or any(step.trainer for step in pipeline.steps):  # user code may do its own split
                span = system.at(*path, "split", "by") if written else system.key(*path)
                yield problems.forecast_split_at_random(span, pipeline.name)


def gates(system: System) -> Iterator[Diagnostic]:
    """Report gates that evaluate a model on its own training data."""
    trained: dict[str, list[str]] = {}
    for pipeline, step in _training_steps(system):
        assert pipeline.model is not None
        trained.setdefault(pipeline.model.model, []).extend(step.inputs)
    for model in system.models.values():
        read = Folders(folder_of(system, system.data[name]) for name in dict.fromkeys(trained.get(model.name, ())))
        for check in model.validation:
            other = read.overlapping(folder_of(system, system.data[check.data])) if check.data else None
            if other is not None:
                span = system.at("models", model.name, "validation", check.name, "data")
                yield problems.gate_on_training_data(span, check.name, check.data, other.what)


def inputs(system: System) -> Iterator[Diagnostic]:
    """Require a single label for built-in trainers, and no timestamp among the features."""
    for _, step in _training_steps(system):
        if not step.trainer:
            continue
        datasets = [system.data[name] for name in step.inputs]
        labelled = [data.name for data in datasets if data.label]
        if len(labelled) > 1:
            yield problems.several_labels(system.key(*step.path), step.name, labelled)
        for data in datasets:
            times = {column for column, kind in data.schema if kind == "timestamp"}
            for at, column in enumerate(data.features):
                if column in times:
                    span = system.at("data", data.name, "features", at)
                    yield problems.time_among_features(span, column, step.name, step.trainer)


def scoring(system: System) -> Iterator[Diagnostic]:
    """Require each input of built-in scoring to contain every feature, with the same type as in training.

    Unlike training, scoring doesn't join its inputs; it processes each one separately.
    """
    trained: dict[str, TrainingInput] = {}
    for pipeline, step in _training_steps(system):
        if step.trainer and pipeline.model is not None:
            learned_model = training_input([system.data[name] for name in step.inputs], pipeline.split.key)
            trained.setdefault(pipeline.model.model, learned_model)
    for scoring in scorings(system):
        model = trained.get(scoring.model.model)
        if model is None:
            continue
        for step in scoring.steps:
            if not step.source.entrypoint:
                yield from _scored(system, step, model)


def _scored(system: System, step: Step, model: TrainingInput) -> Iterator[Diagnostic]:
    if len(model.datasets.intersection(step.inputs)) > 1:
        yield problems.scored_separately(system.key(*step.path, "inputs"), step.name, sorted(model.datasets))
        return
    for at, name in enumerate(step.inputs):
        types = dict(system.data[name].schema)
        span = system.at(*step.path, "inputs", at)
        declared = frozenset(system.data[name].features)
        undeclared = [column for column in model.features if column not in declared]
        if declared and not types and undeclared and name not in model.datasets:
            yield problems.feature_not_declared(span, name, undeclared)
        missing = [column for column in model.features if column not in types]
        if types and missing:
            yield problems.feature_missing(span, name, missing)
            continue
        for column in model.features if types else ():
            then, now = model.types.get(column, types[column]), types[column]
            if then != now and not {then, now} <= _NUMBERS:
                yield problems.feature_of_other_type(span, name, column, now, then)


def _training_steps(system: System) -> Iterator[tuple[Pipeline, Step]]:
    for pipeline in system.pipelines.values():
        if pipeline.type == "training" and pipeline.model is not None:
            yield from ((pipeline, step) for step in pipeline.steps)


RULES: Final[tuple[Rule, ...]] = (labels, splits, gates, inputs, scoring)
