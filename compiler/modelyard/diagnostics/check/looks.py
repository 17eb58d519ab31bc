"""Diagnostics about alerts that need several consecutive checks or several features."""

from __future__ import annotations

from collections.abc import Iterable

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def looks_of_rules(span: Span, kind: str) -> Diagnostic:
    """A monitor of type performance is a rule on continuously measured metrics, so it has no checks to count.

    Wrong:

        monitors: {latency: {type: performance, checks: {p99_ms: {max: 50, consecutive: 3}}, …}}

    Right:

        monitors: {latency: {type: performance, window: 30m, checks: {p99_ms: {max: 50}}, …}}
    """
    return Diagnostic(
        "E0871",
        Severity.ERROR,
        f"a monitor of type {kind} has no single checks to count",
        span,
        "remove consecutive, or set a longer window",
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
        f"{quote(metric)} is one value, not one per feature, so there are no features to count",
        span,
        f"remove minFeatures, or choose one of {', '.join(metrics)}",
    )


def more_features_than_named(span: Span, minimum: int, covered: int) -> Diagnostic:
    """A check that requires more out-of-bounds features than it covers never fails.

    Wrong:

        checks: {psi: {max: 0.2, features: [amount, merchant], minFeatures: 3}}

    Right:

        checks: {psi: {max: 0.2, features: [amount, merchant], minFeatures: 2}}
    """
    return Diagnostic(
        "E0873",
        Severity.ERROR,
        f"{minimum} features must be beyond the bounds, but the check covers {covered}",
        span,
        f"set {covered} or less",
    )


def nowhere_to_keep_looks(span: Span, check: str, watched: str) -> Diagnostic:
    """`consecutive` and `page_hinkley` need the results of earlier runs of the monitor, which are kept in the store of
    the watched data. A dataset with its own address has no store that a monitor could write to.

    Wrong:

        data: {events: {uri: s3://acme-lake/events/, format: parquet, timestamp: at}}
        monitors: {drift: {watch: data.events, checks: {psi: {max: 0.2, consecutive: 3}}, …}}

    Right:

        data: {events: {store: lake, path: events/, format: parquet, timestamp: at}}
    """
    return Diagnostic(
        "E0874",
        Severity.ERROR,
        f"check {quote(check)} needs the results of earlier runs, but {watched} has no store to keep them in",
        span,
        "give the dataset a store and a path instead of a uri",
    )
