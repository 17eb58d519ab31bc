"""Check data, models and pipelines: columns, metrics, steps and searches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.capabilities import Metric, fits, is_built_in, metric_of, metrics_of, reported_may_have
from modelyard.checks.suggestions import Suggestions
from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import metrics as metric_problems
from modelyard.diagnostics.check import pipelines as problems
from modelyard.patterns import pattern
from modelyard.provider import Rule
from modelyard.source import Path
from modelyard.spec import Check, Dataset, Model, Pipeline, Range, Step, System
from modelyard.spec.scoring import scorings

RESERVED_ALIAS: Final = pattern(r"latest|v[0-9]+")
"""Names that MLflow rejects as aliases (mlflow/utils/validation.py in 3.17, read 2026-11-25)."""


def columns(system: System) -> Iterator[Diagnostic]:
    """Require a dataset's columns to be in its schema, if it has one, and exclude the label from its features."""
    suggestions = Suggestions()
    for data in system.data.values():
        if data.schema:
            yield from _columns_in_schema(system, data, suggestions)
        if data.label and data.label in data.features:
            at = data.features.index(data.label)
            yield problems.label_among_features(system.at("data", data.name, "features", at), data.label)


def _columns_in_schema(system: System, data: Dataset, suggestions: Suggestions) -> Iterator[Diagnostic]:
    known = dict(data.schema)
    columns: list[tuple[Path, str]] = [(("features", at), column) for at, column in enumerate(data.features)]
    columns += [(("label",), data.label), (("timestamp",), data.timestamp), (("group",), data.group)]
    for path, column in columns:
        if column and column not in known:
            span = system.at("data", data.name, *path)
            yield problems.column_unknown(span, column, [data.name], suggestions.among(known))


def inputs(system: System) -> Iterator[Diagnostic]:
    """Require labels for built-in trainers and timestamps for time splits. Report steps that overwrite their input."""
    for pipeline in system.pipelines.values():
        for step in pipeline.steps:
            if step.trainer and not any(system.data[name].label for name in step.inputs):
                yield problems.label_missing(system.key(*step.path), step.name, step.trainer, len(step.inputs))
            if step.output and step.output in step.inputs:
                yield problems.output_is_input(system.at(*step.path, "output"), step.output)
        if pipeline.split.by == "time":
            names = {name for step in pipeline.steps for name in step.inputs}
            if not any(system.data[name].timestamp for name in names):
                span = system.at("pipelines", pipeline.name, "split", "by")
                yield problems.timestamp_missing(span, pipeline.name)


def trainers(system: System) -> Iterator[Diagnostic]:
    """Require a pipeline to train its model exactly once, with a trainer for the model's framework."""
    for pipeline in system.pipelines.values():
        training = [step for step in pipeline.steps if step.trainer]
        if len(training) > 1:
            span = system.key(*training[1].path)
            yield problems.several_trainers(span, pipeline.name, [step.name for step in training])
        framework = system.models[pipeline.model.model].framework if pipeline.model else ""
        for step in training:
            if framework not in {step.trainer, "custom", ""}:
                span = system.at(*step.path, "trainer")
                yield problems.trainer_of_other_framework(span, step.trainer, framework)


def gates(system: System) -> Iterator[Diagnostic]:
    """Require gate checks to use a metric that is actually reported, and bounds that can be met."""
    own = _reporting_own_metrics(system)
    for model in system.models.values():
        for check in model.validation:
            path = ("models", model.name, "validation", check.name)
            yield from bounds_of(system, check, path)
            yield from _metric(system, check.metric, model, model.name in own, (*path, "metric"))
            yield from _compared(system, check, model, model.name in own, path)
            metric = metric_of(check.metric)
            if metric is not None:
                yield from direction_of(system, check, path, metric)
                yield from within_reach(system, check, path, metric)


def _compared(system: System, check: Check, model: Model, own: bool, path: Path) -> Iterator[Diagnostic]:
    """Report gate checks that use `versus`, `data` or `by` on a user-defined metric, which nothing reports there."""
    fields = (("versus", check.versus), ("data", check.data), ("by", check.by))
    field = next((field for field, value in fields if value and not reported_may_have(field)), "")
    if own and field and not is_built_in(check.metric):
        span = system.key(*path, field)
        yield metric_problems.own_metric_compared(span, check.metric, model.name, field, metrics_of(model.task))


def _reporting_own_metrics(system: System) -> set[str]:
    """Return the models that aren't trained by built-in trainers alone. Their user code may report any metric."""
    built_in = {
        pipeline.model.model
        for pipeline in _training(system)
        if pipeline.model and not any(step.source.entrypoint for step in pipeline.steps)
    }
    return system.models.keys() - built_in


def _training(system: System) -> list[Pipeline]:
    return [pipeline for pipeline in system.pipelines.values() if pipeline.type == "training"]


