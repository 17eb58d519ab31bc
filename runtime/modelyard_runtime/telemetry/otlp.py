"""Pushes metrics from runs that are too short to be scraped, using OTLP over HTTP in JSON.

Source: opentelemetry.io/docs/specs/otlp, read 2026-11.
"""

from __future__ import annotations

import json
import socket
import time
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.error import HTTPError
from urllib.parse import urlsplit, urlunsplit

_TIMEOUT_S = 20
_TRIES = 4


@dataclass(frozen=True, slots=True)
class Sample:
    """The current value of a gauge."""

    name: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


def push(url: str, samples: Iterable[Sample], resource: Mapping[str, str], at_s: float | None = None) -> None:
    """Send the samples to every receiver behind the URL. If all fail, retry a few times before raising OSError.

    Each Prometheus replica stores only the samples it receives, and evaluates alerts on them. A headless Service has an
    address for each replica. Sending samples twice is harmless, since they keep their timestamps.
    """
    body = json.dumps(request_body(list(samples), resource, time.time() if at_s is None else at_s)).encode()
    for attempt in range(_TRIES):
        try:
            _push_once(url, body)
            return
        except OSError:
            if attempt == _TRIES - 1:
                raise
            time.sleep(2**attempt * 2)


def _push_once(url: str, body: bytes) -> None:
    """Send to each receiver. A single success is enough, as the other receivers get the samples with the next run."""
    problem: OSError | None = None
    accepted = False
    for receiver, host in _receivers(url):
        headers = {"Content-Type": "application/json", "Host": host}
        request = urllib.request.Request(receiver, data=body, headers=headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S):
                accepted = True
        except HTTPError as error:
            error.close()
            problem = error
        except OSError as error:
            problem = error
    if problem is not None and not accepted:
        raise problem


def _receivers(url: str) -> list[tuple[str, str]]:
    """Return a URL and Host header for each address. https URLs keep the host name in the certificate."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    if parts.scheme != "http" or parts.hostname is None:
        return [(url, host)]
    port = parts.port or 80
    entries = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
    if len(addresses) < 2:
        return [(url, host)]
    places = [f"[{address}]:{port}" if ":" in address else f"{address}:{port}" for address in addresses]
    return [(urlunsplit(parts._replace(netloc=place)), host) for place in places]


def request_body(samples: list[Sample], resource: Mapping[str, str], at_s: float) -> dict[str, object]:
    """Create an ExportMetricsServiceRequest with a gauge per name and a data point per sample.

    64-bit integers are represented as strings in JSON.
    """
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
                    for sample in same_name
                ]
            },
        }
        for name, same_name in by_name.items()
    ]
    scope = {"scope": {"name": "modelyard_runtime"}, "metrics": metrics}
    return {"resourceMetrics": [{"resource": {"attributes": _attributes(resource)}, "scopeMetrics": [scope]}]}


def _attributes(labels: Mapping[str, str]) -> list[dict[str, object]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in labels.items()]
