"""Diagnostics about leakage and skew: E0820 to W0829."""

from __future__ import annotations

from collections.abc import Sequence

from modelyard.diagnostics.base import Diagnostic, Severity, joined, quote
from modelyard.source import Span


def joined_label_among_features(span: Span, label: str, owner: str, data: str, step: str) -> Diagnostic:
    """A feature of one input is the label of another input, and training joins the two.

    The model sees the answer during training, so it passes every gate and fails in production.

    Wrong:

        data:
          claims: {features: [amount, is_fraud], …}
          outcomes: {label: is_fraud, …}
        pipelines: {retrain: {type: training, inputs: [claims, outcomes], …}}

    Right:

        data:
          claims: {features: [amount], …}
          outcomes: {label: is_fraud, …}
        pipelines: {retrain: {type: training, inputs: [claims, outcomes], …}}
    """
    return Diagnostic(
        "E0820",
        Severity.ERROR,
        f"feature {quote(label)} in dataset {quote(data)} is the label of dataset {quote(owner)}, and {quote(step)}"
        " joins the two",
        span,
        "remove it from `features`",
    )


def features_arrive_with_labels(span: Span, data: str, step: str) -> Diagnostic:
    """Features come from a dataset whose rows arrive as late as its labels.

    `delay` means that the label is known only days or weeks after the event. The other columns of these rows are rarely
    known earlier, so the model would learn from columns that requests do not have yet.

    Wrong:

        data:
          payments: {features: [amount], …}
          chargebacks: {features: [reason], label: is_fraud, delay: 45d, …}

    Right:

        data:
          payments: {features: [amount], …}
          chargebacks: {label: is_fraud, delay: 45d, …}
    """
    return Diagnostic(
        "W0821",
        Severity.WARNING,
        f"{quote(step)} uses features from dataset {quote(data)}, whose rows arrive as late as its labels",
        span,
        "remove the dataset's `features`, or its `delay` if the rows arrive in time",
    )


def forecast_split_at_random(span: Span, pipeline: str) -> Diagnostic:
    """A forecasting model is evaluated on randomly chosen rows.

    A day between two days of training data is easy to predict, so the model looks good but fails on future days.
    Built-in trainers split randomly by default.

    Wrong:

        models: {demand: {task: forecasting, …}}
        pipelines: {retrain: {type: training, model: demand, …}}

    Right:

        models: {demand: {task: forecasting, …}}
        pipelines: {retrain: {type: training, model: demand, split: {by: time}, …}}
    """
    return Diagnostic(
        "E0822",
        Severity.ERROR,
        f"pipeline {quote(pipeline)} trains a forecasting model, but holds out rows at random",
        span,
        "use `split: {by: time}`",
    )


def gate_on_training_data(span: Span, check: str, data: str, learned: str) -> Diagnostic:
    """A gate evaluates a model on its own training data.

    Any model that has memorized its training data passes. Without `data`, a gate uses the held-out part of the training
    data.

    Wrong:

        models: {triage: {validation: {good: {metric: f1, min: 0.7, data: claims}}, …}}
        pipelines: {retrain: {type: training, model: triage, inputs: [claims], …}}

    Right:

        models: {triage: {validation: {good: {metric: f1, min: 0.7}}, …}}
        pipelines: {retrain: {type: training, model: triage, inputs: [claims], …}}
    """
    same = learned == f"dataset {quote(data)}"
    overlap = "is also its training data" if same else f"overlaps its training data, {learned}"
    return Diagnostic(
        "E0823",
        Severity.ERROR,
        f"check {quote(check)} evaluates the model on dataset {quote(data)}, which {overlap}",
        span,
        "omit `data` to use the held-out rows, or use a dataset that no training pipeline reads",
    )


def several_labels(span: Span, step: str, labelled: Sequence[str]) -> Diagnostic:
    """Several inputs of a built-in trainer have a label, so it cannot tell which one to predict.

    Wrong:

        data: {claims: {label: urgent, …}, outcomes: {label: paid, …}}
        pipelines: {retrain: {type: training, trainer: xgboost, inputs: [claims, outcomes], …}}

    Right:

        data: {claims: {features: [amount], …}, outcomes: {label: paid, …}}
        pipelines: {retrain: {type: training, trainer: xgboost, inputs: [claims, outcomes], …}}
    """
    return Diagnostic(
        "E0824",
        Severity.ERROR,
        f"{len(labelled)} inputs of {quote(step)} have a label: {', '.join(labelled)}",
        span,
        "keep `label` in only one of these datasets",
    )


