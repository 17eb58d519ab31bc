"""Diagnostics about batch inference: W0866, W0867, W0942 and W0943."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.diagnostics.check.never_works import days
from modelyard.source import Span


def reprocess_of_own_code(span: Span, pipeline: str) -> Diagnostic:
    """A batch inference has `reprocess` next to its own scoring code, which decides itself what it scores.

    Wrong:

        pipelines: {nightly: {type: batch-inference, source: {entrypoint: "churn.score:main"}, reprocess: all, …}}

    Right:

        pipelines: {nightly: {type: batch-inference, reprocess: all, …}}
    """
    return Diagnostic(
        "W0866",
        Severity.WARNING,
        f"`reprocess` has no effect: the code of pipeline {quote(pipeline)} decides what it scores again",
        span,
        "remove it, or pass it to the code in `parameters`",
    )


def reprocess_beyond_retention(span: Span, data: str, window_s: int, store: str, retention_s: int) -> Diagnostic:
    """A new version is to rescore files that their bucket no longer has: their scores stay as they are.

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
        f"not all files of {days(window_s)} of {quote(data)} can be scored again: store {quote(store)} keeps objects "
        f"for {days(retention_s)}",
        span,
        f"keep objects for {days(window_s)}, or shorten the window",
    )


def reprocess_before_next_run(span: Span, pipeline: str, window_s: int, gap_s: int) -> Diagnostic:
    """A new version is to rescore only files younger than the time between two runs, so it misses some.

    Wrong:

        pipelines: {nightly: {schedule: {cron: "0 3 * * *"}, reprocess: {window: 1h}, …}}

    Right:

        pipelines: {nightly: {schedule: {cron: "0 3 * * *"}, reprocess: {window: 14d}, …}}
    """
    return Diagnostic(
        "W0942",
        Severity.WARNING,
        f"files of {days(window_s)} are scored again, but runs of {quote(pipeline)} are up to {days(gap_s)} apart",
        span,
        f"write {days(gap_s)} or more",
    )


def reprocess_of_fixed_version(span: Span, pipeline: str, version: str) -> Diagnostic:
    """A batch inference is to rescore when its version changes, but names a version that never changes.

    Wrong:

        pipelines: {nightly: {type: batch-inference, model: churn@3, reprocess: all, …}}

    Right:

        pipelines: {nightly: {type: batch-inference, model: churn@champion, reprocess: all, …}}
    """
    return Diagnostic(
        "W0943",
        Severity.WARNING,
        f"`reprocess` has no effect: pipeline {quote(pipeline)} stays on version {version}",
        span,
        "remove it, or name an alias of the model",
    )
