"""Check built-in trainers: their tasks, worker counts, and requirements for grouped rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.capabilities import metric_of, monitor_type, trainers
from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.base import quote
from modelyard.diagnostics.check import trainers as problems
from modelyard.provider import Rule
from modelyard.source import Path
from modelyard.spec import Monitor, Pipeline, Step, System
from modelyard.spec.watched import watched_dataset


def tasks(system: System) -> Iterator[Diagnostic]:
    """Require each built-in trainer to support its model's task."""
    for _, step, task in _built_in(system):
        if task not in trainers()[step.trainer].tasks:
            capable = [name for name, trainer in trainers().items() if task in trainer.tasks]
            written = _is_written(system, (*step.path, "trainer"))
            span = system.at(*step.path, "trainer") if written else system.key(*step.path)
            yield problems.trainer_cannot(span, step.trainer, task, capable)


def pickled(system: System) -> Iterator[Diagnostic]:
    """Reject pickled models in high-risk systems, because loading them can run arbitrary code."""
    for pipeline in system.pipelines.values() if system.governance.risk == "high" else ():
        custom_steps = [step for step in pipeline.steps if step.source.entrypoint]
        if (
            pipeline.type != "training"
            or pipeline.model is None
            or not custom_steps
            or any(s.trainer for s in pipeline.steps)
        ):
            continue
        model = system.models[pipeline.model.model]
        trainer = trainers().get(model.framework)
        if trainer is not None and trainer.returned == "pickle":
            alone = model.task in trainer.tasks and trainer.writes != "pickle"
            yield problems.model_pickled(
                system.at("models", model.name, "framework"), model.name, model.framework, pipeline.name, alone
            )


def misplaced(system: System) -> Iterator[Diagnostic]:
    """Reject trainers that are not in a training pipeline."""
    for pipeline in system.pipelines.values():
        for step in pipeline.steps if pipeline.type != "training" else ():
            if step.trainer:
                span = system.at(*step.path, "trainer")
                yield problems.trainer_without_training(span, step.name, step.trainer, pipeline.type)


def together(system: System) -> Iterator[Diagnostic]:
    """Report steps with several workers if their trainer can't distribute one model. Searches are exempt."""
    for pipeline, step, task in _built_in(system):
        capable = [name for name, trainer in trainers().items() if trainer.together and task in trainer.tasks]
        if pipeline.tuning is None and step.workers.maximum > 1 and not trainers()[step.trainer].together:
            span = system.key(*_workers_of(system, pipeline, step))
            yield problems.trains_on_one_worker(span, step.trainer, step.workers.maximum, capable)


def _workers_of(system: System, pipeline: Pipeline, step: Step) -> Path:
    path: Path = (*step.path, "workers")
    return path if _is_written(system, path) else ("pipelines", pipeline.name, "workers")


def in_one_memory(system: System) -> Iterator[Diagnostic]:
    """Warn when a trainer that could shard its data has to load all rows on every worker.

    PyTorch trainers and ranking models aren't checked, because they never shard rows.
    """
    for pipeline, step, task in _built_in(system):
        boosted = step.trainer in {"xgboost", "lightgbm"} and task != "ranking"
        if pipeline.tuning is None and step.workers.maximum > 1 and boosted and (reason := _unsharded(system, step)):
            span = system.key(*_workers_of(system, pipeline, step))
            yield problems.rows_in_one_memory(span, step.name, step.workers.maximum, reason)


def _unsharded(system: System, step: Step) -> str:
    if len(step.inputs) > 1:
        return f"the step's {len(step.inputs)} inputs are joined"
    columns = [name for data in step.inputs for name, kind in system.data[data].schema if kind == "boolean"]
    return f"column {quote(columns[0])} contains booleans" if columns else ""


