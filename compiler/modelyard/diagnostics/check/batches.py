"""Diagnostics about batch inference: W0866, W0867, W0942 and W0943."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.diagnostics.check.never_works import days
from modelyard.source import Span


def reprocess_of_own_code(span: Span, pipeline: str) -> Diagnostic:
    """A batch-inference pipeline sets `reprocess`, but runs your own code, which decides for itself what to score.

    Wrong:

        pipelines: {nightly: {type: batch-inference, source: {entrypoint: "churn.score:main"}, reprocess: all, …}}

    Right:

        pipelines: {nightly: {type: batch-inference, reprocess: all, …}}
    """
    return Diagnostic(
        "W0866",
        Severity.WARNING,
        f"`reprocess` has no effect: pipeline {quote(pipeline)} runs your own code, which decides what to rescore",
        span,
        "remove `reprocess`, or pass the setting to your code in `parameters`",
    )


def reprocess_beyond_retention(span: Span, data: str, window_s: int, store: str, retention_s: int) -> Diagnostic:
    """A new version should rescore files that the store has already deleted, so their old scores remain.

    Wrong:

        stores: {lake: {type: object, retention: 14d}}
        pipelines: {nightly: {type: batch-inference, reprocess: {window: 30d}, …}}

    Right:

        stores: {lake: {type: object, retention: 60d}}
        pipelines: {nightly: {type: batch-inference, reprocess: {window: 30d}, …}}
    """
    return Diagnostic(
        "W0867",
        Severity.WARNING,
        f"{days(window_s)} of dataset {quote(data)} cannot be rescored: store {quote(store)} deletes objects after"
        f" {days(retention_s)}",
        span,
        f"keep objects for {days(window_s)}, or shorten the window",
    )


def reprocess_before_next_run(span: Span, pipeline: str, window_s: int, gap_s: int) -> Diagnostic:
    """A new version rescores only files newer than the interval between runs, so it misses some.

    Wrong:

        pipelines: {nightly: {schedule: {cron: "0 3 * * *"}, reprocess: {window: 1h}, …}}

    Right:

        pipelines: {nightly: {schedule: {cron: "0 3 * * *"}, reprocess: {window: 14d}, …}}
    """
    return Diagnostic(
        "W0942",
        Severity.WARNING,
        f"only files from the last {days(window_s)} are rescored, but runs of {quote(pipeline)} are up to"
        f" {days(gap_s)} apart",
        span,
        f"set `window` to {days(gap_s)} or more",
    )


def reprocess_of_fixed_version(span: Span, pipeline: str, version: str) -> Diagnostic:
    """A batch-inference pipeline should rescore when its model version changes, but it is pinned to one version.

    Wrong:

        pipelines: {nightly: {type: batch-inference, model: churn@3, reprocess: all, …}}

    Right:

        pipelines: {nightly: {type: batch-inference, model: churn@champion, reprocess: all, …}}
    """
    return Diagnostic(
        "W0943",
        Severity.WARNING,
        f"`reprocess` has no effect: pipeline {quote(pipeline)} is pinned to version {version}",
        span,
        "remove `reprocess`, or use a model alias",
    )
