"""Counts a server's requests and measures their latency by model version, as Ray metrics.

The metrics are scraped with the prefix `ray_`.
"""

from __future__ import annotations

from typing import Any, Final

REQUESTS: Final = "modelyard_requests"
SECONDS: Final = "modelyard_request_seconds"
VERSION: Final = "modelyard_model_version"

_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]


class RequestMetrics:
    """The metrics of one variant of an endpoint."""

    def __init__(self, application: str, variant: str, model: str) -> None:
        from ray.util.metrics import Counter, Gauge, Histogram

        labels = {"application": application, "variant": variant, "model": model}
        keys = tuple(labels)
        self._requests: Any = Counter(
            REQUESTS, description="Requests by status and version.", tag_keys=(*keys, "version", "status")
        )
        self._seconds: Any = Histogram(
            SECONDS, description="Duration of answered requests.", boundaries=_BOUNDS, tag_keys=(*keys, "version")
        )
        self._version: Any = Gauge(VERSION, description="Version that is served.", tag_keys=keys)
        for metric in (self._requests, self._seconds, self._version):
            metric.set_default_tags(labels)

    def answered(self, version: str, status: int, seconds: float) -> None:
        """Count a finished request."""
        self._requests.inc(1, {"version": version, "status": str(status)})
        if status == 200:
            self._seconds.observe(seconds, {"version": version})

    def serves(self, version: str) -> None:
        """Report the version that is served from now on."""
        if version.isdecimal():
            self._version.set(float(version))
