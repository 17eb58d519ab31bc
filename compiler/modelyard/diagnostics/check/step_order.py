"""Diagnostics about the order of a pipeline's steps: E0998 and E0999."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def reads_while_written(span: Span, reader: str, writer: str, data: str) -> Diagnostic:
    """Two steps may run at the same time, and one reads a dataset that the other writes to.

    Steps run in parallel unless `needs` orders them, so the reader would see files from the previous run or an
    incomplete set from this run. To read the previous run's files, add the reader to the writer's `needs`.

    Wrong:

        steps: {prepare: {output: features, …}, score: {inputs: [features], …}}

    Right:

        steps: {prepare: {output: features, …}, score: {needs: [prepare], inputs: [features], …}}
    """
    return Diagnostic(
        "E0998",
        Severity.ERROR,
        f"step {quote(reader)} reads {quote(data)} while step {quote(writer)} may be writing to it",
        span,
        f"add `needs: [{writer}]` to step {quote(reader)}",
    )


def written_by_two(span: Span, step: str, other: str, data: str) -> Diagnostic:
    """Two steps may write to the same dataset at the same time.

    Wrong:

        steps: {north: {output: forecast, …}, south: {output: forecast, …}}

    Right:

        steps: {north: {output: forecast-north, …}, south: {output: forecast-south, …}}
    """
    return Diagnostic(
        "E0999",
        Severity.ERROR,
        f"steps {quote(other)} and {quote(step)} may write to dataset {quote(data)} at the same time",
        span,
        f"give each step its own dataset, or add `needs: [{other}]` to step {quote(step)}",
    )
