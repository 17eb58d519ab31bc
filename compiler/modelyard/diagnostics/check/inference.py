"""Diagnostics about endpoints: E0450 to E0464, E0491 and W0494."""

from __future__ import annotations

from collections.abc import Sequence

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def traffic_not_whole(span: Span, endpoint: str, total: int) -> Diagnostic:
    """The traffic shares of an endpoint's variants must add up to 100 percent.

    Wrong:

        traffic: {champion: 95, challenger: 10}

    Right:

        traffic: {champion: 95, challenger: 5}
    """
    hint = f"reduce the shares by {total - 100}" if total > 100 else f"increase the shares by {100 - total}"
    return Diagnostic(
        "E0450",
        Severity.ERROR,
        f"the traffic shares of endpoint {quote(endpoint)} add up to {total}, not 100",
        span,
        hint,
    )


def mirror_gets_traffic(span: Span, variant: str, percent: int) -> Diagnostic:
    """A variant that receives mirrored requests must not receive live traffic, or it would see some requests twice.

    Wrong:

        traffic: {champion: 90, shadow: 10}
        mirror: {to: shadow}

    Right:

        traffic: {champion: 100}
        mirror: {to: shadow}
    """
    return Diagnostic(
        "E0451",
        Severity.ERROR,
        f"variant {quote(variant)} receives mirrored requests, but also {percent}% of live traffic",
        span,
        f"remove {variant} from `traffic`, or mirror to another variant",
    )


def rollout_not_incremental(span: Span, endpoint: str, reason: str) -> Diagnostic:
    """An incremental rollout moves traffic from the old servers to the new through its own Gateway.

    It requires an endpoint with one variant and no pool, on a target whose gateway has a `class`. On AWS, a gateway is
    installed if `gateway` is not set.

    Wrong:

        rollout: {strategy: incremental}
        variants: {champion: {model: fraud@champion}, challenger: {model: fraud@candidate}}

    Right:

        rollout: {strategy: blue-green}
        variants: {champion: {model: fraud@champion}, challenger: {model: fraud@candidate}}
    """
    return Diagnostic(
        "E0452",
        Severity.ERROR,
        f"endpoint {quote(endpoint)} cannot be rolled out incrementally: {reason}",
        span,
        "use `strategy: blue-green`",
    )


def pool_of_several_variants(span: Span, endpoint: str, pool: str) -> Diagnostic:
    """Members of a pool share one Ray cluster, where traffic cannot be split between variants.

    Wrong:

        inference:
          scorer: {pool: small, variants: {champion: {model: a@champion}, challenger: {model: a@candidate}}, …}

    Right:

        inference:
          scorer: {pool: small, variants: {champion: {model: a@champion}}, …}
    """
    return Diagnostic(
        "E0453",
        Severity.ERROR,
        f"endpoint {quote(endpoint)} has several variants, but members of pool {quote(pool)} can have only one",
        span,
        "remove the endpoint from the pool, or keep one variant",
    )


def pool_member_differs(span: Span, endpoint: str, pool: str, setting: str, other: str) -> Diagnostic:
    """Members of a pool share one Ray cluster, so they must have the same target, image, priority and rollout.

    Wrong:

        inference: {a: {pool: small, target: main, …}, b: {pool: small, target: stores, …}}

    Right:

        inference: {a: {pool: small, target: main, …}, b: {pool: small, target: main, …}}
    """
    return Diagnostic(
        "E0454",
        Severity.ERROR,
        f"endpoints {quote(endpoint)} and {quote(other)} share pool {quote(pool)}, but do not have the same {setting}",
        span,
        f"give all members the same {setting}, or use another pool",
    )


def address_taken(span: Span, endpoint: str, other: str, address: str) -> Diagnostic:
    """Two endpoints on a target have the same host and path, so requests could reach either.

    Wrong:

        inference:
          a: {endpoint: {exposure: internal, host: scores.acme.example}, …}
          b: {endpoint: {exposure: internal, host: scores.acme.example}, …}

    Right:

        inference:
          a: {endpoint: {exposure: internal, host: scores.acme.example, path: /a}, …}
          b: {endpoint: {exposure: internal, host: scores.acme.example, path: /b}, …}
    """
    return Diagnostic(
        "E0455",
        Severity.ERROR,
        f"endpoint {quote(endpoint)} has the same address as {quote(other)}: {address}",
        span,
        "use a different path or host",
    )


