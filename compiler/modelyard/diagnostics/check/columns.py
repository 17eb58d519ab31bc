"""Diagnostics about column roles: E0809, W0837 and E0838."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def column_of_two_roles(span: Span, column: str, first: str, second: str) -> Diagnostic:
    """A dataset uses the same column for two of the roles label, timestamp and group.

    Wrong:

        data: {clicks: {label: clicked, group: clicked, …}}

    Right:

        data: {clicks: {label: clicked, group: page_view, …}}
    """
    return Diagnostic(
        "E0809",
        Severity.ERROR,
        f"column {quote(column)} is both the {first} and the {second}",
        span,
        "use different columns for these roles",
    )


def group_among_features(span: Span, column: str) -> Diagnostic:
    """The column that groups rows is also a feature.

    Its values identify past queries or sessions, so a model that learns from them cannot generalize to new ones.

    Wrong:

        data: {clicks: {features: [position, page_view], group: page_view, …}}

    Right:

        data: {clicks: {features: [position], group: page_view, …}}
    """
    return Diagnostic(
        "W0837",
        Severity.WARNING,
        f"group column {quote(column)} is also listed as a feature",
        span,
        "remove it from `features`",
    )


def label_of_wrong_type(span: Span, label: str, kind: str, trainer: str, task: str) -> Diagnostic:
    """A built-in trainer cannot learn from a label of this type.

    Regression, forecasting and ranking need numeric labels. XGBoost and PyTorch need classes numbered 0, 1, 2, and so
    on; LightGBM and scikit-learn also accept strings. Language models learn only strings. No trainer accepts a
    timestamp.

    Wrong:

        data: {claims: {schema: {amount: number, outcome: string}, label: outcome, …}}
        pipelines: {retrain: {type: training, trainer: xgboost, inputs: [claims], …}}

    Right:

        data: {claims: {schema: {amount: number, outcome: integer}, label: outcome, …}}
        pipelines: {retrain: {type: training, trainer: xgboost, inputs: [claims], …}}
    """
    return Diagnostic(
        "E0838",
        Severity.ERROR,
        f"label {quote(label)} has type {kind}, which the {trainer} trainer does not support for {task}",
        span,
        "encode it as a number" if kind == "string" else "use another column as the label",
    )
