"""Checks values passed to Helm charts against each chart's own values.yaml."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

from modelyard.program import Call
from testbed.charts import known


def unknown_values(calls: Iterable[Call]) -> list[str]:
    """Return values missing from the called charts, as `chart: path`, and any chart versions that weren't examined."""
    charts = {chart.name: chart for chart in known()}
    missing: list[str] = []
    for call in calls:
        if call.component == "kubernetes.Chart":
            arguments = cast("dict[str, Any]", dict(call.arguments))
            missing += [f"{call.name}: {path}" for path in _unknown(arguments["values"], charts[call.name].values)]
            if arguments["version"] != charts[call.name].version:
                missing.append(f"{call.name}: version {arguments['version']}")
    return missing


def _unknown(values: dict[str, Any], names: Any, path: str = "") -> Iterator[str]:
    for key, value in values.items():
        if names is None:
            return
        if key not in names:
            yield f"{path}{key}"
        elif isinstance(value, dict) and names[key] is not None:
            yield from _unknown(cast("dict[str, Any]", value), names[key], f"{path}{key}.")