def time_among_features(span: Span, column: str, step: str, trainer: str) -> Diagnostic:
    """A timestamp is a feature of a built-in trainer, which supports only numbers, booleans and strings.

    Wrong:

        data: {claims: {schema: {amount: number, day: timestamp}, features: [amount, day], …}}

    Right:

        data: {claims: {schema: {amount: number, day: timestamp}, features: [amount], timestamp: day, …}}
    """
    return Diagnostic(
        "E0825",
        Severity.ERROR,
        f"{quote(step)} uses feature {quote(column)}, a timestamp, which the {trainer} trainer does not support",
        span,
        "remove it from `features`, or derive a numeric feature from it first",
    )


def scored_separately(span: Span, step: str, datasets: Sequence[str]) -> Diagnostic:
    """A batch-inference pipeline reads several inputs, but its model was trained on all of them joined.

    Training joins its inputs, but scoring reads each input separately, so each lacks the features of the others.

    Wrong:

        pipelines:
          retrain: {type: training, trainer: lightgbm, inputs: [sales, weather], …}
          forecast: {type: batch-inference, inputs: [sales, weather], …}

    Right:

        pipelines:
          retrain: {type: training, trainer: lightgbm, inputs: [sales, weather], …}
          forecast: {type: batch-inference, inputs: [sales-with-weather], …}
    """
    return Diagnostic(
        "E0826",
        Severity.ERROR,
        f"{quote(step)} scores each input separately, but the model was trained on {joined(datasets)} together",
        span,
        "use one dataset that has all features, or score with your own entrypoint",
    )


def feature_missing(span: Span, data: str, missing: Sequence[str]) -> Diagnostic:
    """A batch-inference pipeline reads a dataset without a column that the model was trained on.

    Wrong:

        data:
          claims: {schema: {amount: number, age: integer, urgent: boolean}, label: urgent, …}
          today: {schema: {amount: number}, …}
        pipelines: {nightly: {type: batch-inference, inputs: [today], …}}

    Right:

        data:
          claims: {schema: {amount: number, age: integer, urgent: boolean}, label: urgent, …}
          today: {schema: {amount: number, age: integer}, …}
        pipelines: {nightly: {type: batch-inference, inputs: [today], …}}
    """
    return Diagnostic(
        "E0827",
        Severity.ERROR,
        f"dataset {quote(data)} lacks the model's {_features(missing)}",
        span,
        "add the missing columns to its `schema`, or read another dataset",
    )


def feature_of_other_type(span: Span, data: str, column: str, now: str, then: str) -> Diagnostic:
    """A batch-inference pipeline reads a feature whose type differs from the training data.

    If a number was a string in training, the model treats it as an unknown category, so scores are wrong without any
    error.

    Wrong:

        data:
          claims: {schema: {region: string, urgent: boolean}, label: urgent, …}
          today: {schema: {region: integer}, …}
        pipelines: {nightly: {type: batch-inference, inputs: [today], …}}

    Right:

        data:
          claims: {schema: {region: string, urgent: boolean}, label: urgent, …}
          today: {schema: {region: string}, …}
        pipelines: {nightly: {type: batch-inference, inputs: [today], …}}
    """
    return Diagnostic(
        "E0828",
        Severity.ERROR,
        f"feature {quote(column)} has type {now} in dataset {quote(data)}, but {then} in the training data",
        span,
        f"change its type to {then}",
    )


def feature_not_declared(span: Span, data: str, missing: Sequence[str]) -> Diagnostic:
    """A batch-inference pipeline reads a dataset whose features differ from the model's.

    Without a schema, the dataset's columns are unknown, and only its `features` declare which columns are used.

    Wrong:

        data: {claims: {features: [amount, age], label: urgent, …}, today: {features: [amount], …}}
        pipelines: {nightly: {type: batch-inference, inputs: [today], …}}

    Right:

        data: {claims: {features: [amount, age], label: urgent, …}, today: {features: [amount, age], …}}
        pipelines: {nightly: {type: batch-inference, inputs: [today], …}}
    """
    return Diagnostic(
        "W0829",
        Severity.WARNING,
        f"dataset {quote(data)} does not declare the model's {_features(missing)}",
        span,
        "list the missing features in its `features`, or read another dataset",
    )


def _features(names: Sequence[str]) -> str:
    """List a few features by name."""
    columns = ", ".join(quote(name) for name in names[:3]) + (" …" if len(names) > 3 else "")
    return f"{'feature' if len(names) == 1 else 'features'} {columns}"
