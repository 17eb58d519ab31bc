"""Diagnostics about workload priorities: W0992."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def preempted_without_retry(span: Span, pipeline: str, priority: str) -> Diagnostic:
    """A low-priority run fails when its workers are preempted, and without `retries` it is not restarted.

    Wrong:

        pipelines: {train: {priority: low, retries: 0, …}}

    Right:

        pipelines: {train: {priority: low, retries: 3, …}}
    """
    return Diagnostic(
        "W0992",
        Severity.WARNING,
        f"pipeline {quote(pipeline)} has priority {quote(priority)} but no retries, so its run fails when preempted",
        span,
        "set `retries: 3`",
    )
