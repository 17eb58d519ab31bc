"""Resolve pipelines: their steps, schedule, tuning and split."""

from __future__ import annotations

from collections.abc import Collection

from modelyard.diagnostics import resolve as problems
from modelyard.nodes import Node, NotValidatedError, as_node, integer, items, mapping, named_nodes, text, texts
from modelyard.records import record
from modelyard.resolve.compute import compute_of, needed_compute
from modelyard.resolve.quantities import part, range_of, seconds_or
from modelyard.resolve.scope import Scope, address, bound, reference, references
from modelyard.resolve.stages import first_stage
from modelyard.source import Json, Path
from modelyard.spec import (
    Deployment,
    Model,
    ModelRef,
    Parameter,
    Pipeline,
    Range,
    Reprocess,
    Schedule,
    Source,
    Split,
    Step,
    Tuning,
)

_TRAINERS = frozenset({"scikit-learn", "xgboost", "lightgbm", "pytorch", "transformers"})
_NO_SOURCE = Source()
_NO_SPLIT = Split()
_BY_HAND = Schedule()
_ONE_WORKER = Range(1, 1)
_DAY_S = 86400


@record
class _Defaults:
    """Values that a step inherits from its pipeline unless the step sets its own."""

    kind: str
    framework: str
    compute: str
    workers: Range
    inputs: tuple[str, ...]
    timeout_s: int


def resolve_pipelines(scope: Scope, deployment: Deployment, models: dict[str, Model]) -> dict[str, Pipeline]:
    """Resolve all pipelines. A pipeline without `steps` gets a single step with the pipeline's name."""
    return {
        name: _pipeline(scope, name, node, deployment, models) for name, node in named_nodes(scope.root, "pipelines")
    }


def _pipeline(scope: Scope, name: str, node: Node, deployment: Deployment, models: dict[str, Model]) -> Pipeline:
    path = ("pipelines", name)
    kind = text(node, "type")
    placed = deployment.placement.batch if kind == "batch-inference" else deployment.placement.training
    learned = models.get(text(node, "model").partition("@")[0])
    promote_to = text(node, "promoteTo", first_stage(learned.stages if learned else ()) or "champion")
    model = _model(scope, kind, node, path, promote_to)
    declared = models.get(model.model) if model else None
    defaults = _Defaults(
        kind=kind,
        framework=declared.framework if declared else "",
        compute=compute_of(scope, node, path, f"pipelines-{name}"),
        workers=range_of(node.get("workers"), _ONE_WORKER),
        inputs=references(scope, "data", node, "inputs", path),
        timeout_s=seconds_or(scope, node, "timeout", path, _DAY_S),
    )
    return Pipeline(
        name=name,
        type=kind,
        target=reference(scope, "targets", node, "target", path, placed),
        model=model,
        inputs=defaults.inputs,
        output=reference(scope, "data", node, "output", path),
        steps=_steps(scope, name, node, path, defaults),
        schedule=schedule_of(scope, node.get("schedule"), (*path, "schedule"), _BY_HAND),
        timeout_s=defaults.timeout_s,
        retries=integer(node, "retries", 1),
        tuning=_tuning(mapping(node, "tuning")) if "tuning" in node else None,
        split=_split(scope, mapping(node, "split"), (*path, "split")) if "split" in node else _NO_SPLIT,
        promote_to=promote_to,
        batch_size=integer(node, "batchSize", 8192),
        reprocess=_reprocess(scope, node.get("reprocess"), (*path, "reprocess")),
        priority=text(node, "priority", "normal"),
    )


def model_ref(scope: Scope, value: str, path: Path) -> ModelRef:
    """Resolve a reference of the form `model@alias`. The model must exist."""
    model, at, alias = value.partition("@")
    if not at:
        decided = "approvals" in mapping(scope.root, "governance")
        decided = decided or "validation" in mapping(scope.names["models"], value)
        scope.report(problems.alias_missing(scope.document.value_span(path), value, decided))
    return ModelRef(bound(scope, "models", model, path), alias)


def _model(scope: Scope, kind: str, node: Node, path: Path, promote_to: str) -> ModelRef | None:
    """Resolve a pipeline's model reference.

    For training, this is the alias to move. For batch inference, it is the version to use.
    """
    value = text(node, "model")
    if not value:
        return None
    place = (*path, "model")
    if kind != "training":
        return model_ref(scope, value, place)
    model, at, _ = value.partition("@")
    if at:
        scope.report(problems.alias_of_training(scope.document.value_span(place), value))
    return ModelRef(bound(scope, "models", model, place), promote_to)


def source_of(node: Node) -> Source:
    """Resolve user code: its image and entrypoint, either of which may be empty."""
    if "source" not in node:
        return _NO_SOURCE
    source = mapping(node, "source")
    return Source(text(source, "image"), text(source, "entrypoint"))


def _steps(scope: Scope, name: str, node: Node, path: Path, defaults: _Defaults) -> tuple[Step, ...]:
    if "steps" not in node:
        return (_only_step(scope, name, node, path, defaults),)
    steps = named_nodes(node, "steps")
    names = dict.fromkeys(step for step, _ in steps)
    return tuple(_step(scope, step, entry, (*path, "steps", step), names, defaults) for step, entry in steps)


