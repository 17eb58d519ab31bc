"""The parameters that built-in trainers know, from a list that is shipped: the compiler loads no trainer."""

from __future__ import annotations

import json
import os
from functools import lru_cache

_FILE = os.path.join(os.path.dirname(__file__), "trainer_parameters.json")
_DEFAULT_ESTIMATOR = "hist-gradient-boosting"
_CLASSIFICATION = frozenset({"binary-classification", "multiclass-classification"})


@lru_cache(maxsize=1)
def _table() -> dict[str, dict[str, list[str]]]:
    with open(_FILE, encoding="utf-8") as file:
        table: dict[str, dict[str, list[str]]] = json.load(file)["parameters"]
    return table


def estimators() -> tuple[str, ...]:
    """The estimators of scikit-learn that are built in."""
    return tuple(name.partition("/")[2] for name in _table() if "/" in name)


def parameters_of(trainer: str, estimator: str, task: str) -> tuple[str, ...]:
    """The parameters that a trainer knows for a task, in order of their names."""
    name = f"{trainer}/{estimator or _DEFAULT_ESTIMATOR}" if trainer == "scikit-learn" else trainer
    return tuple(_table()[name]["classification" if task in _CLASSIFICATION else "regression"])
