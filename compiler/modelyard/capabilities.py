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
    family, found = f"{head}_{_PLACE}", table()["metrics"]
    if family not in found:
        return _metric(name, found[name]) if name in found else None
    bounds = found[family][_PLACE]
    known = map(str, range(bounds["least"], bounds["most"] + 1))
    return _metric(name, found[family]) if number in known else None


def is_built_in(name: str) -> bool:
    """Whether the runtime computes a metric for some task; only user code can report others."""
    return metric_of(name) is not None


@cache
def metrics_of(task: str) -> tuple[str, ...]:
    """The metrics of a task as hints list them; for a family with a number in its name, the usual numbers."""
    known = table()["metrics"].items()
    return tuple(name for family, one in known if task in one["tasks"] for name in _usual(family, one))


@cache
def metrics_later(task: str) -> tuple[str, ...]:
    """The task's metrics that a monitor can compute later, from predictions and labels alone."""
    return tuple(name for name in metrics_of(task) if can_be_later(name))


def can_be_later(name: str) -> bool:
    """Whether a metric can be computed without the training rows."""
    found = metric_of(name)
    return found is not None and found.needs != "history"


def fits(metric: str, task: str) -> bool:
    """Whether a metric is computed for models of a task."""
    found = metric_of(metric)
    return found is not None and task in found.tasks


@cache
def check_of(name: str) -> Metric | None:
    """A monitor's own metric, such as psi, by name; None if it is unknown or a model metric."""
    found = table()["checks"].get(name)
    return None if found is None else _metric(name, found)


@cache
def monitor_type(kind: str) -> MonitorType:
    """The properties of a monitor type."""
    found = table()["monitors"][kind]
    return MonitorType(
        found["reads"],
        tuple(found["watches"]),
        tuple(found["checks"]),
        bool(found.get("metrics")),
        tuple(found.get("of_runs", ())),
        tuple(found.get("needs", ())),
        bool(found.get("features")),
    )


@cache
def trainers() -> dict[str, Trainer]:
    """Every built-in trainer."""
    return {
        name: Trainer(tuple(one["tasks"]), bool(one["together"]), one["writes"], one["returned"])
        for name, one in table()["trainers"].items()
    }


def reported_may_have(field: str) -> bool:
    """Whether a check of a gate may have `versus`, `data` or `by` if the user's code reports its metric."""
    return bool(table()["reported"][field])


def _metric(name: str, found: dict[str, Any]) -> Metric:
    least, most = found["least"], found["most"]
    return Metric(
        name,
        found["means"],
        tuple(found.get("tasks", ())),
        found.get("better", ""),
        -inf if least is None else float(least),
        inf if most is None else float(most),
        found.get("unit", ""),
        found.get("needs", ""),
        found.get("by", ""),
    )


def _usual(family: str, found: dict[str, Any]) -> list[str]:
    return [f"{family.removesuffix(_PLACE)}{at}" for at in found[_PLACE]["usual"]] if _PLACE in found else [family]


@cache
def table() -> dict[str, dict[str, Any]]:
    """The whole table as written in the file."""
    from importlib.util import find_spec

    spec = find_spec(_PACKAGE)
    assert spec is not None
    assert spec.submodule_search_locations
    path = os.path.join(next(iter(spec.submodule_search_locations)), "capabilities.json")
    with open(path, encoding="utf-8") as file:
        found: dict[str, dict[str, Any]] = json.load(file)
    return found
