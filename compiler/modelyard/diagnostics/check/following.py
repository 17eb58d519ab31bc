"""Diagnostics about pipelines that run after other pipelines: E0922 and E0923."""

from __future__ import annotations

from collections.abc import Sequence

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def pipelines_in_a_circle(span: Span, circle: Sequence[str]) -> Diagnostic:
    """Pipelines follow each other in a cycle, or a pipeline follows itself, so they never start or never stop.

    Wrong:

        pipelines:
          collect: {schedule: {after: pipelines.report}, …}
          report: {schedule: {after: pipelines.collect}, …}

    Right:

        pipelines:
          collect: {schedule: {cron: "0 2 * * *"}, …}
          report: {schedule: {after: pipelines.collect}, …}
    """
    names = [*circle[:8], "…"] if len(circle) > 9 else list(circle)
    alone = len(circle) == 1
    return Diagnostic(
        "E0922",
        Severity.ERROR,
        f"pipeline {quote(circle[0])} follows itself"
        if alone
        else f"pipelines follow each other in a cycle: {' → '.join([*names, circle[0]])}",
        span,
        "start one of them with `cron` or `on-demand`" if not alone else "name another pipeline in `after`",
    )


def follows_elsewhere(span: Span, pipeline: str, target: str, followed: str, other: str) -> Diagnostic:
    """A pipeline starts its followers through its own cluster's API, and cannot reach the API of another cluster.

    Wrong:

        pipelines:
          collect: {target: plant, …}
          report: {target: centre, schedule: {after: pipelines.collect}, …}

    Right:

        pipelines:
          collect: {target: plant, …}
          report: {target: centre, schedule: {cron: "0 6 * * *"}, …}
    """
    return Diagnostic(
        "E0923",
        Severity.ERROR,
        f"pipeline {quote(pipeline)} on target {quote(target)} cannot follow {quote(followed)} on {quote(other)}",
        span,
        f"place both on one target, or give {quote(pipeline)} a `cron` schedule that starts it after {quote(followed)}",
    )
