"""Checks whether datasets have the columns that a metric needs."""

from __future__ import annotations

from collections.abc import Iterable

from modelyard_runtime.capabilities import Metric
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.workload.records import Dataset


def check_needs(metric: Metric | None, judged: Iterable[Dataset], learned: Iterable[Dataset] = ()) -> None:
    """Refuse a metric if a dataset lacks a column that the metric needs."""
    if metric is not None and metric.needs == "group" and not any(dataset.group for dataset in judged):
        raise Refusal(f"{metric.name!r} needs the query of each row: set `group` on a dataset")
    if metric is not None and metric.needs == "history" and not any(dataset.timestamp for dataset in learned):
        raise Refusal(f"{metric.name!r} needs the training rows in order: set `timestamp` on a dataset")
