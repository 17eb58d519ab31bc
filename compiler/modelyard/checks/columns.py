"""Report columns that cannot be a dataset's label, timestamp or group."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Final

from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import columns as problems
from modelyard.provider import Rule
from modelyard.spec import System

_CLASSES = frozenset({"binary-classification", "multiclass-classification"})
_FROM_ZERO = frozenset({"xgboost", "pytorch"})
"""Trainers that accept the classes 0, 1, 2 … but not strings (runtime/modelyard_runtime/training/trainers.py)."""


def roles(system: System) -> Iterator[Diagnostic]:
    """Require a dataset's label, timestamp and group to be different columns, and the group not to be a feature."""
    for data in system.data.values():
        columns_by_role = [("label", data.label), ("timestamp", data.timestamp), ("group", data.group)]
        for (first, column), (second, other) in combinations(columns_by_role, 2):
            if column and column == other:
                yield problems.column_of_two_roles(system.at("data", data.name, second), column, first, second)
        if data.group and data.group in data.features:
            span = system.at("data", data.name, "features", data.features.index(data.group))
            yield problems.group_among_features(span, data.group)


def labels(system: System) -> Iterator[Diagnostic]:
    """Require labels that the built-in trainer can learn, i.e. numbers or the classes it accepts."""
    reported: set[str] = set()
    for pipeline in system.pipelines.values():
        for step in pipeline.steps:
            if not step.trainer or pipeline.model is None:
                continue
            task = system.models[pipeline.model.model].task
            for data in (system.data[name] for name in step.inputs):
                kind = dict(data.schema).get(data.label, "")
                if task == "text-generation":
                    if kind not in {"", "string"} and data.name not in reported:
                        reported.add(data.name)
                        span = system.at("data", data.name, "label")
                        yield problems.label_of_wrong_type(span, data.label, kind, step.trainer, task)
                    continue
                texts = kind == "string" and (task not in _CLASSES or step.trainer in _FROM_ZERO)
                if (texts or kind == "timestamp") and data.name not in reported:
                    reported.add(data.name)
                    span = system.at("data", data.name, "label")
                    yield problems.label_of_wrong_type(span, data.label, kind, step.trainer, task)


RULES: Final[tuple[Rule, ...]] = (roles, labels)
