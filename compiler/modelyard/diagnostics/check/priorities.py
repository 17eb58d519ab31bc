"""Diagnostics about workload priorities: W0992."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def preempted_without_retry(span: Span, pipeline: str, priority: str) -> Diagnostic:
    """A run that yields fails when its workers are preempted, and without `retries` it is not tried again.

    Wrong:

        pipelines: {train: {priority: low, retries: 0, …}}

    Right:

        pipelines: {train: {priority: low, retries: 3, …}}
    """
    return Diagnostic(
        "W0992",
        Severity.WARNING,
        f"pipeline {quote(pipeline)} has priority {quote(priority)} and no retries, so the first preemption fails its"
        " run",
        span,
        "set `retries: 3`",
    )
