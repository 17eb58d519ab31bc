"""Prints docs/metrics.md, the human-readable version of the runtime's table of supported metrics."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from modelyard.capabilities import Metric, check_of, metric_of, table, trainers

_NEEDS = {
    "scores": "probabilities",
    "group": "`group` of a dataset",
    "history": "`timestamp` of a dataset",
    "reference": "a reference",
    "labels": "labels",
    "columns": "declared columns, or a reference",
}
_INTRODUCTION = (
    "Model metrics are used in `models.*.validation`, in `tuning.objective` and in monitors of types "
    "prediction-quality and concept-drift.",
    "In a name with K, K is a number within the bounds in the table.",
    "Each of them can be compared with another version (`versus`) and computed on another dataset (`data`).",
    "Your own code may report other metrics: these have a value only for the trained version, on the data that the "
    "code chose, so they take only `min` and `max`.",
    "A metric that is undefined for the given rows, such as recall without positive rows, has no value, and no bound "
    "holds for it.",
)


def metrics_page(printed: str) -> str:
    """Return docs/metrics.md."""
    lines = ["# Metrics", "", printed, "", *_INTRODUCTION, "", "## Model metrics", "", *_models()]
    lines += ["", "## Monitor checks", "", *_monitors(), "", "## Built-in trainers", "", *_trainers()]
    return "\n".join(lines) + "\n"


def _models() -> Iterator[str]:
    yield "| metric | meaning | tasks | better | values | needs | as in |"
    yield "|---|---|---|---|---|---|---|"
    for name, entry in table()["metrics"].items():
        bounds = entry.get("K")
        metric = metric_of(name.removesuffix("K") + str(bounds["least"]) if bounds else name)
        assert metric is not None
        within = f"; K from {bounds['least']} to {bounds['most']}" if bounds else ""
        as_in = f"`{metric.by}`" if "(" in metric.by or metric.by.startswith(("sklearn", "scipy")) else metric.by
        cells = (f"`{name}`", metric.means + within, ", ".join(metric.tasks), *_shared(metric), as_in)
        yield f"| {' | '.join(cells)} |"


def _monitors() -> Iterator[str]:
    yield "| check | meaning | types of monitor | better | values | needs |"
    yield "|---|---|---|---|---|---|"
    for name in table()["checks"]:
        check = check_of(name)
        assert check is not None
        kinds = [
            kind for kind, entry in table()["monitors"].items() if name in (*entry["checks"], *entry.get("of_runs", ()))
        ]
        yield f"| {' | '.join((f'`{name}`', check.means, ', '.join(kinds), *_shared(check)))} |"


def _trainers() -> Iterator[str]:
    yield "| trainer | tasks | several workers for one model |"
    yield "|---|---|---|"
    for name, trainer in trainers().items():
        yield f"| `{name}` | {', '.join(trainer.tasks)} | {'yes' if trainer.together else 'no'} |"


def _shared(metric: Metric) -> tuple[str, str, str]:
    if metric.most < inf:
        values = f"{metric.least:g} to {metric.most:g}" if metric.least > -inf else f"{metric.most:g} at most"
    else:
        values = f"{metric.least:g} or more"
    return metric.better or "neither", values, _NEEDS.get(metric.needs, "")
