"""Counts a server's requests and measures their latency by model version, as Ray metrics.

The metrics are scraped with the prefix `ray_`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

REQUESTS: Final = "modelyard_requests"
SECONDS: Final = "modelyard_request_seconds"
VERSION: Final = "modelyard_model_version"

_BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_LONG: Final = (120, 300, 600, 1800, 3600)


def bounds_until(usual: Sequence[float], timeout_s: float, more: Iterable[float] = ()) -> list[float]:
    """Return histogram bounds in seconds that reach at least to the timeout and include the bounds in `more`."""
    later = {*(bound for bound in _LONG if bound < timeout_s), timeout_s} if timeout_s > usual[-1] else set[float]()
    return sorted({*usual, *later, *more})


class RequestMetrics:
    """The request metrics for one variant of an endpoint."""

    def __init__(self, application: str, variant: str, model: str, timeout_s: float = 0) -> None:
        from ray.util.metrics import Counter, Gauge, Histogram

        labels = {"application": application, "variant": variant, "model": model}
        keys = tuple(labels)
        self._requests: Any = Counter(
            REQUESTS, description="Requests by status and version.", tag_keys=(*keys, "version", "status")
        )
        self._seconds: Any = Histogram(
            SECONDS,
            description="Duration of answered requests.",
            boundaries=bounds_until(_BOUNDS, timeout_s),
            tag_keys=(*keys, "version"),
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
