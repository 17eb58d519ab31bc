"""Diagnostics about comparisons between versions: W0894, E0895, E0896, E0933 and W0934."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def rows_without_key(span: Span, check: str, pipeline: str) -> Diagnostic:
    """A gate compares versions, but no key identifies the rows of the training data.

    Rows are then identified by their feature values. Adding a feature changes which rows are held out, and the champion
    was trained on most of these, so few are left for the comparison. Corrected values make old rows look new. With a
    key, the same rows are held out each time.

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
        f"check {quote(check)} compares versions, but pipeline {quote(pipeline)} does not declare a key for its rows",
        span,
        "add `split: {key: [COLUMN]}` to the pipeline, or `split: {by: time}`",
    )


def slices_compared(span: Span, check: str) -> Diagnostic:
    """A check can evaluate slices of the data or compare with the champion, but not both.

    In slices with few rows, nearly every difference from the champion is within noise.

    Wrong:

        validation: {everywhere: {metric: auc_pr, by: country, versus: champion}}

    Right:

        validation: {everywhere: {metric: auc_pr, by: country, min: 0.7}, better: {metric: auc_pr, versus: champion}}
    """
    return Diagnostic(
        "E0895",
        Severity.ERROR,
        f"check {quote(check)} both evaluates slices and compares with the champion",
        span,
        "write two checks: one with `by` and `min` or `max`, and one with `versus`",
    )


def threshold_without_two_classes(span: Span, task: str) -> Diagnostic:
    """A threshold separates two classes, so only binary classification has one.

    Multiclass classification picks the most probable class, and other tasks have no classes.

    Wrong:

        models: {urgency: {task: multiclass-classification, framework: lightgbm, threshold: 0.3}}

    Right:

        models: {urgency: {task: binary-classification, framework: lightgbm, threshold: 0.3}}
    """
    return Diagnostic("E0896", Severity.ERROR, f"`threshold` does not apply to {task}", span, "remove `threshold`")


def split_by_label(span: Span, column: str, data: str) -> Diagnostic:
    """A split uses the label as its key, so the model is evaluated on classes that it never saw in training.

    Rows with the same key stay together. With the label as the key, either all rows of a class are held out or none.

    Wrong:

        data: {visits: {label: churned, …}}
        pipelines: {train: {inputs: [visits], split: {key: [churned]}, …}}

    Right:

        data: {visits: {label: churned, …}}
        pipelines: {train: {inputs: [visits], split: {key: [customer_id]}, …}}
    """
    return Diagnostic(
        "E0933",
        Severity.ERROR,
        f"{quote(column)} is the label of dataset {quote(data)}, so using it as a key would hold out whole classes",
        span,
        "use columns that identify a row, such as a customer ID",
    )


def split_by_moment(span: Span, column: str) -> Diagnostic:
    """A split identifies rows by time alone, which keeps rows of the same time together, but not of a customer.

    Together with other columns, the time may be part of a key, as in `[meter, read_at]`.

    Wrong:

        data: {visits: {timestamp: day, …}}
        pipelines: {train: {inputs: [visits], split: {key: [day]}, …}}

    Right:

        data: {visits: {timestamp: day, …}}
        pipelines: {train: {inputs: [visits], split: {key: [customer_id]}, …}}
    """
    return Diagnostic(
        "W0934",
        Severity.WARNING,
        f"the split key {quote(column)} identifies rows only by their time",
        span,
        "use columns that identify a row, or hold out the newest rows with `split: {by: time}`",
    )