def no_gateway(span: Span, endpoint: str, exposure: str, target: str) -> Diagnostic:
    """An endpoint that is reachable from outside its cluster needs a Gateway.

    Wrong:

        deployment: {mode: on-prem, provider: kubernetes}
        inference: {scorer: {endpoint: {exposure: internal, host: scores.acme.example}, …}}

    Right:

        deployment: {mode: on-prem, provider: kubernetes, gateway: {name: internal, namespace: gateways}}
    """
    return Diagnostic(
        "E0456",
        Severity.ERROR,
        f"endpoint {quote(endpoint)} is {exposure}, but target {quote(target)} has no gateway",
        span,
        "add `gateway: {name: NAME, namespace: NAMESPACE}` or `gateway: {class: CLASS}` to the target",
    )


def host_inside_cluster(span: Span, endpoint: str) -> Diagnostic:
    """An endpoint that is reachable only inside its cluster has no host name.

    Wrong:

        endpoint: {host: scores.acme.example}

    Right:

        endpoint: {exposure: internal, host: scores.acme.example}
    """
    return Diagnostic(
        "E0457",
        Severity.ERROR,
        f"endpoint {quote(endpoint)} is reachable only inside its cluster, so `host` has no effect",
        span,
        "set `exposure` to internal or public, or remove `host`",
    )


def latencies_out_of_order(span: Span, slow: str, fast: str) -> Diagnostic:
    """A higher percentile cannot have a lower latency.

    Wrong:

        slo: {p50: 100ms, p99: 50ms}

    Right:

        slo: {p50: 20ms, p99: 50ms}
    """
    return Diagnostic(
        "E0458",
        Severity.ERROR,
        f"{slow} cannot be lower than {fast}, because {slow} covers more requests",
        span,
        f"raise {slow}, or lower {fast}",
    )


def batching_breaks_slo(span: Span, wait_ms: int, slo: str, slo_ms: int) -> Diagnostic:
    """Requests may wait for a batch longer than the latency objective allows for the response.

    Wrong:

        batching: {maxSize: 32, maxWait: 100ms}
        slo: {p99: 50ms}

    Right:

        batching: {maxSize: 32, maxWait: 5ms}
        slo: {p99: 50ms}
    """
    return Diagnostic(
        "E0459",
        Severity.ERROR,
        f"requests may wait {wait_ms} ms for a batch, but {slo} allows {slo_ms} ms for the response",
        span,
        "lower `maxWait`",
    )


def slo_beyond_timeout(span: Span, slo: str, timeout_s: int) -> Diagnostic:
    """Requests time out before they can violate the latency objective, so it is always met.

    A request that times out is an error and counts against availability instead.

    Wrong:

        slo: {p99: 90s}
        endpoint: {timeout: 60s}

    Right:

        slo: {p99: 30s}
        endpoint: {timeout: 60s}
    """
    return Diagnostic(
        "W0494",
        Severity.WARNING,
        f"{slo} can never be violated, because requests time out after {timeout_s} s",
        span,
        f"lower {slo}, or raise `endpoint.timeout`",
    )


def alert_without_reader(span: Span, endpoints: Sequence[str]) -> Diagnostic:
    """An SLO raises alerts, but no one would receive them.

    Wrong:

        governance: {owner: {team: payments, email: payments@acme.example}}
        inference: {scorer: {slo: {p99: 50ms}, …}}

    Right:

        governance: {owner: {team: payments, email: payments@acme.example, oncall: payments-oncall}}
        channels: {payments-oncall: {type: pagerduty, key: secret://vault/pagerduty#payments}}
    """
    subject = f"endpoint {quote(endpoints[0])}" if len(endpoints) == 1 else f"{len(endpoints)} endpoints"
    return Diagnostic(
        "W0460",
        Severity.WARNING,
        f"the SLO of {subject} raises alerts, but the owner has no on-call channel",
        span,
        "add `oncall: CHANNEL` to `governance.owner`",
    )


def nothing_promised(span: Span, endpoint: str) -> Diagnostic:
    """An SLO has a window but no objective.

    Wrong:

        slo: {window: 7d}

    Right:

        slo: {availability: 99.9%, window: 7d}
    """
    message = f"the SLO of endpoint {quote(endpoint)} has no objective"
    return Diagnostic(
        "E0491", Severity.ERROR, message, span, "add `availability: 99.9%`, or a latency such as `p99: 200ms`"
    )
