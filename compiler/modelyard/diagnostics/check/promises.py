"""Diagnostics about objectives that cannot be met: W0845 to W0847."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def scales_to_zero(span: Span, endpoint: str, variant: str, percentile: str, bound_ms: int) -> Diagnostic:
    """An endpoint has a latency objective but may scale to zero.

    The first request after an idle period waits tens of seconds for a replica to start. If requests are rare, most of
    them wait that long.

    Wrong:

        inference: {scorer: {replicas: {min: 0, max: 4}, slo: {p99: 50ms}, …}}

    Right:

        inference: {scorer: {replicas: {min: 1, max: 4}, slo: {p99: 50ms}, …}}
    """
    return Diagnostic(
        "W0845",
        Severity.WARNING,
        f"endpoint {quote(endpoint)} promises a {percentile} of {bound_ms}ms, but {quote(variant)} may scale to zero",
        span,
        "keep at least one replica, or remove the latency objective",
    )


def one_replica(span: Span, endpoint: str, reason: str, away_s: int) -> Diagnostic:
    """An endpoint promises an availability that it misses as soon as its only replica or machine is replaced.

    Replacing a replica on another machine takes about five minutes, and happens with every node upgrade. Over 30 days,
    99.99% allows four minutes of downtime, and 99.999% allows 26 seconds.

    Wrong:

        inference: {scorer: {replicas: 1, slo: {availability: 99.99%}, …}}

    Right:

        inference: {scorer: {replicas: {min: 2, max: 4}, slo: {availability: 99.99%}, …}}
    """
    return Diagnostic(
        "W0846",
        Severity.WARNING,
        f"endpoint {quote(endpoint)} may be down for only {away_s} seconds, but {reason}",
        span,
        "run at least two replicas on two machines, or lower the objective",
    )


def spot_alone(span: Span, endpoint: str, variant: str) -> Diagnostic:
    """An endpoint promises 99.9% availability or more, but runs on spot machines without a fallback.

    Spot machines of one type are often reclaimed together, and none may be available for hours. `spot-first` falls back
    to on-demand machines.

    Wrong:

        compute: {serve: {cpu: 2, memory: 8Gi, capacity: spot}}
        inference: {scorer: {compute: serve, slo: {availability: 99.9%}, …}}

    Right:

        compute: {serve: {cpu: 2, memory: 8Gi, capacity: spot-first}}
        inference: {scorer: {compute: serve, slo: {availability: 99.9%}, …}}
    """
    return Diagnostic(
        "W0847",
        Severity.WARNING,
        f"endpoint {quote(endpoint)} promises availability, but variant {quote(variant)} runs only on spot machines",
        span,
        "use `capacity: spot-first` or `on-demand`",
    )
