"""PromQL for an endpoint's requests and failures, measured as close to clients as possible.

Failures are 5xx responses, timeouts (408 from Ray's proxy, 504 from Envoy or a replica), refused connections (503 from
Envoy), and requests abandoned by the client (499 from Ray's proxy). Other 4xx responses are client errors.

For both Ray's proxy and Envoy, a text stream has status 200 as of its first token. If a client abandons the stream
later, that doesn't count as a failure. The server itself counts the streams that ended with an error.
"""

from __future__ import annotations

from modelyard.spec import Inference
from modelyard_targets.kube.metrics import gateway_series, serve_series
from modelyard_targets.kube.metrics.gateway_series import Front, front_of, of_route
from modelyard_targets.kube.metrics.serve_series import CALLER_LEFT, failed_by, of_endpoint
from modelyard_targets.kube.placement.context import Context


def requests(inference: Inference, context: Context, span: str) -> str:
    """Return PromQL for the request rate over a range such as `5m`.

    It is measured at our Gateway if there is one, and at the servers otherwise.
    """
    front = front_of(inference, context)
    if front is None:
        return _rate(serve_series.REQUESTS, of_endpoint(inference, context), span)
    answered = _rate(gateway_series.REQUESTS, of_route(front, context), span)
    return f"({answered} + {_abandoned(inference, front, context, span)})"


def failures(inference: Inference, context: Context, span: str) -> str:
    """Return PromQL for failed requests per second, or 0 if there are none."""
    front, broken = front_of(inference, context), _broken_streams(inference, context, span)
    if front is None:
        failed = _rate(serve_series.REQUESTS, of_endpoint(inference, context, failed_by(serve_series.CODE)), span)
        every = requests(inference, context, span)
        return f"(({failed} or 0 * {every}){broken})" if broken else f"({failed} or 0 * {every})"
    failed = _rate(gateway_series.REQUESTS, of_route(front, context, failed_by(gateway_series.CODE)), span)
    return f"(({failed} or vector(0)) + {_abandoned(inference, front, context, span)}{broken})"


def _abandoned(inference: Inference, front: Front, context: Context, span: str) -> str:
    """Return PromQL for requests abandoned by the client.

    Only the servers report these, because Envoy has no status for them. The servers also report Envoy's own timeouts as
    abandoned, so these are subtracted.
    """
    left = _rate(serve_series.REQUESTS, of_endpoint(inference, context, CALLER_LEFT), span)
    timed_out = _rate(gateway_series.TIMED_OUT, of_route(front, context), span)
    return f"clamp_min(({left} or vector(0)) - ({timed_out} or vector(0)), 0)"


def _broken_streams(inference: Inference, context: Context, span: str) -> str:
    """Return the PromQL term for a language model's streams that failed midway, or "" for other models."""
    if inference.generation is None:
        return ""
    return f" + ({_rate(serve_series.BROKEN_STREAMS, of_endpoint(inference, context), span)} or vector(0))"


def _rate(series: str, chosen: str, span: str) -> str:
    return f"sum(rate({series}{chosen}[{span}]))"
