"""Check what monitors watch, what data they need, and what a breach triggers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from modelyard.capabilities import Metric, can_be_later, check_of, fits, metric_of, metrics_later, monitor_type
from modelyard.checks.pipelines import bounds_of, direction_of, within_reach
from modelyard.checks.schedules import gaps_s
from modelyard.checks.suggestions import Suggestions
from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import breaches, looks
from modelyard.diagnostics.check import metrics as metric_problems
from modelyard.diagnostics.check import monitors as problems
from modelyard.indexes import index
from modelyard.provider import Rule
from modelyard.spec import RULES_ONLY, Inference, Monitor, Pipeline, System
from modelyard.spec.monitors import OF_PREDICTIONS, PREDICTED
from modelyard.spec.scoring import scorings_of
from modelyard.spec.watched import keeps_state_for, state_folder, watched_dataset, watched_models, watched_pipeline

_KINDS = {"string": "id", "integer": "id", "number": "id", "boolean": "boolean", "timestamp": "timestamp"}
"""Column types whose values can match as keys. For example, a number matches its text."""
_WATCHED = {
    "inference": "an endpoint",
    "pipelines": "a pipeline",
    "pipelines.batch-inference": "a pipeline that scores with a model",
    "data": "a dataset",
}


def monitors(system: System) -> Iterator[Diagnostic]:
    """Apply all rules to each monitor."""
    for monitor in system.monitors.values():
        for rule in _RULES:
            yield from rule(system, monitor)


def _watch(system: System, monitor: Monitor) -> Iterator[Diagnostic]:
    """Report a `watch` that does not suit the monitor's type."""
    section, _, name = monitor.watch.partition(".")
    properties = monitor_type(monitor.type)
    pipeline = watched_pipeline(system, monitor)
    scored = tuple(scorings_of(pipeline)) if pipeline is not None else ()
    watched = {section, *(["pipelines.batch-inference"] if scored else [])}
    if monitor.type in OF_PREDICTIONS and len(scored) > 1:
        span = system.at("monitors", monitor.name, "watch")
        yield problems.watches_several_models(span, monitor.watch, [item.name for item in scored])
    elif watched.isdisjoint(properties.watches):
        span = system.at("monitors", monitor.name, "watch")
        yield problems.watch_does_not_fit(
            span, monitor.type, monitor.watch, [_WATCHED[item] for item in properties.watches]
        )
    elif section == "inference" and properties.reads == "rows" and _captures_nothing(system.inference[name]):
        yield problems.capture_missing(system.at("monitors", monitor.name, "watch"), monitor.name, name)


def _captures_nothing(inference: Inference) -> bool:
    """Return whether an endpoint could capture rows but doesn't. Language models have no rows (E0498)."""
    return inference.capture is None and inference.generation is None


def _runs(system: System, monitor: Monitor) -> Iterator[Diagnostic]:
    """Report watched pipelines that run only once, or not often enough for the freshness bound."""
    section, _, name = monitor.watch.partition(".")
    if section != "pipelines" or monitor.type != "performance":
        return
    schedule = system.pipelines[name].schedule
    if schedule.kind == "once":
        yield problems.runs_of_once(system.at("monitors", monitor.name, "watch"), monitor.name, name)
        return
    gaps = gaps_s(schedule)
    for check in monitor.checks:
        if gaps and check.metric == "freshness_s" and check.maximum is not None and check.maximum < gaps[1]:
            span = system.at("monitors", monitor.name, "checks", check.name, "max")
            yield problems.fresh_more_often_than_it_runs(span, name, check.maximum, gaps[1])


def _metrics(system: System, monitor: Monitor) -> Iterator[Diagnostic]:
    """Require checks to use a metric that suits the monitor's type and task, and bounds that can be met."""
    properties = monitor_type(monitor.type)
    own_metrics = (
        properties.of_runs if properties.of_runs and monitor.watch.startswith("pipelines.") else properties.checks
    )
    tasks = tuple(system.models[ref.model].task for ref in watched_models(system, monitor))
    for check in monitor.checks:
        path = ("monitors", monitor.name, "checks", check.name)
        yield from bounds_of(system, check, path)
        measured = _measured(check.metric, own_metrics, properties.metrics)
        if measured is not None:
            yield from direction_of(system, check, path, measured)
            yield from within_reach(system, check, path, measured)
        written = check.metric != check.name
        span = system.at(*path, "metric") if written else system.key(*path)
        if measured is None:
            metrics = (
                *own_metrics,
                *(name for task in dict.fromkeys(tasks) for name in metrics_later(task) if properties.metrics),
            )
            yield problems.metric_of_other_monitor(span, check.metric, monitor.type, tuple(dict.fromkeys(metrics)))
        elif measured.tasks:
            other_task = next((task for task in tasks if not fits(check.metric, task)), None)
            if other_task:
                yield metric_problems.metric_of_other_task(span, check.metric, other_task, metrics_later(other_task))
        if check.features and not properties.features:
            yield problems.features_without_meaning(system.key(*path, "features"), monitor.type)


