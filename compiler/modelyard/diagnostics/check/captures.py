"""Diagnostics about what captures hold and what labels are found by: E0890, W0891, E0915, W0916, E0931 and E0932."""

from __future__ import annotations

from collections.abc import Sequence

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def feature_not_captured(span: Span, column: str, endpoint: str) -> Diagnostic:
    """A monitor checks a column that captures leave out or redact, or that is no input of the model, such as the label.

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


def keys_unknown(span: Span, monitor: str, endpoint: str, labels: str) -> Diagnostic:
    """Late labels may not be found: captures keep the inputs of the model and no key of a request.

    Labels are matched with predictions by the `key` of the monitor, or else by the columns that both have. Captures
    keep the inputs of the model, and besides them the `keys` that the endpoint names; where it names none, the `key` of
    each monitor that judges them by labels, or the columns in the `schema` of the labels.

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
        f"monitor {quote(monitor)} names no key by which labels in {quote(labels)} are found, and captures of endpoint"
        f" {quote(endpoint)} keep none",
        span,
        "name its columns in `key`, or write `keys: []` in `capture` where labels are found by inputs of the model",
    )


def no_common_key(span: Span, monitor: str, watch: str, labels: str) -> Diagnostic:
    """What a monitor watches and its labels have no column in common, so no label is ever found.

    Labels and timestamps do not count: those of an event and of its label differ.

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
        f"monitor {quote(monitor)} finds no label: {watch} and {quote(labels)} have no column in common",
        span,
        "keep a column of the labels beside the predictions, such as a number of the case, and name it in `key`",
    )


def key_not_declared(span: Span, monitor: str, labels: str) -> Diagnostic:
    """A monitor names no `key`, and the spec does not tell which columns its predictions and labels share.

    Labels would be found by all columns that both happen to have. One that has changed in between, such as an amount
    that was corrected, then hides the label.

    Wrong:

        monitors: {quality: {type: prediction-quality, watch: pipelines.nightly, labels: settled, …}}

    Right:

        monitors: {quality: {type: prediction-quality, watch: pipelines.nightly, labels: settled, key: [claim_id], …}}
    """
    return Diagnostic(
        "W0916",
        Severity.WARNING,
        f"monitor {quote(monitor)} names no key by which labels in {quote(labels)} are found",
        span,
        "name in `key` the columns that say which row is which",
    )


def fewer_features_than_asked(span: Span, check: str, asked: int, found: Sequence[str]) -> Diagnostic:
    """A check asks that more features are beyond its bounds than there are to look at, so it is never a breach.

    Without `features`, a check looks at the columns that both the window and its reference have. Captures hold the
    inputs of the model and `capture.keys`, or the `capture.columns` among these inputs.

    Wrong:

        data: {visits: {features: [age, visits], …}}
        monitors: {drift: {watch: inference.scorer, checks: {psi: {max: 0.2, minFeatures: 3}}, …}}

    Right:

        data: {visits: {features: [age, visits], …}}
        monitors: {drift: {watch: inference.scorer, checks: {psi: {max: 0.2, minFeatures: 2}}, …}}
    """
    have = f"{len(found)}: {', '.join(found[:5])}{', …' if len(found) > 5 else ''}" if found else "none"
    features = "a feature" if asked == 1 else f"{asked} features"
    return Diagnostic(
        "E0931",
        Severity.ERROR,
        f"check {quote(check)} asks for {features} beyond its bounds, and looks at {have}",
        span,
        f"write {len(found)} or less" if found else "keep columns in `capture` that the reference has, too",
    )


def key_not_captured(span: Span, column: str, endpoint: str, redacted: bool) -> Diagnostic:
    """Labels are found by a column that captures do not hold, so that none is ever found.

    Captures hold the inputs of the model, or the `columns` among them, and `keys` besides; of a column under `redact`
    they hold whether there was a value.

    Wrong:

        inference: {scorer: {capture: {keys: [customer]}, …}}
        monitors: {quality: {watch: inference.scorer, labels: outcomes, key: [customer, day], …}}

    Right:

        inference: {scorer: {capture: {keys: [customer, day]}, …}}
        monitors: {quality: {watch: inference.scorer, labels: outcomes, key: [customer, day], …}}
    """
    how = "redact" if redacted else "do not hold"
    return Diagnostic(
        "E0932",
        Severity.ERROR,
        f"captures of endpoint {quote(endpoint)} {how} {quote(column)}, by which labels are to be found",
        span,
        f"remove {column} from redact in `capture`, or use another key"
        if redacted
        else f"add {column} to keys in `capture`",
    )
