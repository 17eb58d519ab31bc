"""Bounds of built-in trainers' parameters, read from a data file so the compiler needn't import trainers."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import lru_cache
from typing import TypedDict, cast

from modelyard.patterns import pattern
from modelyard.records import record

_FILE = os.path.join(os.path.dirname(__file__), "trainer_parameters.json")
_DEFAULT_ESTIMATOR = "hist-gradient-boosting"
_CLASSIFICATION = frozenset({"binary-classification", "multiclass-classification"})
_INTERVAL = pattern(r"([\[(])([0-9.]+), ([0-9.]+|inf)([\])])")


class _Table(TypedDict):
    parameters: dict[str, dict[str, list[str]]]
    bounds: dict[str, dict[str, dict[str, str]]]


@record
class Interval:
    """An interval from `low` to `high`, where each bound is either inclusive or exclusive."""

    low: float
    high: float
    has_low: bool
    has_high: bool

    def holds(self, value: float) -> bool:
        """Return whether a number is in the interval."""
        above = value >= self.low if self.has_low else value > self.low
        return above and (value <= self.high if self.has_high else value < self.high)

    @property
    def text(self) -> str:
        """The interval in words, such as `of at least 1`, `above 0` or `above 0 and at most 1`."""
        if self.high == float("inf"):
            return f"of at least {self.low:g}" if self.has_low else f"above {self.low:g}"
        if self.has_low and self.has_high:
            return f"from {self.low:.12g} to {self.high:.12g}"
        most = f"at most {self.high:g}" if self.has_high else f"below {self.high:g}"
        return f"{'from' if self.has_low else 'above'} {self.low:g} and {most}"


@record
class Bounds:
    """The numbers that a parameter accepts: integers, floats, or both with different meanings (count or share)."""

    whole: Interval | None = None
    number: Interval | None = None

    def takes(self, value: float) -> bool:
        """Return whether the parameter accepts a number."""
        interval = self.whole if isinstance(value, int) and self.whole is not None else self.number
        return interval is not None and interval.holds(value)

    @property
    def text(self) -> str:
        """The bounds in words, such as `a whole number of at least 1, or a number above 0 and below 1`."""
        kinds = (("a whole number", self.whole), ("a number", self.number))
        return ", or ".join(f"{kind} {interval.text}" for kind, interval in kinds if interval is not None)


@lru_cache(maxsize=1)
def _table() -> _Table:
    with open(_FILE, encoding="utf-8") as file:
        return cast("_Table", json.load(file))


def estimators() -> tuple[str, ...]:
    """Return the built-in scikit-learn estimators."""
    return tuple(name.partition("/")[2] for name in _table()["parameters"] if "/" in name)


def parameters_of(trainer: str, estimator: str, task: str) -> tuple[str, ...]:
    """Return a trainer's parameters for a task, sorted by name."""
    kind = "classification" if task in _CLASSIFICATION else "regression"
    return tuple(_table()["parameters"][_entry(trainer, estimator)][kind])


@lru_cache(maxsize=64)
def bounds_of(trainer: str, estimator: str) -> Mapping[str, Bounds]:
    """Return the bounds of numeric parameters by name, omitting parameters without bounds."""
    listed = _table()["bounds"][_entry(trainer, estimator)]
    return {name: Bounds(**{kind: _interval(text) for kind, text in kinds.items()}) for name, kinds in listed.items()}


def _entry(trainer: str, estimator: str) -> str:
    return f"{trainer}/{estimator or _DEFAULT_ESTIMATOR}" if trainer == "scikit-learn" else trainer


def _interval(text: str) -> Interval:
    match = _INTERVAL.fullmatch(text)
    assert match is not None
    opens, low, high, closes = match.groups()
    return Interval(float(low), float(high), opens == "[", closes == "]")
