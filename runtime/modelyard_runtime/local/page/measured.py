"""Charts of values measured by monitors over time, and of each version's metrics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from modelyard_runtime.local.notes import MEASURED
from modelyard_runtime.local.page.charts import MOST_LINES, Chart, Line, line_of
from modelyard_runtime.local.page.registered import Registered, Version

_MOST_METRICS = 6

Contents = Iterable[Mapping[str, Any]]


def of_monitors(events: Iterable[Mapping[str, Any]], contents: Contents) -> Iterator[Chart]:
    """Yield a chart for every monitor check, showing the features with the largest current values."""
    looks = [event for event in events if event.get("event") == MEASURED and isinstance(event.get("values"), dict)]
    bounds = {(str(content.get("address", "")), check["name"]): _bounds(check) for content, check in _checks(contents)}
    for address, check in dict.fromkeys(
        (str(look["address"]), _parts(name)[0]) for look in looks for name in look["values"]
    ):
        series = _series(looks, address, check)
        lines = sorted(filter(None, (line_of(name, points) for name, points in series.items())), key=_latest)
        if lines:
            shown = tuple(lines[:MOST_LINES])
            yield Chart(f"{check} by {address}", shown, bounds.get((address, check), ()), _times(shown))


def of_versions(model: Registered, contents: Contents) -> Iterator[Chart]:
    """Yield a chart by version for each metric of a model, starting with the metrics of its gate."""
    gated = gates_of(model.name, contents)
    names = dict.fromkeys([*gated, *(name for version in model.versions for name in sorted(version.metrics))])
    for name in list(names)[:_MOST_METRICS]:
        line = line_of(name, [_point(version, name) for version in reversed(model.versions) if name in version.metrics])
        if line is not None:
            ends = f"version {line.points[0][0]:g}", f"version {line.points[-1][0]:g}"
            yield Chart(f"{name} of {model.name}", (line,), gated.get(name, ()), ends)


def gates_of(model: str, contents: Contents) -> dict[str, tuple[float, ...]]:
    """Return the metrics in a model's gate, each with its fixed bounds."""
    bounds_by_metric: dict[str, tuple[float, ...]] = {}
    for content in contents:
        for promotion in content.get("promotions", {}).values():
            if promotion.get("model", {}).get("registeredName") == model:
                for rule in promotion.get("validation", []):
                    metric = str(rule.get("metric", ""))
                    bounds_by_metric[metric] = (*bounds_by_metric.get(metric, ()), *_bounds(rule))
    return bounds_by_metric


def _point(version: Version, metric: str) -> tuple[float, float]:
    return float(version.number), version.metrics[metric]


def _checks(contents: Contents) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for content in contents:
        for check in content.get("monitor", {}).get("checks", []):
            yield content, check


def _bounds(rule: Mapping[str, Any]) -> tuple[float, ...]:
    return tuple(float(rule[key]) for key in ("min", "max") if isinstance(rule.get(key), int | float))


def _series(looks: Iterable[Mapping[str, Any]], address: str, check: str) -> dict[str, list[tuple[float, float]]]:
    series: dict[str, list[tuple[float, float]]] = {}
    for look in looks:
        if look["address"] == address:
            at = datetime.fromisoformat(str(look["at"])).timestamp()
            for name, value in look["values"].items():
                if _parts(name)[0] == check:
                    series.setdefault(_parts(name)[1], []).append((at, float(value)))
    return series


def _parts(name: str) -> tuple[str, str]:
    """Split a name such as `psi of age` into the check and its subject."""
    check, _, subject = name.partition(" of ")
    return check, subject


def _latest(line: Line) -> float:
    return -line.latest


def _times(lines: tuple[Line, ...]) -> tuple[str, str]:
    moments = [point[0] for line in lines for point in line.points]
    first, last = (datetime.fromtimestamp(moment).astimezone() for moment in (min(moments), max(moments)))
    return first.strftime("%d %b %H:%M"), last.strftime("%d %b %H:%M")
