"""Settings of Ray Serve's metrics that rules depend on."""

from __future__ import annotations

from modelyard.manifest import env
from modelyard.plan import ModelServer
from modelyard.stack import Value

_USUAL_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 30000, 60000)
"""Bucket bounds without an SLO; Ray's defaults are just as coarse around typical model latencies."""


def latency_buckets(server: ModelServer) -> list[Value]:
    """Set the bounds of Serve's latency histogram: usual ones, and each bound of an SLO, so that rules find its bucket.

    Ray 2.60 reads the variable in ray/serve/_private/constants.py (read on 2026-11-24).
    """
    edges: set[int] = {*_USUAL_MS}
    for application in server.applications:
        if application.inference.slo is not None:
            edges.update(bound for _, bound in application.inference.slo.latency_ms)
    return [env("RAY_SERVE_REQUEST_LATENCY_BUCKETS_MS", ",".join(str(edge) for edge in sorted(edges)))]