def _metric(system: System, metric: str, model: Model, own: bool, path: Path) -> Iterator[Diagnostic]:
    fitting, built_in = metrics_of(model.task), is_built_in(metric)
    if fits(metric, model.task) or (own and not built_in):
        return
    span = system.at(*path)
    if built_in:
        yield metric_problems.metric_of_other_task(span, metric, model.task, fitting)
    else:
        yield metric_problems.metric_unknown(span, metric, fitting, f"for model '{model.name}'")


def direction_of(system: System, check: Check, path: Path, metric: Metric) -> Iterator[Diagnostic]:
    """Report checks whose only bound rejects good values instead of bad ones."""
    if check.versus or (check.minimum is None) == (check.maximum is None):
        return
    if check.maximum is None and metric.better == "smaller":
        yield metric_problems.bound_in_wrong_direction(system.key(*path, "min"), check.metric, "min")
    elif check.minimum is None and metric.better == "larger":
        yield metric_problems.bound_in_wrong_direction(system.key(*path, "max"), check.metric, "max")


def within_reach(system: System, check: Check, path: Path, metric: Metric) -> Iterator[Diagnostic]:
    """Report bounds that are impossible, have no effect, or use the wrong unit, e.g. 95 for 95%."""
    low, high = metric.least, metric.most
    only = check.minimum is None or check.maximum is None
    if check.versus and check.min_delta >= high - low:
        span = system.at(*path, "minDelta")
        yield metric_problems.delta_out_of_reach(span, check.metric, check.min_delta, high - low)
    for field, bound, limit in (("min", check.minimum, low), ("max", check.maximum, high)):
        if bound is None:
            continue
        span = system.at(*path, field)
        if field == "min" and bound > 1 and high == 1:
            yield metric_problems.bound_out_of_reach(span, check.metric, bound)
        elif not low <= bound <= high:
            yield metric_problems.bound_outside_range(span, check.metric, field, bound, low, high)
        elif bound == limit and only and not check.versus:
            yield metric_problems.bound_without_effect(span, check.metric, field, bound)
        elif metric.unit == "share" and bound > 1:
            yield metric_problems.bound_in_other_unit(span, check.metric, bound, "a fraction", f"{bound / 100:g}")
        elif metric.unit == "milliseconds" and 0 < bound < 1:
            unit, better = "in milliseconds", f"{bound * 1000:g}"
            yield metric_problems.bound_in_other_unit(span, check.metric, bound, unit, better)


def bounds_of(system: System, check: Check, path: Path) -> Iterator[Diagnostic]:
    """Report checks whose lower bound is above their upper bound."""
    if check.minimum is not None and check.maximum is not None and check.minimum > check.maximum:
        yield problems.bounds_reversed(system.at(*path, "min"), check.minimum, check.maximum)


def tuning(system: System) -> Iterator[Diagnostic]:
    """Require a search to optimize a reported metric in the right direction, with ordered bounds."""
    for pipeline in system.pipelines.values():
        tuned = pipeline.tuning
        if tuned is None or pipeline.model is None:
            continue
        path: Path = ("pipelines", pipeline.name, "tuning")
        model = system.models[pipeline.model.model]
        own = not any(step.trainer for step in pipeline.steps)  # otherwise, only this step is searched
        yield from _metric(system, tuned.metric, model, own, (*path, "objective", "metric"))
        metric = metric_of(tuned.metric)
        if metric is not None and (tuned.goal == "minimize") != (metric.better == "smaller"):
            yield metric_problems.goal_against_metric(system.at(*path, "objective", "goal"), tuned.metric, tuned.goal)
        if tuned.parallel > tuned.trials:
            span = system.at(*path, "trials", "parallel")
            yield problems.more_parallel_than_trials(span, tuned.parallel, tuned.trials)
        workers = max(step.workers.maximum for step in _searched(pipeline))
        if tuned.trials >= tuned.parallel > workers:
            span = system.at(*path, "trials", "parallel")
            yield problems.fewer_workers_than_trials(span, tuned.parallel, workers)
        for dimension in tuned.space:
            if dimension.low is not None and dimension.high is not None and dimension.low > dimension.high:
                span = system.at(*path, "space", dimension.name, dimension.kind)
                yield problems.bounds_reversed(span, dimension.low, dimension.high)


def _searched(pipeline: Pipeline) -> list[Step]:
    """Return the steps that a search tunes: those with built-in trainers or, failing that, the final steps."""
    needed = {name for step in pipeline.steps for name in step.needs}
    ends = [step for step in pipeline.steps if step.name not in needed]
    return [step for step in pipeline.steps if step.trainer] or ends or list(pipeline.steps)


