"""Diagnostics about comparisons of versions: W0870."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def rows_without_key(span: Span, check: str, pipeline: str) -> Diagnostic:
    """A gate compares versions, and nothing in the spec identifies a row of the training data.

    Rows are then recognized by the values of their features. A new feature draws another held-out part, of which the
    champion has learned most rows, so few are left to compare on; and a column whose values are corrected makes rows
    look new that are not. A key holds the same rows out each time.

    Wrong:

        models: {churn: {validation: {better: {metric: auc_pr, versus: champion}}, …}}
        pipelines: {train: {model: churn, inputs: [subscribers], …}}

    Right:

        models: {churn: {validation: {better: {metric: auc_pr, versus: champion}}, …}}
        pipelines: {train: {model: churn, inputs: [subscribers], split: {key: [subscriber_id]}, …}}
    """
    return Diagnostic(
        "W0870",
        Severity.WARNING,
        f"{quote(check)} compares versions, and {quote(pipeline)} does not say which column identifies a row",
        span,
        "add split: {key: [COLUMN]} to the pipeline, or split by: time",
    )
