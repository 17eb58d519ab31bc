"""Requests of an endpoint and those that failed, counted as close to its callers as this cluster can.

A request fails by a 5xx, by a time-out (408 of Ray's proxy, 504 of Envoy or a replica), by a refused connection (503 of
Envoy), and when its caller gave up before the answer (499 of Ray's proxy). Other 4xx are the caller's own.
"""

from __future__ import annotations

from modelyard.spec import Inference
from modelyard_targets.kube.metrics import gateway_series, serve_series
from modelyard_targets.kube.metrics.gateway_series import Front, front_of, of_route
from modelyard_targets.kube.metrics.serve_series import CALLER_LEFT, failed_by, of_endpoint
from modelyard_targets.kube.placement.context import Context


def requests(inference: Inference, context: Context, span: str) -> str:
    """All requests a second, over a range such as `5m`: at the Gateway where that is ours, else at the servers."""
    front = front_of(inference, context)
    if front is None:
        return _rate(serve_series.REQUESTS, of_endpoint(inference, context), span)
    answered = _rate(gateway_series.REQUESTS, of_route(front, context), span)
    return f"({answered} + {_abandoned(inference, front, context, span)})"


def failures(inference: Inference, context: Context, span: str) -> str:
    """Those of them that failed; 0 where none did."""
    front = front_of(inference, context)
    if front is None:
        failed = _rate(serve_series.REQUESTS, of_endpoint(inference, context, failed_by(serve_series.CODE)), span)
        return f"({failed} or 0 * {requests(inference, context, span)})"
    failed = _rate(gateway_series.REQUESTS, of_route(front, context, failed_by(gateway_series.CODE)), span)
    return f"(({failed} or vector(0)) + {_abandoned(inference, front, context, span)})"


def _abandoned(inference: Inference, front: Front, context: Context, span: str) -> str:
    """Requests whose caller left, which Envoy gives no status. The servers see its own time-outs as callers that left,
    and those it has counted already.
    """
    left = _rate(serve_series.REQUESTS, of_endpoint(inference, context, CALLER_LEFT), span)
    timed_out = _rate(gateway_series.TIMED_OUT, of_route(front, context), span)
    return f"clamp_min(({left} or vector(0)) - ({timed_out} or vector(0)), 0)"


def _rate(series: str, chosen: str, span: str) -> str:
    return f"sum(rate({series}{chosen}[{span}]))"
