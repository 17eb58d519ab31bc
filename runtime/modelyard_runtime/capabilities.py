"""The capabilities of this runtime, read from `capabilities.json`, which also defines what the compiler accepts.

Only capabilities listed there are supported. A test verifies that every entry works.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from modelyard_runtime.workload.description import Json, Section, integer, names, section, sections, text

_FILE = Path(__file__).with_name("capabilities.json")
_PLACE = "K"
TEXT = "text-generation"
"""The task of language models."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A model metric or other monitor measurement, including which direction is better and what data it needs.

    `at` is the number in a parametrized name, e.g. 10 in `recall_at_10`, in which case `family` is `recall_at_K`.
    """

    name: str
    tasks: tuple[str, ...]
    smaller_is_better: bool
    needs: str
    family: str
    at: int

    @property
    def later(self) -> bool:
        """Return whether a monitor, which only has predictions and labels, can compute the metric."""
        return self.needs != "history"


@dataclass(frozen=True, slots=True)
class MonitorType:
    """A monitor type, including what it watches, what it computes, and the data it needs."""

    reads: str
    watches: tuple[str, ...]
    checks: tuple[str, ...]
    metrics: bool
    needs: tuple[str, ...]
    features: bool


@dataclass(frozen=True, slots=True)
class Trainer:
    """A built-in trainer, with its tasks and whether several workers can train one model together.

    `writes` is the format of the trainer's own models, and `returned` is that of models from the same library returned
    by user code.
    """

    tasks: tuple[str, ...]
    together: bool
    writes: str
    returned: str


def metric_of(name: str) -> Metric | None:
    """Return the built-in model metric with the given name, or None."""
    prefix, _, number = name.rpartition("_")
    family, metrics = f"{prefix}_{_PLACE}", sections(_table(), "metrics")
    if family not in metrics:
        return _metric(name, metrics[name], name, 0) if name in metrics else None
    bounds = section(metrics[family], _PLACE)
    allowed = range(integer(bounds, "least"), integer(bounds, "most") + 1)
    at = next((value for value in allowed if str(value) == number), None)
    return None if at is None else _metric(name, metrics[family], family, at)


def computes(metric: str, task: str) -> bool:
    """Return whether a metric can be computed for any model of the given task, on any dataset."""
    definition = metric_of(metric)
    return definition is not None and task in definition.tasks


@cache
def known_metrics(task: str) -> tuple[str, ...]:
    """Return the metrics computed after every training run for the given task.

    Parametrized metrics use their usual parameters.
    """
    return tuple(name for name in _usual_names() if computes(name, task))


@cache
def check_of(name: str) -> Metric | None:
    """Return a monitor measurement that isn't a model metric, e.g. psi, or None if the name is unknown."""
    checks = sections(_table(), "checks")
    return _metric(name, checks[name], name, 0) if name in checks else None


@cache
def monitors() -> dict[str, MonitorType]:
    """Return every type of monitor by name."""
    return {
        kind: MonitorType(
            text(entry, "reads"),
            tuple(names(entry, "watches")),
            tuple(names(entry, "checks")),
            entry.get("metrics") is True,
            tuple(names(entry, "needs")),
            entry.get("features") is True,
        )
        for kind, entry in sections(_table(), "monitors").items()
    }


@cache
def trainers() -> dict[str, Trainer]:
    """Return every built-in trainer by name."""
    return {
        name: Trainer(
            tuple(names(entry, "tasks")), entry.get("together") is True, text(entry, "writes"), text(entry, "returned")
        )
        for name, entry in sections(_table(), "trainers").items()
    }


def reported_may_have(field: str) -> bool:
    """Return whether gate rules on metrics reported by user code may set `field`, i.e. `versus`, `data` or `by`."""
    return section(_table(), "reported").get(field) is True


def highest_rank() -> int:
    """Return the highest rank of an adapter that is loaded on accelerators."""
    return integer(section(section(_table(), "adapters"), "rank"), "accelerators")


def _metric(name: str, entry: Section, family: str, at: int) -> Metric:
    smaller = text(entry, "better") == "smaller"
    return Metric(name, tuple(names(entry, "tasks")), smaller, text(entry, "needs"), family, at)


def _usual_names() -> list[str]:
    listed: list[str] = []
    for name, entry in sections(_table(), "metrics").items():
        usual = names(section(entry, _PLACE), "usual")
        listed += [f"{name.removesuffix(_PLACE)}{at}" for at in usual] if _PLACE in entry else [name]
    return listed


@cache
def _table() -> dict[str, Json]:
    table: dict[str, Json] = json.loads(_FILE.read_text(encoding="utf-8"))
    return table
