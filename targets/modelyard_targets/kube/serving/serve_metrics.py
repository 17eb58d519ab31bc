"""Ray Serve's metrics settings that alert rules depend on."""

from __future__ import annotations

from modelyard.manifest import env
from modelyard.plan import ModelServer
from modelyard.stack import Value

_USUAL_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 30000, 60000)
"""Default upper bounds of latency buckets, no coarser than Ray's own around typical model latencies."""

_LONG_MS = (120_000, 300_000, 600_000, 1_800_000, 3_600_000)
"""More bucket bounds, for endpoints with a longer timeout, such as those that serve language models."""


def latency_buckets(server: ModelServer) -> list[Value]:
    """Return the variable that sets Serve's latency buckets, based on the defaults, longest timeout and SLO bounds.

    Rules need a bucket for each SLO bound.

    Ray 2.60 uses the variable in ray/serve/_private/constants.py (read 2026-11-24).
    """
    longest_ms = 1000 * max(application.inference.endpoint.timeout_s for application in server.applications)
    edges: set[int] = {*_USUAL_MS, *(edge for edge in _LONG_MS if edge < longest_ms)}
    if longest_ms > _USUAL_MS[-1]:
        edges.add(longest_ms)
    for application in server.applications:
        if application.inference.slo is not None:
            edges.update(bound for _, bound in application.inference.slo.latency_ms)
    return [env("RAY_SERVE_REQUEST_LATENCY_BUCKETS_MS", ",".join(str(edge) for edge in sorted(edges)))]
