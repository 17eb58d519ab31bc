"""Diagnostics about the order of a pipeline's steps: E0998 and E0999."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def reads_while_written(span: Span, reader: str, writer: str, data: str) -> Diagnostic:
    """Two steps run at the same time, and one reads what the other is writing.

    Steps run in parallel unless `needs` orders them, so the reader would get the files of the previous run, or an
    incomplete set of this one. To read the files of the previous run, let the writer need the reader.

    Wrong:

        steps: {prepare: {output: features, …}, score: {inputs: [features], …}}

    Right:

        steps: {prepare: {output: features, …}, score: {needs: [prepare], inputs: [features], …}}
    """
    return Diagnostic(
        "E0998",
        Severity.ERROR,
        f"step {quote(reader)} reads {quote(data)} while step {quote(writer)} may be writing it",
        span,
        f"add needs: [{writer}] to step {quote(reader)}",
    )


def written_by_two(span: Span, step: str, other: str, data: str) -> Diagnostic:
    """Two steps write one dataset at the same time.

    Wrong:

        steps: {north: {output: forecast, …}, south: {output: forecast, …}}

    Right:

        steps: {north: {output: forecast-north, …}, south: {output: forecast-south, …}}
    """
    return Diagnostic(
        "E0999",
        Severity.ERROR,
        f"steps {quote(other)} and {quote(step)} write {quote(data)}, possibly at the same time",
        span,
        f"give each of them its own dataset, or add needs: [{other}] to step {quote(step)}",
    )
