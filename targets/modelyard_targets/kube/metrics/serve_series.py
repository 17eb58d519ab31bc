"""The series of Ray Serve that rules and dashboards read.

Names and labels are those of Ray 2.60.0 as its metrics endpoint shows them (a server was run and read on 2026-11-24;
the names are made in ray/serve/_private/{request_ingress_metrics,deployment_state,router}.py): counters gain
`_total`, bounds of histograms are written as `50.0`, `application` is the Serve application, `status_code` the HTTP
status. A series is there only after its first request.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from modelyard.spec import Inference
from modelyard_targets.kube.metrics.promql import one_of, selector
from modelyard_targets.kube.placement.context import Context

REQUESTS: Final = "ray_serve_num_http_requests_total"
LATENCY: Final = "ray_serve_http_request_latency_ms"
HEALTHY: Final = "ray_serve_deployment_replica_healthy"
STATUS: Final = "ray_serve_application_status"
"""6 where an application runs, with as many replicas as it is to have, which may be none."""

QUEUED: Final = "ray_serve_deployment_queued_queries"
RUNNING: Final = "ray_serve_replica_processing_queries"

CODE: Final = "status_code"
CALLER_LEFT: Final = f'{CODE}="499"'
"""What the proxy answers where nobody waits any more, and 408 where its own time is over
(ray/serve/_private/http_util.py, Ray 2.60.0, read 2026-11-25).
"""

ANSWERED: Final = 'status_code!~"5.."'


def failed_by(code: str) -> str:
    """The matcher of requests that failed, by the label of their status."""
    return f'{code}=~"5..|408|499"'


def applications(inference: Inference) -> tuple[str, ...]:
    """The Serve applications whose answers reach clients: all variants but one that only gets copies."""
    mirrored = inference.mirror.variant if inference.mirror is not None else ""
    return tuple(
        f"{inference.name}-{variant.name}"
        for variant in inference.variants
        if variant.percent or variant.name != mirrored
    )


def of_endpoint(inference: Inference, context: Context, *more: str) -> str:
    """The selector of an endpoint's series."""
    return of_applications(applications(inference), context, *more)


def of_applications(names: Iterable[str], context: Context, *more: str) -> str:
    """The selector of these applications in the namespace of the context."""
    return selector({"namespace": context.namespace}, one_of("application", names), *more)


def within(bound_ms: int) -> str:
    """The matcher of the bucket that ends at a bound. The server's buckets have every bound of an objective."""
    return f'le=~"{bound_ms}(\\\\.0)?"'
