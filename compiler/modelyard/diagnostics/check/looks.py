"""Diagnostics about alerts that need several consecutive checks or several features."""

from __future__ import annotations

from collections.abc import Iterable

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def looks_of_rules(span: Span, kind: str) -> Diagnostic:
    """A performance monitor is an alert rule on continuous metrics, so it has no individual checks to count.

    Wrong:

        monitors: {latency: {type: performance, checks: {p99_ms: {max: 50, consecutive: 3}}, …}}

    Right:

        monitors: {latency: {type: performance, window: 30m, checks: {p99_ms: {max: 50}}, …}}
    """
    return Diagnostic(
        "E0871",
        Severity.ERROR,
        f"a {kind} monitor does not run individual checks, so `consecutive` has no effect",
        span,
        "remove `consecutive`, or set a longer `window`",
    )


def features_not_counted(span: Span, metric: str, metrics: Iterable[str]) -> Diagnostic:
    """`minFeatures` applies to metrics that are measured for each feature separately.

    Wrong:

        monitors: {data: {type: data-quality, checks: {duplicates: {max: 0.01, minFeatures: 2}}, …}}

    Right:

        monitors: {drift: {type: data-drift, checks: {psi: {max: 0.2, minFeatures: 2}}, …}}
    """
    return Diagnostic(
        "E0872",
        Severity.ERROR,
        f"{quote(metric)} is a single value, not one per feature, so `minFeatures` has no effect",
        span,
        f"remove `minFeatures`, or choose one of {', '.join(metrics)}",
    )


def more_features_than_named(span: Span, minimum: int, covered: int) -> Diagnostic:
    """A check that requires more out-of-bounds features than it covers never reports a breach.

    Wrong:

        checks: {psi: {max: 0.2, features: [amount, merchant], minFeatures: 3}}

    Right:

        checks: {psi: {max: 0.2, features: [amount, merchant], minFeatures: 2}}
    """
    return Diagnostic(
        "E0873",
        Severity.ERROR,
        f"{minimum} features must be out of bounds, but the check covers only {covered}",
        span,
        f"set `minFeatures` to {covered} or less",
    )


def nowhere_to_keep_looks(span: Span, check: str, watched: str) -> Diagnostic:
    """`consecutive` and `page_hinkley` need results of earlier monitor runs, which are kept in the watched data's
    store. A dataset declared by `uri` has no store that the monitor could write to.

    Wrong:

        data: {events: {uri: s3://acme-lake/events/, format: parquet, timestamp: at}}
        monitors: {drift: {watch: data.events, checks: {psi: {max: 0.2, consecutive: 3}}, …}}

    Right:

        data: {events: {store: lake, path: events/, format: parquet, timestamp: at}}
    """
    return Diagnostic(
        "E0874",
        Severity.ERROR,
        f"check {quote(check)} needs results of earlier runs, but {watched} has no store for them",
        span,
        "declare the dataset with `store` and `path` instead of `uri`",
    )
