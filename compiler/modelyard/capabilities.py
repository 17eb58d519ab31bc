"""The capabilities of the runtime, for rules that refuse everything else: the same table that the runtime uses.

It is read as data from the runtime's package, without importing its code. The same file is copied into the image, so
specs are checked against exactly what will run (docs/decisions/0054-capabilities.md).
"""

from __future__ import annotations

import json
import os
from functools import cache
from math import inf
from typing import Any

from modelyard.records import record

_PACKAGE = "modelyard_runtime"
_PLACE = "K"


@record
class Metric:
    """A metric: which direction is better (empty: neither), its range, its unit and its requirements."""

    name: str
    means: str
    tasks: tuple[str, ...]
    better: str
    least: float
    most: float
    unit: str
    needs: str
    by: str


@record
class MonitorType:
    """The inputs, subjects, metrics and requirements of a monitor type.

    `of_runs` are the checks for pipelines, if they differ from those for endpoints.
    """

    reads: str
    watches: tuple[str, ...]
    checks: tuple[str, ...]
    metrics: bool
    of_runs: tuple[str, ...]
    needs: tuple[str, ...]
    features: bool


@record
class Trainer:
    """Tasks of a built-in trainer, and whether several workers train one model together.

    `writes` is the format of its models, `returned` the format for a model of its library that user code returns.
    """

    tasks: tuple[str, ...]
    together: bool
    writes: str
    returned: str


@cache
def metric_of(name: str) -> Metric | None:
    """The metric of this name for models, such as `recall_at_20` of the family `recall_at_K`; None if not built in."""
    head, _, number = name.rpartition("_")
    family, metrics = f"{head}_{_PLACE}", table()["metrics"]
    if family not in metrics:
        return _metric(name, metrics[name]) if name in metrics else None
    bounds = metrics[family][_PLACE]
    numbers = map(str, range(bounds["least"], bounds["most"] + 1))
    return _metric(name, metrics[family]) if number in numbers else None


def is_built_in(name: str) -> bool:
    """Whether the runtime computes a metric for some task; only user code can report others."""
    return metric_of(name) is not None


@cache
def metrics_of(task: str) -> tuple[str, ...]:
    """The metrics of a task as hints list them; for a family with a number in its name, the usual numbers."""
    metrics = table()["metrics"].items()
    return tuple(name for family, metric in metrics if task in metric["tasks"] for name in _usual(family, metric))


@cache
def metrics_later(task: str) -> tuple[str, ...]:
    """The task's metrics that a monitor can compute later, from predictions and labels alone."""
    return tuple(name for name in metrics_of(task) if can_be_later(name))


def can_be_later(name: str) -> bool:
    """Whether a metric can be computed without the training rows."""
    metric = metric_of(name)
    return metric is not None and metric.needs != "history"


def fits(name: str, task: str) -> bool:
    """Whether a metric is computed for models of a task."""
    metric = metric_of(name)
    return metric is not None and task in metric.tasks


@cache
def check_of(name: str) -> Metric | None:
    """A monitor's own metric, such as psi, by name; None if it is unknown or a model metric."""
    entry = table()["checks"].get(name)
    return None if entry is None else _metric(name, entry)


@cache
def monitor_type(kind: str) -> MonitorType:
    """The properties of a monitor type."""
    entry = table()["monitors"][kind]
    return MonitorType(
        entry["reads"],
        tuple(entry["watches"]),
        tuple(entry["checks"]),
        bool(entry.get("metrics")),
        tuple(entry.get("of_runs", ())),
        tuple(entry.get("needs", ())),
        bool(entry.get("features")),
    )


@cache
def trainers() -> dict[str, Trainer]:
    """Every built-in trainer."""
    return {
        name: Trainer(tuple(entry["tasks"]), bool(entry["together"]), entry["writes"], entry["returned"])
        for name, entry in table()["trainers"].items()
    }


def reported_may_have(field: str) -> bool:
    """Whether a check of a gate may have `versus`, `data` or `by` if the user's code reports its metric."""
    return bool(table()["reported"][field])


def _metric(name: str, entry: dict[str, Any]) -> Metric:
    least, most = entry["least"], entry["most"]
    return Metric(
        name,
        entry["means"],
        tuple(entry.get("tasks", ())),
        entry.get("better", ""),
        -inf if least is None else float(least),
        inf if most is None else float(most),
        entry.get("unit", ""),
        entry.get("needs", ""),
        entry.get("by", ""),
    )


def _usual(family: str, entry: dict[str, Any]) -> list[str]:
    return [f"{family.removesuffix(_PLACE)}{at}" for at in entry[_PLACE]["usual"]] if _PLACE in entry else [family]


@cache
def table() -> dict[str, dict[str, Any]]:
    """The whole table as written in the file."""
    from importlib.util import find_spec

    spec = find_spec(_PACKAGE)
    assert spec is not None
    assert spec.submodule_search_locations
    path = os.path.join(next(iter(spec.submodule_search_locations)), "capabilities.json")
    with open(path, encoding="utf-8") as file:
        sections: dict[str, dict[str, Any]] = json.load(file)
    return sections