def _only_step(scope: Scope, name: str, node: Node, path: Path, defaults: _Defaults) -> Step:
    """Return the implicit step of a pipeline without `steps`.

    The step has no retries of its own, because the whole run is retried.
    """
    source = source_of(node)
    return Step(
        name=name,
        path=path,
        needs=(),
        source=source,
        trainer=_trainer(scope, node, path, source, defaults),
        compute=needed_compute(scope, defaults.compute, path),
        workers=defaults.workers,
        inputs=defaults.inputs,
        output=text(node, "output"),
        parameters=tuple(mapping(node, "parameters").items()),
        retries=0,
        timeout_s=defaults.timeout_s,
    )


def _step(scope: Scope, name: str, node: Node, path: Path, names: Collection[str], defaults: _Defaults) -> Step:
    source = source_of(node)
    needs = texts(node, "needs")
    for at, need in enumerate(needs):
        if need not in names:
            span = scope.document.value_span((*path, "needs", at))
            problem = problems.unknown_reference(span, "step", need, scope.suggestions(names))
            scope.report(problem, (*path[:-1], need))
    return Step(
        name=name,
        path=path,
        needs=needs,
        source=source,
        trainer="" if "model" in node and "trainer" not in node else _trainer(scope, node, path, source, defaults),
        compute=needed_compute(
            scope, compute_of(scope, node, path, f"pipelines-{path[1]}-{name}", defaults.compute), path
        ),
        workers=range_of(node.get("workers"), defaults.workers),
        inputs=references(scope, "data", node, "inputs", path) if "inputs" in node else defaults.inputs,
        output=reference(scope, "data", node, "output", path),
        parameters=tuple(mapping(node, "parameters").items()),
        retries=integer(node, "retries", 0),
        timeout_s=seconds_or(scope, node, "timeout", path, defaults.timeout_s),
        model=model_ref(scope, text(node, "model"), (*path, "model")) if "model" in node else None,
        batch_size=integer(node, "batchSize", 8192),
    )


def _trainer(scope: Scope, node: Node, path: Path, source: Source, defaults: _Defaults) -> str:
    """Return the built-in trainer's name, or "" if the step has its own entrypoint or trains nothing."""
    trainer = text(node, "trainer")
    if source.entrypoint:
        if trainer:
            span = scope.document.key_span((*path, "trainer"))
            scope.report(problems.trainer_beside_entrypoint(span, trainer, source.entrypoint))
        return ""
    if trainer or defaults.kind == "batch-inference":
        return trainer
    if defaults.kind == "training" and defaults.framework in _TRAINERS:
        return defaults.framework
    if defaults.kind == "custom" or defaults.framework:
        scope.report(problems.nothing_to_run(scope.document.key_span(path), str(path[-1]), defaults.framework))
    return ""


def schedule_of(scope: Scope, value: Json, path: Path, default: Schedule) -> Schedule:
    """Resolve a `schedule` field: `once`, `on-demand`, or a mapping with a cron line or the pipeline to follow."""
    if value is None:
        return default
    if isinstance(value, str):
        return Schedule(kind=value)
    node = as_node(value, "schedule")
    overlap = text(node, "overlap", "forbid")
    if "after" in node:
        followed = address(scope, node, "after", path).removeprefix("pipelines.")
        return Schedule(kind="after", after=followed, overlap=overlap)
    return Schedule(
        kind="cron",
        cron=text(node, "cron"),
        time_zone=text(node, "timeZone", "Etc/UTC"),
        overlap=overlap,
        starting_deadline_s=seconds_or(scope, node, "startingDeadline", path, 3600),
    )


def _reprocess(scope: Scope, value: Json, path: Path) -> Reprocess:
    """Resolve a `reprocess` field: `none`, `all`, or a mapping with a window."""
    if value is None or isinstance(value, str):
        return Reprocess(value or "none")
    return Reprocess("window", seconds_or(scope, as_node(value, "reprocess"), "window", path, _DAY_S))


def _tuning(node: Node) -> Tuning:
    objective, trials = mapping(node, "objective"), mapping(node, "trials")
    return Tuning(
        metric=text(objective, "metric"),
        goal=text(objective, "goal"),
        trials=integer(trials, "max", 1),
        parallel=integer(trials, "parallel", 1),
        early_stopping=text(node, "earlyStopping", "none"),
        space=tuple(_dimension(name, entry) for name, entry in named_nodes(node, "space")),
        seed=integer(node, "seed", 0) if "seed" in node else None,
    )


def _dimension(name: str, node: Node) -> Parameter:
    for kind in ("uniform", "loguniform", "int"):
        if kind in node:
            low, high = (value for value in items(node, kind))
            if not isinstance(low, int | float) or not isinstance(high, int | float):
                raise NotValidatedError(kind)
            return Parameter(name, kind, float(low), float(high))
    return Parameter(name, "choice", choices=tuple(items(node, "choice")))


def _split(scope: Scope, node: Node, path: Path) -> Split:
    return Split(
        fraction=part(scope, node, "fraction", path, 0.2),
        by=text(node, "by", "random"),
        seed=integer(node, "seed", 0),
        key=texts(node, "key"),
    )