def steps(system: System) -> Iterator[Diagnostic]:
    """Report steps that wait for each other in a cycle or may exceed the pipeline's timeout."""
    for pipeline in system.pipelines.values():
        cycle = _cycle(pipeline)
        if cycle:
            span = system.key("pipelines", pipeline.name, "steps", cycle[0], "needs")
            yield problems.steps_in_a_circle(span, cycle)
        for step in pipeline.steps:
            if step.timeout_s > pipeline.timeout_s:
                yield problems.step_outlives_pipeline(system.at(*step.path, "timeout"), step.name, pipeline.name)


def _cycle(pipeline: Pipeline) -> list[str]:
    """Return a cycle in which each step needs the next and the last needs the first, or an empty list."""
    waiting = {step.name: len(step.needs) for step in pipeline.steps}
    followers: dict[str, list[str]] = {}
    for step in pipeline.steps:
        for dependency in step.needs:
            followers.setdefault(dependency, []).append(step.name)
    ready = [name for name, count in waiting.items() if not count]
    while ready:
        name = ready.pop()
        del waiting[name]
        for follower in followers.get(name, ()):
            waiting[follower] -= 1
            if not waiting[follower]:
                ready.append(follower)
    if not waiting:
        return []
    stuck = {step.name: [name for name in step.needs if name in waiting] for step in pipeline.steps}
    walked: dict[str, None] = {}
    at = next(iter(waiting))
    while at not in walked:
        walked[at] = None
        at = stuck[at][0]
    names = list(walked)
    return names[names.index(at) :]


def workers(system: System) -> Iterator[Diagnostic]:
    """Report minimum worker or replica counts that exceed the maximum."""
    for pipeline in system.pipelines.values():
        reported = False
        for step in pipeline.steps:
            if step.workers.minimum > step.workers.maximum:
                own: Path = (*step.path, "workers")
                inherited = len(step.path) > 2 and system.at(*own) == system.at(*step.path)
                path: Path = ("pipelines", pipeline.name, "workers") if inherited else own
                if not (reported and inherited):
                    yield _reversed(system, step.workers, path)
                reported = reported or inherited
    for inference in system.inference.values():
        ranges: dict[Path, Range] = {}
        for variant in inference.variants:
            if variant.replicas.minimum > variant.replicas.maximum:
                own = ("inference", inference.name, "variants", variant.name, "replicas")
                inherited = system.at(*own) == system.at(*own[:-1])
                ranges[("inference", inference.name, "replicas") if inherited else own] = variant.replicas
        for path, replicas in ranges.items():
            yield _reversed(system, replicas, path)


def _reversed(system: System, bounds: Range, path: Path) -> Diagnostic:
    return problems.bounds_reversed(system.at(*path, "min"), bounds.minimum, bounds.maximum)


def aliases(system: System) -> Iterator[Diagnostic]:
    """Report aliases that MLflow reserves."""
    references: list[tuple[str, Path]] = [
        (model.base.alias, ("models", model.name, "base")) for model in system.models.values() if model.base is not None
    ]
    for inference in system.inference.values():
        references += [
            (variant.model.alias, ("inference", inference.name, "variants", variant.name, "model"))
            for variant in inference.variants
        ]
        references += [
            (adapter.model.alias, ("inference", inference.name, "adapters", adapter.name))
            for adapter in inference.adapters
        ]
    for pipeline in system.pipelines.values():
        own: Path = ("pipelines", pipeline.name)
        if pipeline.type == "training" and "promoteTo" in system.written(*own):
            references.append((pipeline.promote_to, (*own, "promoteTo")))
        elif pipeline.type == "training":
            continue
        elif pipeline.model is not None:
            references.append((pipeline.model.alias, (*own, "model")))
        references += [(step.model.alias, (*step.path, "model")) for step in pipeline.steps if step.model is not None]
    for model in system.models.values():
        if model.imported is not None and "promoteTo" in system.written("models", model.name, "import"):
            references.append((model.imported.promote_to, ("models", model.name, "import", "promoteTo")))
        for stage in model.stages:
            if RESERVED_ALIAS.fullmatch(stage.alias):
                span = system.key("models", model.name, "stages", stage.alias)
                yield problems.alias_of_the_registry(span, stage.alias, stage=True)
    for alias, path in references:
        if RESERVED_ALIAS.fullmatch(alias):
            yield problems.alias_of_the_registry(system.at(*path), alias)


def origin(system: System) -> Iterator[Diagnostic]:
    """Require every model in use to come from a pipeline in this spec, an import, or an adopted registry."""
    if system.registry is not None and system.registry.adopt:
        return
    promoted = system.promoted()
    used = [ref.model for inference in system.inference.values() for ref in inference.models]
    used += [pipeline.model.model for pipeline in system.pipelines.values() if pipeline.model]
    used += [scoring.model.model for scoring in scorings(system)]
    for name in dict.fromkeys(used):
        if name not in promoted:
            yield problems.never_trained(system.key("models", name), name)


RULES: Final[tuple[Rule, ...]] = (columns, inputs, trainers, gates, tuning, steps, workers, origin, aliases)
