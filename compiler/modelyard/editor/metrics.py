"""Add metric suggestions for completion, by model task and monitor type."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from modelyard.capabilities import Metric, check_of, metric_of, metrics_of, monitor_type, table
from modelyard.shape import Schema, schema_of, texts
from modelyard.source import Json

_TYPE: Final = "type"


def with_metrics(definitions: Schema) -> None:
    """Add metric suggestions to definitions. Other names remain valid because user code may report any metric."""
    model, monitor = schema_of(definitions.get("model")), schema_of(definitions.get("monitor"))
    if model:
        rules = [_conditional("task", task, _gate(metrics_of(task))) for task in _choices(model, "task")]
        model["allOf"] = [*_all_of(model), *rules]
        tuning = schema_of(definitions["tuning"])
        offered: Schema = {"metric": {"defaultSnippets": _snippets(_every_metric())}}
        tuning["allOf"] = [*_all_of(tuning), _fields({"objective": _fields(offered)})]
    if monitor:
        rules = [_conditional(_TYPE, kind, _checks(_measured(kind))) for kind in _choices(monitor, _TYPE)]
        monitor["allOf"] = [*_all_of(monitor), *rules]
    patch = schema_of(definitions.get("modelPatch"))
    if patch:
        patch["allOf"] = [*_all_of(patch), _gate(_every_metric(), "null")]
        kinds = table()["monitors"]
        measured = dict.fromkeys(name for kind in kinds for name in _measured(kind))
        patch = schema_of(definitions["monitorPatch"])
        patch["allOf"] = [*_all_of(patch), _checks(measured, "null")]


def _all_of(node: Schema) -> list[Json]:
    parts = node.get("allOf")
    return parts if isinstance(parts, list) else []


def _choices(node: Schema, field: str) -> list[str]:
    """Return the allowed keywords of a field."""
    choices = schema_of(schema_of(node["properties"])[field]).get("anyOf")
    assert isinstance(choices, list)
    return texts(schema_of(choices[0]).get("enum"))


def _conditional(field: str, word: str, then: Schema) -> Schema:
    condition: Schema = {"type": "object", "required": [field], "properties": {field: {"const": word}}}
    return {"if": condition, "then": then}


def _gate(metrics: Iterable[str], *types: str) -> Schema:
    line = _fields({"metric": {"defaultSnippets": _snippets(metrics)}}, *types)
    return _fields({"validation": {"type": ["object", *types], "additionalProperties": line}}, *types)


def _checks(names: Iterable[str], *types: str) -> Schema:
    """Suggest metrics as check names, and in the `metric` field of checks with other names."""
    fields: Schema = {name: {"description": _means(name)} for name in names}
    other_checks = _fields({"metric": {"defaultSnippets": _snippets(names)}}, *types)
    checks: Schema = {"type": ["object", *types], "properties": fields, "additionalProperties": other_checks}
    return _fields({"checks": checks}, *types)


def _fields(fields: Schema, *types: str) -> Schema:
    return {"type": ["object", *types], "properties": fields}


def _every_metric() -> tuple[str, ...]:
    tasks = dict.fromkeys(task for metric in table()["metrics"].values() for task in metric["tasks"])
    return tuple(dict.fromkeys(name for task in tasks for name in metrics_of(task)))


def _measured(kind: str) -> list[str]:
    """Return the metrics that a monitor type can check, including model metrics if its monitors have labels."""
    properties = monitor_type(kind)
    return [*properties.checks, *properties.of_runs, *(_every_metric() if properties.metrics else ())]


def _snippets(names: Iterable[str]) -> list[Json]:
    return [{"label": name, "description": _means(name), "body": name} for name in names]


def _means(name: str) -> str:
    """Return a metric's description as a sentence."""
    metric: Metric | None = check_of(name) or metric_of(name)
    assert metric is not None
    return f"{metric.means[:1].upper()}{metric.means[1:]}."
