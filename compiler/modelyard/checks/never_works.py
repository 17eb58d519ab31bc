"""Report systems that deploy but never work: unset aliases, unknown parameters, inaccessible buckets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from modelyard.checks.pipelines import RESERVED_ALIAS
from modelyard.checks.suggestions import Suggestions
from modelyard.checks.trainer_parameters import Bounds, bounds_of, estimators, parameters_of
from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import never_works as problems
from modelyard.provider import Rule
from modelyard.source import Json, Path
from modelyard.spec import ModelRef, Pipeline, Step, System
from modelyard.spec.scoring import scorings
from modelyard.spec.watched import watched_model

_FRACTIONS: Final = frozenset({"uniform", "loguniform"})


def aliases(system: System) -> Iterator[Diagnostic]:
    """Require each alias in use to be set by a training pipeline, an import or a model stage.

    Aliases of models that are neither trained nor imported here are set by another system.
    """
    promoted = system.promoted()
    for ref, path in used(system):
        promoted_aliases = promoted.get(ref.model)
        if (
            promoted_aliases
            and ref.alias not in promoted_aliases
            and not ref.alias.isdecimal()
            and not RESERVED_ALIAS.fullmatch(ref.alias)
        ):
            model = system.models[ref.model]
            yield problems.alias_never_set(
                system.at(*path),
                ref.model,
                ref.alias,
                promoted_aliases,
                staged=bool(model.stages),
                imported=model.imported is not None,
            )


def used(system: System) -> Iterator[tuple[ModelRef, Path]]:
    """Yield every model version that is used for serving, scoring or as a base, with its location in the spec."""
    for model in system.models.values():
        if model.base is not None:
            yield model.base, ("models", model.name, "base")
    for inference in system.inference.values():
        for variant in inference.variants:
            yield variant.model, ("inference", inference.name, "variants", variant.name, "model")
        for adapter in inference.adapters:
            yield adapter.model, ("inference", inference.name, "adapters", adapter.name)
    for pipeline in system.pipelines.values():
        if pipeline.type != "training" and pipeline.model:
            yield pipeline.model, ("pipelines", pipeline.name, "model")
        for step in pipeline.steps:
            if step.model is not None:
                yield step.model, (*step.path, "model")


def parameters(system: System) -> Iterator[Diagnostic]:
    """Report step or search parameters that the built-in trainer doesn't have."""
    suggestions = Suggestions()
    for pipeline in system.pipelines.values():
        for step in pipeline.steps:
            if step.trainer and pipeline.model is not None:
                yield from _parameters(system, pipeline, step, suggestions)


def _parameters(system: System, pipeline: Pipeline, step: Step, suggestions: Suggestions) -> Iterator[Diagnostic]:
    assert pipeline.model is not None
    task = system.models[pipeline.model.model].task
    paths: dict[str, Path] = {name: (*step.path, "parameters", name) for name, _ in step.parameters}
    if pipeline.tuning is not None:
        paths |= {
            dimension.name: ("pipelines", pipeline.name, "tuning", "space", dimension.name)
            for dimension in pipeline.tuning.space
        }
    estimator = dict(step.parameters).get("estimator", "") if step.trainer == "scikit-learn" else ""
    if step.trainer == "scikit-learn":
        path = paths.pop("estimator", None)
        if path and estimator not in estimators():
            yield problems.estimator_unknown(system.at(*path), str(estimator), estimators())
            return
    known_parameters = parameters_of(step.trainer, str(estimator), task)
    for name, path in paths.items():
        if name not in known_parameters:
            yield problems.parameter_unknown(system.key(*path), name, step.trainer, suggestions.among(known_parameters))
    yield from _out_of_range(system, pipeline, step, bounds_of(step.trainer, str(estimator)))


def _out_of_range(system: System, pipeline: Pipeline, step: Step, bounds: Mapping[str, Bounds]) -> Iterator[Diagnostic]:
    """Report numbers that the trainer rejects, or that would prevent it from learning anything."""
    fractions: dict[str, str] = {}
    for dimension in pipeline.tuning.space if pipeline.tuning is not None else ():
        if dimension.kind in _FRACTIONS and dimension.name in bounds and bounds[dimension.name].number is None:
            fractions[dimension.name] = dimension.kind
    for name, kind in fractions.items():
        span = system.key("pipelines", pipeline.name, "tuning", "space", name, kind)
        yield problems.parameter_out_of_range(span, name, step.trainer, "a fraction", f"write int instead of {kind}")
    for name, value, path in _numbers(pipeline, step):
        if name in bounds and name not in fractions and not bounds[name].takes(value):
            span, hint = system.at(*path), f"use {bounds[name].text}"
            yield problems.parameter_out_of_range(span, name, step.trainer, f"{value:.12g}", hint)