def _measured(name: str, own_metrics: Sequence[str], metrics: bool) -> Metric | None:
    """Look up a metric by name: one of the monitor type's own or, if allowed, a model metric."""
    if name in own_metrics:
        return check_of(name)
    return metric_of(name) if metrics and can_be_later(name) else None


def _labels(system: System, monitor: Monitor) -> Iterator[Diagnostic]:
    """Require quality monitors to have labels, from a dataset that names its label column."""
    if "labels" not in monitor_type(monitor.type).needs:
        return
    if not monitor.labels:
        yield problems.labels_missing(system.key("monitors", monitor.name), monitor.name, monitor.type)
    elif not system.data[monitor.labels].label:
        yield problems.label_column_missing(system.at("monitors", monitor.name, "labels"), monitor.labels)


def _key(system: System, monitor: Monitor) -> Iterator[Diagnostic]:
    """Require the key columns in both labels and watched data, with comparable types, if both have schemas."""
    if not monitor.labels:
        return
    labels, watched = system.data[monitor.labels], watched_dataset(system, monitor)
    sides = [labels, *([watched] if watched is not None else [])]
    suggestions = Suggestions()
    for at, column in enumerate(monitor.key):
        span = system.at("monitors", monitor.name, "key", at)
        for data in sides:
            columns = {name: None for name, _ in data.schema}
            if columns and column not in columns:
                yield problems.key_unknown(span, column, data.name, suggestions.among(columns))
        kinds = [_KINDS[kind] for data in sides for name, kind in data.schema if name == column]
        if len(set(kinds)) > 1:
            yield problems.key_of_two_kinds(span, column, sides[0].name, sides[1].name)


def _reference(system: System, monitor: Monitor) -> Iterator[Diagnostic]:
    """Require an existing reference for drift monitors."""
    path = ("monitors", monitor.name)
    reference = monitor.reference
    if reference is None:
        if "reference" in monitor_type(monitor.type).needs:
            yield problems.reference_missing(system.key(*path), monitor.name, monitor.watch)
        return
    if not reference.data and not watched_models(system, monitor):
        yield problems.reference_data_missing(system.key(*path, "reference"), monitor.name, monitor.watch)
    if reference.data and reference.window_s is not None and not system.data[reference.data].timestamp:
        span = system.at(*path, "reference", "window")
        yield problems.monitored_timestamp_missing(span, monitor.name, reference.data)
    if monitor.type == "prediction-drift" and reference.data and not _may_have_predictions(system, reference.data):
        span = system.at(*path, "reference", "data")
        yield problems.reference_without_predictions(span, monitor.name, reference.data)


def _may_have_predictions(system: System, data: str) -> bool:
    columns = {column for column, _ in system.data[data].schema}
    return bool(columns & PREDICTED) if columns else data not in _only_trained_on(system.pipelines)


@index
def _only_trained_on(pipelines: Mapping[str, Pipeline]) -> frozenset[str]:
    """Return the datasets that training pipelines read and no pipeline writes scores to."""
    read = {
        data
        for pipeline in pipelines.values()
        if pipeline.type == "training"
        for step in pipeline.steps
        for data in step.inputs
    }
    return frozenset(read - {scoring.output for pipeline in pipelines.values() for scoring in scorings_of(pipeline)})


def features(system: System) -> Iterator[Diagnostic]:
    """Report features missing from the watched data, if its columns are known."""
    trained_on: dict[str, list[str]] = {}
    for pipeline in system.pipelines.values():
        if pipeline.type == "training" and pipeline.model:
            read = (data for step in pipeline.steps for data in step.inputs)
            trained_on.setdefault(pipeline.model.model, []).extend(read)
    columns: dict[tuple[str, ...], dict[str, None]] = {}
    suggestions = Suggestions()
    for monitor in system.monitors.values():
        if not monitor_type(monitor.type).features or not any(check.features for check in monitor.checks):
            continue
        names = _datasets(system, monitor, trained_on)
        known = columns.get(names)
        if known is None:
            known = columns[names] = _columns(system, names)
        for check in monitor.checks:
            for at, column in enumerate(check.features):
                if known and column not in known:
                    span = system.at("monitors", monitor.name, "checks", check.name, "features", at)
                    yield problems.feature_unknown(span, column, monitor.watch, suggestions.among(known))


