"""Metrics of a run that is too short to be scraped, pushed as OTLP over HTTP in JSON.

Source: opentelemetry.io/docs/specs/otlp, read 2026-11.
"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_TIMEOUT_S = 20
_TRIES = 4


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a gauge, now."""

    name: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


def push(url: str, samples: Iterable[Sample], resource: Mapping[str, str], at_s: float | None = None) -> None:
    """Send the samples; tries again for half a minute while the receiver is away, then raises OSError."""
    body = json.dumps(request_body(list(samples), resource, time.time() if at_s is None else at_s)).encode()
    for attempt in range(_TRIES):
        request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"}, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S):
                return
        except OSError:
            if attempt == _TRIES - 1:
                raise
            time.sleep(2**attempt * 2)


def request_body(samples: list[Sample], resource: Mapping[str, str], at_s: float) -> dict[str, object]:
    """An ExportMetricsServiceRequest: one gauge a name, one data point a sample; its 64-bit numbers are texts."""
    by_name: dict[str, list[Sample]] = {}
    for sample in samples:
        by_name.setdefault(sample.name, []).append(sample)
    nanoseconds = str(int(at_s * 1e9))
    metrics = [
        {
            "name": name,
            "gauge": {
                "dataPoints": [
                    {"asDouble": sample.value, "timeUnixNano": nanoseconds, "attributes": _attributes(sample.labels)}
                    for sample in found
                ]
            },
        }
        for name, found in by_name.items()
    ]
    scope = {"scope": {"name": "modelyard_runtime"}, "metrics": metrics}
    return {"resourceMetrics": [{"resource": {"attributes": _attributes(resource)}, "scopeMetrics": [scope]}]}


def _attributes(labels: Mapping[str, str]) -> list[dict[str, object]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in labels.items()]
