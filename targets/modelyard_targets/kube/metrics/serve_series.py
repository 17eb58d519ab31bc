"""Ray Serve's metrics for rules and dashboards.

Names and labels match the metrics endpoint of Ray 2.60.0 (read from a running server on 2026-11-24; defined in
ray/serve/_private/{request_ingress_metrics,deployment_state,router}.py). Counters get the suffix `_total`, histogram
bounds look like `50.0`, `application` is the Serve application, and `status_code` is the HTTP status. A series appears
with the first request.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from modelyard.spec import Inference
from modelyard_targets.kube.metrics.promql import number, one_of, selector
from modelyard_targets.kube.placement.context import Context

REQUESTS: Final = "ray_serve_num_http_requests_total"
LATENCY: Final = "ray_serve_http_request_latency_ms"
HEALTHY: Final = "ray_serve_deployment_replica_healthy"
STATUS: Final = "ray_serve_application_status"
"""The status gauge, which is 6 while an application runs with its target number of replicas, which may be zero."""

QUEUED: Final = "ray_serve_deployment_queued_queries"
RUNNING: Final = "ray_serve_replica_processing_queries"

FIRST_TOKEN: Final = "ray_modelyard_time_to_first_token_seconds"
TOKEN_RATE: Final = "ray_modelyard_tokens_per_second"
PROMPT_TOKENS: Final = "ray_modelyard_prompt_tokens_total"
GENERATED_TOKENS: Final = "ray_modelyard_generated_tokens_total"
BROKEN_STREAMS: Final = "ray_modelyard_broken_streams_total"
"""The runtime's metrics for language models, by `application`: histograms with a bucket for each SLO bound, and
counters for tokens and for streams that ended with an error after their first token.
"""

CODE: Final = "status_code"
CALLER_LEFT: Final = f'{CODE}="499"'
"""The HTTP status in the proxy's metrics if the client disconnects. After the proxy's own timeout, the status is 408
(ray/serve/_private/http_util.py, Ray 2.60.0, read 2026-11-25).
"""

ANSWERED: Final = 'status_code!~"5.."'


def failed_by(code: str) -> str:
    """Return a matcher for failed requests, given the name of the status label."""
    return f'{code}=~"5..|408|499"'


def applications(inference: Inference) -> tuple[str, ...]:
    """Return the Serve applications that answer clients, excluding variants that only receive mirrored requests."""
    mirrored = inference.mirror.variant if inference.mirror is not None else ""
    return tuple(
        f"{inference.name}-{variant.name}"
        for variant in inference.variants
        if variant.percent or variant.name != mirrored
    )


def of_endpoint(inference: Inference, context: Context, *more: str) -> str:
    """Return a selector for an endpoint's series."""
    return of_applications(applications(inference), context, *more)


def of_applications(names: Iterable[str], context: Context, *more: str) -> str:
    """Return a selector for the given applications in the context's namespace."""
    return selector({"namespace": context.namespace}, one_of("application", names), *more)


def within(bound: float) -> str:
    """Return a matcher for the histogram bucket with the given upper bound. Each SLO bound has its own bucket."""
    text = number(bound).replace(".", r"\\.")
    return f'le=~"{text}"' if bound % 1 else f'le=~"{text}(\\\\.0)?"'
