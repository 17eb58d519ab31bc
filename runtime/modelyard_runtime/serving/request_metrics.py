"""Counts a server's requests and measures their latency by model version, as Ray metrics.

The metrics are scraped with the prefix `ray_`. The labels `variant`, `model` and `version` name the version that
responded, which may belong to another variant than the server's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from modelyard_runtime.serving.selection import Origin

REQUESTS: Final = "modelyard_requests"
SECONDS: Final = "modelyard_request_seconds"
VERSION: Final = "modelyard_model_version"

_BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_LONG: Final = (120, 300, 600, 1800, 3600)


def bounds_until(usual: Sequence[float], timeout_s: float, more: Iterable[float] = ()) -> list[float]:
    """Return histogram bounds in seconds that extend at least to the timeout and include those in `more`."""
    later = {*(bound for bound in _LONG if bound < timeout_s), timeout_s} if timeout_s > usual[-1] else set[float]()
    return sorted({*usual, *later, *more})


def labels_of(origin: Origin) -> dict[str, str]:
    """Return the labels that tell which version responded."""
    return {"variant": origin.variant, "model": origin.model, "version": origin.version}


class RequestMetrics:
    """The request metrics of a variant's server."""

    def __init__(self, application: str, timeout_s: float = 0) -> None:
        from ray.util.metrics import Counter, Gauge, Histogram

        keys = ("application", "variant", "model")
        self._serving: Origin | None = None
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
            metric.set_default_tags({"application": application})

    def answered(self, origin: Origin, status: int, seconds: float) -> None:
        """Count a finished request."""
        labels = labels_of(origin)
        self._requests.inc(1, {**labels, "status": str(status)})
        if status == 200:
            self._seconds.observe(seconds, labels)

    def serves(self, origin: Origin) -> None:
        """Report the version that is served from now on. A variant whose version is no longer served here has 0."""
        before, self._serving = self._serving, origin
        if before is not None and (before.variant, before.model) != (origin.variant, origin.model):
            self._version.set(0.0, {"variant": before.variant, "model": before.model})
        if origin.version.isdecimal():
            self._version.set(float(origin.version), {"variant": origin.variant, "model": origin.model})