def _numbers(pipeline: Pipeline, step: Step) -> Iterator[tuple[str, float, Path]]:
    """Yield a step's numeric parameters and its search's choices and bounds, along with their spec paths."""
    values: list[tuple[str, Json, Path]] = [
        (name, value, (*step.path, "parameters", name)) for name, value in step.parameters
    ]
    for dimension in pipeline.tuning.space if pipeline.tuning is not None else ():
        path: Path = ("pipelines", pipeline.name, "tuning", "space", dimension.name, dimension.kind)
        candidates = dimension.choices if dimension.kind == "choice" else (dimension.low, dimension.high)
        if dimension.kind == "int":
            candidates = tuple(int(bound) for bound in (dimension.low, dimension.high) if bound is not None)
        values += [(dimension.name, value, (*path, at)) for at, value in enumerate(candidates)]
    for name, value, path in values:
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield name, value, path


def buckets(system: System) -> Iterator[Diagnostic]:
    """Require credentials for buckets that a cluster adopts. Workloads on a cluster have no cloud identity."""
    for store in system.stores.values():
        target = system.target(store.target)
        if store.type != "object" or not store.adopt or target.provider != "kubernetes":
            continue
        if store.credentials is None:
            span = system.at("stores", store.name, "adopt")
            yield problems.bucket_without_access(span, store.name, store.target, bool(store.endpoint))


def labels(system: System) -> Iterator[Diagnostic]:
    """Require captures to be kept for at least the label delay plus the monitor's window."""
    for monitor in system.monitors.values():
        section, _, name = monitor.watch.partition(".")
        capture = system.inference[name].capture if section == "inference" else None
        if capture is None or capture.retain_s is None:
            continue
        delay_s = (system.data[monitor.labels].delay_s or 0) if monitor.labels else 0
        if monitor.labels and delay_s >= capture.retain_s:
            span = system.at("monitors", monitor.name, "labels")
            yield problems.labels_after_captures(span, monitor.labels, delay_s, name, capture.retain_s)
        elif monitor.window_s + delay_s > capture.retain_s:
            span = system.key("monitors", monitor.name, "window")
            needed_s = monitor.window_s + delay_s
            yield problems.window_beyond_captures(span, monitor.name, needed_s, name, capture.retain_s)


def retention(system: System) -> Iterator[Diagnostic]:
    """Report monitors whose window is longer than the bucket's retention period."""
    for monitor in system.monitors.values():
        section, _, name = monitor.watch.partition(".")
        windows = [(name, monitor.window_s, "window")] if section == "data" else []
        if monitor.reference and monitor.reference.data and monitor.reference.window_s:
            windows.append((monitor.reference.data, monitor.reference.window_s, "reference"))
        for data, window_s, field in windows:
            store = system.stores.get(system.data[data].store)
            if store is not None and not store.adopt and store.retention_s and store.retention_s < window_s:
                span = system.key("monitors", monitor.name, field)
                yield problems.window_beyond_retention(span, data, window_s, store.name, store.retention_s)


def outputs(system: System) -> Iterator[Diagnostic]:
    """Report output formats that built-in scoring does not support."""
    for scoring in scorings(system):
        for step in scoring.steps:
            output = step.output or scoring.output
            if not step.source.entrypoint and output and system.data[output].format == "json":
                yield problems.output_not_writable(system.at(*step.path, "output"), output)


def retraining(system: System) -> Iterator[Diagnostic]:
    """Report breaches that retrain a model other than the one being watched."""
    for monitor in system.monitors.values():
        section, _, name = monitor.watch.partition(".")
        pipeline = system.pipelines.get(monitor.on_breach.run)
        if pipeline is None or pipeline.type != "training" or pipeline.model is None or section == "data":
            continue
        if section == "inference":
            watched = [variant.model.model for variant in system.inference[name].variants]
        else:
            watched = [ref.model for ref in (watched_model(system, monitor),) if ref]
        if watched and pipeline.model.model not in watched:
            span = system.at("monitors", monitor.name, "onBreach", "run")
            yield problems.trains_another_model(span, pipeline.name, pipeline.model.model, monitor.watch)


RULES: Final[tuple[Rule, ...]] = (aliases, parameters, buckets, labels, retention, outputs, retraining)
