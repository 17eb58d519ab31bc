"""Diagnostics about built-in trainers, grouped rows and histories: E0449, E0461, E0462, E0883, E0884,
W0949 and W0995.
"""

from __future__ import annotations

from collections.abc import Sequence

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def trains_on_one_worker(span: Span, trainer: str, workers: int, capable: Sequence[str]) -> Diagnostic:
    """A built-in trainer that uses only one worker would leave the others idle.

    Several workers can grow boosted trees together. With `tuning`, workers are trials that run in parallel, whatever
    the trainer.

    Wrong:

        pipelines: {retrain: {type: training, trainer: scikit-learn, workers: {min: 1, max: 4}, …}}

    Right:

        pipelines: {retrain: {type: training, trainer: scikit-learn, workers: 1, …}}
    """
    return Diagnostic(
        "E0449",
        Severity.ERROR,
        f"the trainer {trainer} trains on one worker, but there may be {workers}",
        span,
        f"set workers: 1, train with {' or '.join(capable)}, or name an entrypoint that trains with Ray Train",
    )


def rows_in_one_memory(span: Span, step: str, workers: int, reason: str) -> Diagnostic:
    """Several workers train one model, and one of them has to read all rows first.

    XGBoost and LightGBM shard the rows of a single dataset, unless it has booleans. Other data is read into the memory
    of one worker and distributed from there.

    Wrong:

        pipelines: {retrain: {type: training, trainer: xgboost, inputs: [payments, customers], workers: 8, …}}

    Right:

        pipelines: {retrain: {type: training, trainer: xgboost, inputs: [payments-with-customers], workers: 8, …}}
    """
    return Diagnostic(
        "W0995",
        Severity.WARNING,
        f"step {quote(step)} trains on up to {workers} workers, and one of them reads all rows into its memory:"
        f" {reason}",
        span,
        "give each worker three times the memory that all rows need, or prepare a single dataset without booleans,"
        " whose rows can be sharded",
    )


def trainer_cannot(span: Span, trainer: str, task: str, capable: Sequence[str]) -> Diagnostic:
    """A built-in trainer does not support this task.

    Wrong:

        models: {towers: {task: recommendation, framework: pytorch}}
        pipelines: {train: {type: training, model: towers, inputs: [plays], compute: gpu}}

    Right:

        pipelines: {train: {type: training, model: towers, inputs: [plays], compute: gpu,
        source: {entrypoint: "shop.towers:train"}}}
    """
    alternative = f", or train with {' or '.join(capable)}" if capable else ""
    return Diagnostic(
        "E0461",
        Severity.ERROR,
        f"the trainer {trainer} does not train models for {task}",
        span,
        f'name your own code, as source: {{entrypoint: "package.module:function"}}{alternative}',
    )


def group_missing(span: Span, subject: str, data: Sequence[str]) -> Diagnostic:
    """Rows are ranked within a query, but no column says which rows belong together.

    A ranker learns the order within each query; metrics such as `ndcg`, `map` and `recall_at_10` are computed per query
    and averaged. Over a single list of all rows they would mean nothing.

    Wrong:

        data: {clicks: {store: lake, path: clicks/, format: parquet, label: bought}}
        models: {ranker: {task: ranking, framework: lightgbm}}

    Right:

        data: {clicks: {store: lake, path: clicks/, format: parquet, label: bought, group: search_id}}
    """
    place = f"dataset {' or '.join(quote(name) for name in data)}" if data else "a dataset of its inputs"
    return Diagnostic(
        "E0462",
        Severity.ERROR,
        f"{subject} ranks rows, but nothing says which of them belong together",
        span,
        f"add group: COLUMN to {place}",
    )


def history_missing(span: Span, subject: str, metric: str, pipeline: str, data: Sequence[str]) -> Diagnostic:
    """An error is compared with that of a naive forecast, but the order of the training rows is unknown.

    `mase` divides by the mean absolute error of "same as the previous time" over these rows, per `group`.

    Wrong:

        data: {sales: {store: lake, path: sales/, format: parquet, label: sold}}
        models: {demand: {task: forecasting, validation: {beats-naive: {metric: mase, max: 1}}, …}}

    Right:

        data: {sales: {store: lake, path: sales/, format: parquet, label: sold, timestamp: day, group: shop}}
    """
    place = f"dataset {' or '.join(quote(name) for name in data)}" if data else "a dataset of its inputs"
    return Diagnostic(
        "E0883",
        Severity.ERROR,
        f"{subject} needs a history for {quote(metric)}, but no input of pipeline {quote(pipeline)} has a timestamp",
        span,
        f"add timestamp: COLUMN to {place}",
    )


def trainer_without_training(span: Span, step: str, trainer: str, kind: str) -> Diagnostic:
    """A step names a built-in trainer in a pipeline that trains no model.

    Wrong:

        pipelines: {nightly: {type: custom, steps: {fit: {trainer: xgboost}}, …}}

    Right:

        pipelines: {nightly: {type: training, model: fraud, steps: {fit: {trainer: xgboost}}, …}}
    """
    return Diagnostic(
        "E0884",
        Severity.ERROR,
        f"step {quote(step)} names the trainer {trainer}, but a pipeline of type {kind} trains no model",
        span,
        "write type: training and the model, or remove trainer",
    )


def model_pickled(span: Span, model: str, framework: str, pipeline: str, built_in: bool) -> Diagnostic:
    """In a high-risk system, a model is trained by code whose result can only be saved as a pickle.

    Loading a pickle runs code that it contains: anyone who can replace the files of a version before its digest is
    taken runs code in every server. The built-in trainer saves weights alone. Other frameworks have a format without
    pickle, unless the classes are your own; the tag `modelyard.format` of a version and its model card state the
    format.

    Wrong:

        governance: {risk: high, …}
        models: {fraud: {task: binary-classification, framework: pytorch}}
        pipelines: {retrain: {type: training, model: fraud, source: {entrypoint: "fraud.train:main"}, …}}

    Right:

        governance: {risk: high, …}
        models: {fraud: {task: binary-classification, framework: pytorch}}
        pipelines: {retrain: {type: training, model: fraud, …}}
    """
    return Diagnostic(
        "W0949",
        Severity.WARNING,
        f"model {quote(model)} is saved as a pickle, so loading it runs code that it contains: "
        f"the code of pipeline {quote(pipeline)} returns a model of {framework}",
        span,
        "train it with the built-in trainer, which saves weights alone" if built_in else "",
    )
