"""Diagnostics about comparisons of versions: W0894, E0895 and E0896."""

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
        "W0894",
        Severity.WARNING,
        f"{quote(check)} compares versions, and {quote(pipeline)} does not say which column identifies a row",
        span,
        "add split: {key: [COLUMN]} to the pipeline, or split by: time",
    )


def slices_compared(span: Span, check: str) -> Diagnostic:
    """A check judges slices of the data, or compares with the champion, and not both at once.

    Within slices of few rows nearly every difference from the champion lies within noise.

    Wrong:

        validation: {everywhere: {metric: auc_pr, by: country, versus: champion}}

    Right:

        validation: {everywhere: {metric: auc_pr, by: country, min: 0.7}, better: {metric: auc_pr, versus: champion}}
    """
    return Diagnostic(
        "E0895",
        Severity.ERROR,
        f"{quote(check)} judges slices and compares with the champion",
        span,
        "write two checks: one with by and min or max, one with versus",
    )


def threshold_without_two_classes(span: Span, task: str) -> Diagnostic:
    """A threshold chooses between two classes, so only binary classification has one.

    Of more classes the most probable is chosen, and other tasks have none.

    Wrong:

        models: {urgency: {task: multiclass-classification, framework: lightgbm, threshold: 0.3}}

    Right:

        models: {urgency: {task: binary-classification, framework: lightgbm, threshold: 0.3}}
    """
    return Diagnostic("E0896", Severity.ERROR, f"a model for {task} has no threshold", span, "remove it")
