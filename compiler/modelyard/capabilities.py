"""The runtime's capabilities, which let rules reject anything the runtime doesn't support.

They come from a data file in the runtime package, which is read without importing any of its code. The image contains
the same file, so specs are checked against exactly what will run (docs/decisions/0054-capabilities.md).
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
    """Describes a metric: its range, unit, requirements, and which direction is better ("" if neither)."""

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
    """What a monitor type reads, watches, checks and needs.

    `of_runs` lists the checks for pipelines if they differ from those for endpoints.
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
    """A built-in trainer: the tasks it supports, and whether several workers can train one model together.

    `writes` is the format of the models it produces. `returned` is the format used when user code returns a model of
    that library.
    """

    tasks: tuple[str, ...]
    together: bool
    writes: str
    returned: str


@cache
def metric_of(name: str) -> Metric | None:
    """Look up a built-in model metric by name, or return None. `recall_at_20` belongs to the family `recall_at_K`."""
    head, _, number = name.rpartition("_")
    family, metrics = f"{head}_{_PLACE}", table()["metrics"]
    if family not in metrics:
        return _metric(name, metrics[name]) if name in metrics else None
    bounds = metrics[family][_PLACE]
    numbers = map(str, range(bounds["least"], bounds["most"] + 1))
    return _metric(name, metrics[family]) if number in numbers else None


def is_built_in(name: str) -> bool:
    """Return whether the runtime computes this metric itself. All other metrics come from user code."""
    return metric_of(name) is not None


@cache
def metrics_of(task: str) -> tuple[str, ...]:
    """Return a task's metrics for hints. Families such as `recall_at_K` are expanded to their usual values of K."""
    metrics = table()["metrics"].items()
    return tuple(name for family, metric in metrics if task in metric["tasks"] for name in _usual(family, metric))


@cache
def metrics_later(task: str) -> tuple[str, ...]:
    """Return the task's metrics that a monitor can compute later from predictions and labels alone."""
    return tuple(name for name in metrics_of(task) if can_be_later(name))


def can_be_later(name: str) -> bool:
    """Return whether a metric can be computed without the training rows."""
    metric = metric_of(name)
    return metric is not None and metric.needs != "history"


def fits(name: str, task: str) -> bool:
    """Return whether a metric applies to a task's models."""
    metric = metric_of(name)
    return metric is not None and task in metric.tasks


@cache
def check_of(name: str) -> Metric | None:
    """Return the monitor metric with the given name, such as psi, or None if there is none."""
    entry = table()["checks"].get(name)
    return None if entry is None else _metric(name, entry)


@cache
def monitor_type(kind: str) -> MonitorType:
    """Look up a monitor type by name."""
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
    """Return every built-in trainer."""
    return {
        name: Trainer(tuple(entry["tasks"]), bool(entry["together"]), entry["writes"], entry["returned"])
        for name, entry in table()["trainers"].items()
    }


def reported_may_have(field: str) -> bool:
    """Return whether a gate check on a metric reported by user code may set `field` (`versus`, `data` or `by`)."""
    return bool(table()["reported"][field])


def highest_rank() -> int:
    """Return the maximum adapter rank that the engine supports on accelerators."""
    return int(table()["adapters"]["rank"]["accelerators"])


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
    """Return the runtime's whole table of capabilities, parsed from its file."""
    from importlib.util import find_spec

    spec = find_spec(_PACKAGE)
    assert spec is not None
    assert spec.submodule_search_locations
    path = os.path.join(next(iter(spec.submodule_search_locations)), "capabilities.json")
    with open(path, encoding="utf-8") as file:
        sections: dict[str, dict[str, Any]] = json.load(file)
    return sections
