"""Diagnostics about captured columns and keys for matching labels: E0890, W0891, E0915, W0916, E0931 and E0932."""

from __future__ import annotations

from collections.abc import Sequence

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def feature_not_captured(span: Span, column: str, endpoint: str) -> Diagnostic:
    """A monitor checks a column that captures leave out or redact, or that is not a model input, such as the label.

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
        f"captures of endpoint {quote(endpoint)} do not contain the values of column {quote(column)}",
        span,
        "capture the column, or check a different one",
    )


def keys_unknown(span: Span, monitor: str, endpoint: str, labels: str) -> Diagnostic:
    """Late labels may never be matched, because captures contain no key that identifies a request.

    Labels are matched with predictions by the monitor's `key`, or else by the columns that both have. Captures contain
    the model inputs and the endpoint's `keys`. If the endpoint lists no keys, captures contain the `key` of each
    monitor that compares them with labels, or the columns in the labels' `schema`.

    Wrong:

        data: {chargebacks: {label: is_fraud, …}}
        inference: {scorer: {capture: {sample: 20%}, …}}
        monitors: {quality: {type: prediction-quality, watch: inference.scorer, labels: chargebacks, …}}

    Right:

        data: {chargebacks: {label: is_fraud, …}}
        inference: {scorer: {capture: {sample: 20%}, …}}
        monitors:
          quality:
            {type: prediction-quality, watch: inference.scorer, labels: chargebacks, key: [transaction_id], …}
    """
    return Diagnostic(
        "W0891",
        Severity.WARNING,
        f"monitor {quote(monitor)} has no key for matching labels in {quote(labels)}, and captures of endpoint"
        f" {quote(endpoint)} do not contain one",
        span,
        "list the key columns in `key`, or add `keys: []` to `capture` if labels are matched by model inputs",
    )


def no_common_key(span: Span, monitor: str, watch: str, labels: str) -> Diagnostic:
    """The watched data and its labels have no column in common, so no label ever matches.

    Label and timestamp columns do not count, because an event and its label have different ones.

    Wrong:

        data:
          scores: {schema: {amount: number, day: timestamp}, …}
          chargebacks: {schema: {transaction_id: string, is_fraud: boolean}, label: is_fraud, …}
        monitors: {quality: {type: prediction-quality, watch: pipelines.nightly, labels: chargebacks, …}}

    Right:

        data:
          scores: {schema: {transaction_id: string, amount: number, day: timestamp}, …}
          chargebacks: {schema: {transaction_id: string, is_fraud: boolean}, label: is_fraud, …}
        monitors: {quality: {type: prediction-quality, watch: pipelines.nightly, labels: chargebacks, …}}
    """
    return Diagnostic(
        "E0915",
        Severity.ERROR,
        f"monitor {quote(monitor)} cannot match labels: {watch} and {quote(labels)} have no column in common",
        span,
        "along with the predictions, store a column that identifies each label, such as a case number, "
        "and list it in `key`",
    )


def key_not_declared(span: Span, monitor: str, labels: str) -> Diagnostic:
    """A monitor has no `key`, and the spec does not declare which columns its predictions and labels share.

    Labels would be matched by all columns that both happen to have. A column that changed in between, such as a
    corrected amount, would then hide the label.

    Wrong:

        monitors: {quality: {type: prediction-quality, watch: pipelines.nightly, labels: settled, …}}

    Right:

        monitors: {quality: {type: prediction-quality, watch: pipelines.nightly, labels: settled, key: [claim_id], …}}
    """
    return Diagnostic(
        "W0916",
        Severity.WARNING,
        f"monitor {quote(monitor)} has no key for matching labels in {quote(labels)}",
        span,
        "list the columns that identify a row in `key`",
    )


def fewer_features_than_asked(span: Span, check: str, minimum: int, columns: Sequence[str]) -> Diagnostic:
    """A check requires more out-of-bounds features than it has features to check, so it never reports a breach.

    Without `features`, a check covers the columns that both the window and its reference have. Captures contain the
    model inputs, or only those in `capture.columns`, plus `capture.keys`.

    Wrong:

        data: {visits: {features: [age, visits], …}}
        monitors: {drift: {watch: inference.scorer, checks: {psi: {max: 0.2, minFeatures: 3}}, …}}

    Right:

        data: {visits: {features: [age, visits], …}}
        monitors: {drift: {watch: inference.scorer, checks: {psi: {max: 0.2, minFeatures: 2}}, …}}
    """
    have = f"only {len(columns)}: {', '.join(columns[:5])}{', …' if len(columns) > 5 else ''}" if columns else "none"
    features = "a feature" if minimum == 1 else f"{minimum} features"
    return Diagnostic(
        "E0931",
        Severity.ERROR,
        f"check {quote(check)} needs {features} out of bounds to report a breach, but covers {have}",
        span,
        f"set `minFeatures` to {len(columns)} or less" if columns else "capture columns that the reference also has",
    )


def key_not_captured(span: Span, column: str, endpoint: str, redacted: bool) -> Diagnostic:
    """Labels are matched by a column that captures do not contain, so no label ever matches.

    Captures contain the model inputs, or only those in `columns`, plus `keys`. For a column under `redact`, they record
    only whether it had a value.

    Wrong:

        inference: {scorer: {capture: {keys: [customer]}, …}}
        monitors: {quality: {watch: inference.scorer, labels: outcomes, key: [customer, day], …}}

    Right:

        inference: {scorer: {capture: {keys: [customer, day]}, …}}
        monitors: {quality: {watch: inference.scorer, labels: outcomes, key: [customer, day], …}}
    """
    verb = "redact" if redacted else "do not contain"
    return Diagnostic(
        "E0932",
        Severity.ERROR,
        f"captures of endpoint {quote(endpoint)} {verb} {quote(column)}, which is part of the key for matching labels",
        span,
        f"remove {column} from `capture.redact`, or use another key" if redacted else f"add {column} to `capture.keys`",
    )
