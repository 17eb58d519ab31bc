"""What a metric needs of the datasets that it is computed from."""

from __future__ import annotations

from collections.abc import Iterable

from modelyard_runtime.capabilities import Metric
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.workload.description import Section, text


def check_needs(metric: Metric | None, judged: Iterable[Section], learned: Iterable[Section] = ()) -> None:
    """Refuse a metric whose datasets lack a column that it goes by."""
    if metric is not None and metric.needs == "group" and not any_has(judged, "group"):
        raise Refusal(f"{metric.name!r} needs to know which rows are of one query: `group` of a dataset")
    if metric is not None and metric.needs == "history" and not any_has(learned, "timestamp"):
        raise Refusal(f"{metric.name!r} needs the rows to learn from in order: `timestamp` of a dataset")


def any_has(data: Iterable[Section], field: str) -> bool:
    """Whether one of these datasets has a field."""
    return any(text(one, field) for one in data)