def groups(system: System) -> Iterator[Diagnostic]:
    """Require ranking datasets to declare which rows form a group."""
    reported: set[str] = set()
    for pipeline, step, task in _built_in(system):
        if task == "ranking" and not _grouped(system, step.inputs):
            assert pipeline.model is not None
            reported.add(pipeline.model.model)
            yield problems.group_missing(system.key(*step.path), f"pipeline '{pipeline.name}'", step.inputs)
    yield from _gates(system, reported)
    for monitor in system.monitors.values():
        yield from _monitored(system, monitor)


def _gates(system: System, reported: set[str]) -> Iterator[Diagnostic]:
    """Check that a gate's ranking metrics find groups in the pipeline's inputs or the gate's own dataset."""
    read: dict[str, list[tuple[str, ...]]] = {}
    for pipeline in system.pipelines.values():
        if pipeline.type == "training" and pipeline.model:
            inputs = dict.fromkeys(name for step in pipeline.steps for name in step.inputs)
            read.setdefault(pipeline.model.model, []).append(tuple(inputs))
    for model in system.models.values():
        for check in model.validation:
            judged = [(check.data,)] if check.data and model.name in read else read.get(model.name, [])
            names = next((datasets for datasets in judged if not _grouped(system, datasets)), None)
            if (
                names is not None
                and _needs(check.metric) == "group"
                and not (model.name in reported and not check.data)
            ):
                span = system.key("models", model.name, "validation", check.name)
                yield problems.group_missing(span, f"gate '{check.name}'", names)


def histories(system: System) -> Iterator[Diagnostic]:
    """Require timestamps in training rows for metrics that compare with a naive forecast."""
    reported: set[tuple[str, str]] = set()
    for pipeline in system.pipelines.values():
        inputs = tuple(dict.fromkeys(name for step in pipeline.steps for name in step.inputs))
        if pipeline.type != "training" or not pipeline.model or any(system.data[name].timestamp for name in inputs):
            continue
        model = pipeline.model.model
        for check in system.models[model].validation:
            if _needs(check.metric) == "history" and (model, check.name) not in reported:
                reported.add((model, check.name))
                span = system.key("models", model, "validation", check.name)
                yield problems.history_missing(span, f"gate '{check.name}'", check.metric, pipeline.name, inputs)
        tuned = pipeline.tuning
        if tuned and _needs(tuned.metric) == "history" and any(step.trainer for step in pipeline.steps):
            span = system.at("pipelines", pipeline.name, "tuning", "objective", "metric")
            yield problems.history_missing(span, "the search", tuned.metric, pipeline.name, inputs)


def _monitored(system: System, monitor: Monitor) -> Iterator[Diagnostic]:
    """Check that a monitor's ranking metrics find groups in the labels or the predictions."""
    output = watched_dataset(system, monitor) if monitor.watch.startswith("pipelines.") else None
    names = tuple(name for name in (monitor.labels, output.name if output is not None else "") if name)
    if not monitor_type(monitor.type).metrics or _grouped(system, names):
        return
    for check in monitor.checks:
        if _needs(check.metric) == "group":
            span = system.key("monitors", monitor.name, "checks", check.name)
            yield problems.group_missing(span, f"check '{check.name}'", names)


def _needs(name: str) -> str:
    """Return what a built-in metric needs besides labels and predictions, or "" for any other metric."""
    metric = metric_of(name)
    return "" if metric is None else metric.needs


def _grouped(system: System, names: tuple[str, ...]) -> bool:
    return any(system.data[name].group for name in names)


def _built_in(system: System) -> Iterator[tuple[Pipeline, Step, str]]:
    """Yield each step that uses a built-in trainer, along with its pipeline and the model's task."""
    for pipeline in system.pipelines.values():
        for step in pipeline.steps:
            if step.trainer and pipeline.type == "training" and pipeline.model is not None:
                yield pipeline, step, system.models[pipeline.model.model].task


def _is_written(system: System, path: Path) -> bool:
    return system.at(*path) != system.at(*path[:-1])


RULES: Final[tuple[Rule, ...]] = (misplaced, tasks, together, in_one_memory, groups, histories, pickled)
