"""Diagnostics about captures: E0890 and W0891."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def feature_not_captured(span: Span, column: str, endpoint: str) -> Diagnostic:
    """A monitor checks a column that captures leave out or redact.

    Wrong:

        inference: {scorer: {capture: {redact: [age]}, …}}
        monitors: {drift: {watch: inference.scorer, checks: {psi: {max: 0.2, features: [age]}}, …}}

    Right:

        inference: {scorer: {capture: {redact: [name]}, …}}
        monitors: {drift: {watch: inference.scorer, checks: {psi: {max: 0.2, features: [age]}}, …}}
    """
    return Diagnostic(
        "E0890",
        Severity.ERROR,
        f"captures of endpoint {quote(endpoint)} do not hold the values of column {quote(column)}",
        span,
        "keep the column in `capture`, or check another one",
    )


def keys_unknown(span: Span, endpoint: str, labels: str) -> Diagnostic:
    """Late labels may not be found: captures keep the inputs of the model and no key of a request.

    Labels are matched with predictions by the columns that both have. Captures keep the inputs of the model, and
    besides them the `keys` that the spec names; where it names none, the `key` of each monitor that judges them by
    labels, or the columns in the `schema` of the labels.

    Wrong:

        data: {chargebacks: {label: is_fraud, …}}
        inference: {scorer: {capture: {sample: 20%}, …}}
        monitors: {quality: {type: prediction-quality, watch: inference.scorer, labels: chargebacks, …}}

    Right:

        data: {chargebacks: {label: is_fraud, …}}
        inference: {scorer: {capture: {sample: 20%, keys: [transaction_id]}, …}}
        monitors: {quality: {type: prediction-quality, watch: inference.scorer, labels: chargebacks, …}}
    """
    return Diagnostic(
        "W0891",
        Severity.WARNING,
        f"captures of endpoint {quote(endpoint)} keep no key by which labels in {quote(labels)} are found",
        span,
        "name the key in `keys`, or `keys: []` where labels are found by inputs of the model",
    )
