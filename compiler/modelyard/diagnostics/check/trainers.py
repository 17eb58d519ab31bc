"""Diagnostics about built-in trainers, grouped rows and histories: E0449, E0461, E0462, E0883, E0884,
W0949 and W0995.
"""

from __future__ import annotations

from collections.abc import Sequence

from modelyard.diagnostics.base import Diagnostic, Severity, joined, quote
from modelyard.source import Span


def trains_on_one_worker(span: Span, trainer: str, workers: int, capable: Sequence[str]) -> Diagnostic:
    """This built-in trainer uses only one worker and would leave the others idle.

    Only some trainers, such as those of boosted trees, can train one model on several workers. With `tuning`, each
    worker runs its own trial in parallel, regardless of the trainer.

    Wrong:

        pipelines: {retrain: {type: training, trainer: scikit-learn, workers: {min: 1, max: 4}, …}}

    Right:

        pipelines: {retrain: {type: training, trainer: scikit-learn, workers: 1, …}}
    """
    others = f", train with {joined(capable, 'or')}, or use an entrypoint that trains with Ray Train" if capable else ""
    return Diagnostic(
        "E0449",
        Severity.ERROR,
        f"the {trainer} trainer uses one worker, but the pipeline may have {workers}",
        span,
        f"set `workers: 1`{others}",
    )


def rows_in_one_memory(span: Span, step: str, workers: int, reason: str) -> Diagnostic:
    """Several workers train one model, but one of them must first read all rows.

    XGBoost and LightGBM shard a single dataset without booleans. Any other data is read into one worker's memory and
    distributed from there.

    Wrong:

        pipelines: {retrain: {type: training, trainer: xgboost, inputs: [payments, customers], workers: 8, …}}

    Right:

        pipelines: {retrain: {type: training, trainer: xgboost, inputs: [payments-with-customers], workers: 8, …}}
    """
    return Diagnostic(
        "W0995",
        Severity.WARNING,
        f"step {quote(step)} trains on up to {workers} workers, but one of them reads all rows into memory: {reason}",
        span,
        "give each worker three times the memory that all rows need, or prepare a single dataset without booleans"
        " so that it can be sharded",
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
    alternative = f", or train with {joined(capable, 'or')}" if capable else ""
    return Diagnostic(
        "E0461",
        Severity.ERROR,
        f"the {trainer} trainer does not support {task}",
        span,
        f'use your own code with `source: {{entrypoint: "package.module:function"}}`{alternative}',
    )


def group_missing(span: Span, subject: str, data: Sequence[str]) -> Diagnostic:
    """Rows are ranked within a query, but no column identifies the query.

    A ranker learns the order within each query; metrics such as `ndcg`, `map` and `recall_at_10` are computed per query
    and averaged. Computed over a single list of all rows, they would be meaningless.

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
        f"{subject} ranks rows, but no column groups them by query",
        span,
        f"add `group: COLUMN` to {place}",
    )


def history_missing(span: Span, subject: str, metric: str, pipeline: str, data: Sequence[str]) -> Diagnostic:
    """A metric compares with a naive forecast, but the order of the training rows is unknown.

    For each `group`, `mase` divides by the mean absolute error of a forecast that repeats the previous value of these
    rows.

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
        f"{subject} needs a timestamp for {quote(metric)}, but no input of pipeline {quote(pipeline)} has one",
        span,
        f"add `timestamp: COLUMN` to {place}",
    )


def trainer_without_training(span: Span, step: str, trainer: str, kind: str) -> Diagnostic:
    """A step uses a built-in trainer in a pipeline that does not train a model.

    Wrong:

        pipelines: {nightly: {type: custom, steps: {fit: {trainer: xgboost}}, …}}

    Right:

        pipelines: {nightly: {type: training, model: fraud, steps: {fit: {trainer: xgboost}}, …}}
    """
    return Diagnostic(
        "E0884",
        Severity.ERROR,
        f"step {quote(step)} uses the {trainer} trainer, but a pipeline of type {kind} does not train a model",
        span,
        "set `type: training` and `model`, or remove `trainer`",
    )


def model_pickled(span: Span, model: str, framework: str, pipeline: str, built_in: bool) -> Diagnostic:
    """In a high-risk system, a model is trained by your own code and can only be saved as a pickle.

    Loading a pickle runs code that it contains, so anyone who can replace a version's files before its digest is
    recorded can run code in every server. The built-in trainer saves only weights. Other frameworks have a format
    without pickle, unless you use your own classes. A version's tag `modelyard.format` and its model card state the
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
        f"model {quote(model)} is saved as a pickle, which runs code when loaded: "
        f"pipeline {quote(pipeline)} trains a {framework} model with your own code",
        span,
        "train it with the built-in trainer, which saves only weights" if built_in else "",
    )
