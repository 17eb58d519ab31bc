"""Diagnostics about comparisons between versions: W0894, E0895, E0896, E0933 and W0934."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def rows_without_key(span: Span, check: str, pipeline: str) -> Diagnostic:
    """A gate compares versions, but nothing in the spec identifies a row of the training data.

    Rows are then recognized by the values of their features. A new feature changes the held-out part, most of which the
    champion has seen in training, so few rows are left to compare on; and a column with corrected values makes old rows
    look new. With a key, the same rows are held out each time.

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
        f"{quote(check)} compares versions, but {quote(pipeline)} does not say which column identifies a row",
        span,
        "add split: {key: [COLUMN]} to the pipeline, or split by: time",
    )


def slices_compared(span: Span, check: str) -> Diagnostic:
    """A check judges slices of the data or compares with the champion, not both at once.

    In slices with few rows, nearly every difference from the champion is within noise.

    Wrong:

        validation: {everywhere: {metric: auc_pr, by: country, versus: champion}}

    Right:

        validation: {everywhere: {metric: auc_pr, by: country, min: 0.7}, better: {metric: auc_pr, versus: champion}}
    """
    return Diagnostic(
        "E0895",
        Severity.ERROR,
        f"{quote(check)} judges slices and also compares with the champion",
        span,
        "write two checks: one with by and min or max, one with versus",
    )


def threshold_without_two_classes(span: Span, task: str) -> Diagnostic:
    """A threshold separates two classes, so only binary classification has one.

    Multiclass classification picks the most probable class, and other tasks have none.

    Wrong:

        models: {urgency: {task: multiclass-classification, framework: lightgbm, threshold: 0.3}}

    Right:

        models: {urgency: {task: binary-classification, framework: lightgbm, threshold: 0.3}}
    """
    return Diagnostic("E0896", Severity.ERROR, f"a model for {task} has no threshold", span, "remove it")


def split_by_label(span: Span, column: str, data: str) -> Diagnostic:
    """A split holds rows out by the column to predict, so the model is judged on answers that it has never learned.

    Rows with the same key stay on one side: with the label as the key, all rows of one class are held out, or none.

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
        f"{quote(column)} is the label of dataset {quote(data)}, not a key: rows with one value would stay together",
        span,
        "name the columns that identify a row, such as a customer",
    )


def split_by_moment(span: Span, column: str) -> Diagnostic:
    """A split identifies rows by their time alone: all rows of one moment stay together, those of a customer do not.

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
        f"the key of the split is {quote(column)} alone, the time of a row",
        span,
        "name the columns that identify a row, or hold out the newest rows with split: {by: time}",
    )
