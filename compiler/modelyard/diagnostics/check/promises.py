"""Diagnostics about objectives that cannot be met: W0845 to W0847, W0952, W0953."""

from __future__ import annotations

from math import ceil

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


def first_token_after_the_last(span: Span, name: str, first_ms: int, whole: str, whole_ms: int) -> Diagnostic:
    """The first token of a text may take as long as the whole response, or longer.

    A response is complete only after its first token. If enough responses complete in time, so do their first tokens,
    and this objective never fails on its own.

    Wrong:

        slo: {p95: 2s, timeToFirstToken: {p95: 5s}}

    Right:

        slo: {p95: 30s, timeToFirstToken: {p95: 800ms}}
    """
    return Diagnostic(
        "W0952",
        Severity.WARNING,
        f"`timeToFirstToken.{name}` allows {first_ms} ms until the first token, "
        f"but `{whole}` allows {whole_ms} ms for the whole response",
        span,
        f"lower `timeToFirstToken.{name}`, or raise `{whole}`",
    )


def longest_text_too_slow(
    span: Span, percentile: str, bound_ms: int, tokens: int, rate: float, needed_ms: int
) -> Diagnostic:
    """A text of maximum length meets the token objectives but exceeds the objective for the whole response.

    The longest text takes the time to the first token plus `generation.maxTokens` at `tokensPerSecond.min`. Only the
    highest percentile in `slo` is compared, and only from `p95` on, because lower percentiles describe typical texts.

    Wrong:

        generation: {maxTokens: 1024}
        slo: {p99: 10s, timeToFirstToken: {p99: 2s}, tokensPerSecond: {min: 20}}

    Right:

        generation: {maxTokens: 1024}
        slo: {p99: 60s, timeToFirstToken: {p99: 2s}, tokensPerSecond: {min: 20}}
    """
    needed_s = ceil(needed_ms / 1000)
    return Diagnostic(
        "W0953",
        Severity.WARNING,
        f"a text of {tokens} tokens at {rate:g} tokens per second takes {needed_s} s with its first token, "
        f"but `{percentile}` is {bound_ms / 1000:g} s",
        span,
        f"raise `{percentile}` to at least {needed_s}s, lower `generation.maxTokens`, or raise `tokensPerSecond.min`",
    )