def _datasets(system: System, monitor: Monitor, trained_on: Mapping[str, list[str]]) -> tuple[str, ...]:
    """Return the datasets with the same columns as the watched data."""
    section, _, name = monitor.watch.partition(".")
    if section == "data":
        return (name,)
    if section == "pipelines":
        watched = watched_dataset(system, monitor)
        return tuple(dict.fromkeys((*system.pipelines[name].inputs, *([watched.name] if watched else []))))
    return tuple(
        dict.fromkeys(data for ref in watched_models(system, monitor) for data in trained_on.get(ref.model, ()))
    )


def _columns(system: System, names: tuple[str, ...]) -> dict[str, None]:
    """Return the columns in the datasets' schemas, or an empty result if any dataset has no schema."""
    datasets = [system.data[name] for name in names]
    if not all(data.schema for data in datasets):
        return {}
    return {column: None for data in datasets for column, _ in data.schema}


def _counted(system: System, monitor: Monitor) -> Iterator[Diagnostic]:
    """Check that a monitor can ever reach its `consecutive` and `minFeatures` counts."""
    for check in monitor.checks:
        path = ("monitors", monitor.name, "checks", check.name)
        if check.consecutive > 1 and monitor.type in RULES_ONLY:
            yield looks.looks_of_rules(system.key(*path, "consecutive"), monitor.type)
        by_feature = (*monitor_type("data-drift").checks, "out_of_range")
        if check.min_features > 1 and check.metric not in by_feature:
            yield looks.features_not_counted(system.key(*path, "minFeatures"), check.metric, sorted(by_feature))
        elif check.features and check.min_features > len(check.features):
            span = system.at(*path, "minFeatures")
            yield looks.more_features_than_named(span, check.min_features, len(check.features))
        if state_folder(system, monitor) is None and monitor.type not in RULES_ONLY and keeps_state_for(check):
            yield looks.nowhere_to_keep_looks(system.key(*path), check.name, monitor.watch)


def _rollback(system: System, monitor: Monitor) -> Iterator[Diagnostic]:
    """Require a rollback to move an alias of a served model."""
    if not monitor.on_breach.rollback:
        return
    span = system.at("monitors", monitor.name, "onBreach", "rollback")
    section, _, name = monitor.watch.partition(".")
    if section != "inference":
        yield breaches.rollback_of_what(span, monitor.watch)
    elif all(variant.model.alias.isdecimal() for variant in system.inference[name].variants):
        yield breaches.rollback_of_fixed_version(span, name)


def _times(system: System, monitor: Monitor) -> Iterator[Diagnostic]:
    """Report windows that leave gaps, and cooldowns that guard no action or end before the next run."""
    breach = monitor.on_breach
    cooldown = ("monitors", monitor.name, "onBreach", "cooldown")
    written = system.at(*cooldown) != system.at(*cooldown[:-1])
    if written and not breach.run and not breach.rollback:
        yield breaches.cooldown_of_nothing(system.key(*cooldown), monitor.name)
    gaps = gaps_s(monitor.schedule)
    if gaps is None or monitor_type(monitor.type).reads == "series":
        return
    shortest, longest = gaps
    path = ("monitors", monitor.name)
    if (breach.run or breach.rollback) and breach.cooldown_s < shortest:
        yield breaches.cooldown_without_effect(system.at(*cooldown), monitor.name)
    if monitor.window_s < longest:
        yield problems.window_with_holes(system.key(*path, "window"), monitor.name)


def _effect(system: System, monitor: Monitor) -> Iterator[Diagnostic]:
    """Require a breach to send a notification or trigger an action."""
    breach = monitor.on_breach
    path = ("monitors", monitor.name)
    if not breach.notify:
        if not breach.run and not breach.rollback:
            yield breaches.breach_without_effect(system.key(*path), monitor.name)
        return
    severities = {severity for channel in breach.notify for severity in system.channels[channel].severities}
    for check in monitor.checks:
        if check.severity not in severities:
            span = system.key(*path, "checks", check.name)
            yield breaches.severity_not_taken(span, check.name, check.severity, breach.notify)


_RULES: tuple[Callable[[System, Monitor], Iterator[Diagnostic]], ...] = (
    _watch,
    _runs,
    _metrics,
    _labels,
    _key,
    _reference,
    _counted,
    _rollback,
    _times,
    _effect,
)


RULES: Final[tuple[Rule, ...]] = (monitors, features)
