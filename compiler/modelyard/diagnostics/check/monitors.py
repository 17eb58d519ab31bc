"""Diagnostics about the data that monitors watch, and their references."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from modelyard.diagnostics.base import Diagnostic, Severity, joined, nearest, quote
from modelyard.source import Span


def metric_of_other_monitor(span: Span, metric: str, kind: str, known: Sequence[str]) -> Diagnostic:
    """Each type of monitor computes its own metrics.

    Wrong:

        monitors: {drift: {type: data-drift, watch: inference.scorer, checks: {p99_ms: {max: 50}}, …}}

    Right:

        monitors: {latency: {type: performance, watch: inference.scorer, checks: {p99_ms: {max: 50}}}}
    """
    return Diagnostic(
        "E0465",
        Severity.ERROR,
        f"a {kind} monitor does not compute {quote(metric)}",
        span,
        nearest(metric, known, "did you mean {}?") or f"choose one of {', '.join(known)}",
    )


def watch_does_not_fit(span: Span, kind: str, watched: str, fitting: Sequence[str]) -> Diagnostic:
    """A monitor of this type needs data that the watched workload or dataset does not have.

    Wrong:

        monitors: {latency: {type: performance, watch: data.transactions, checks: {p99_ms: {max: 50}}}}

    Right:

        monitors: {latency: {type: performance, watch: inference.scorer, checks: {p99_ms: {max: 50}}}}
    """
    return Diagnostic(
        "E0466",
        Severity.ERROR,
        f"a {kind} monitor cannot watch {watched}",
        span,
        f"watch {', '.join(fitting[:-1])} or {fitting[-1]}",
    )


def watches_several_models(span: Span, watched: str, scoring: Sequence[str]) -> Diagnostic:
    """A monitor watches the predictions of one model, but several steps of the pipeline score data.

    Wrong:

        pipelines: {forecast: {steps: {demand: {model: demand@champion, …}, returns: {model: returns@champion, …}}, …}}
        monitors: {quality: {type: prediction-quality, watch: pipelines.forecast, …}}

    Right:

        pipelines:
          demand: {steps: {demand: {model: demand@champion, …}}, …}
          returns: {steps: {returns: {model: returns@champion, …}}, schedule: {after: pipelines.demand}, …}
        monitors: {quality: {type: prediction-quality, watch: pipelines.demand, …}}
    """
    return Diagnostic(
        "E0993",
        Severity.ERROR,
        f"a monitor watches the predictions of one step, but {watched} scores in several steps: {joined(scoring)}",
        span,
        "move each step to watch into its own pipeline, and connect the pipelines with `after` if needed",
    )


def capture_missing(span: Span, monitor: str, endpoint: str) -> Diagnostic:
    """An endpoint's drift and quality are computed from captured requests, but this endpoint captures none.

    Wrong:

        inference: {scorer: {variants: …, compute: cpu}}
        monitors: {drift: {type: data-drift, watch: inference.scorer, checks: {psi: {max: 0.2}}, …}}

    Right:

        inference: {scorer: {variants: …, compute: cpu, capture: {sample: 20%}}}
    """
    return Diagnostic(
        "E0467",
        Severity.ERROR,
        f"monitor {quote(monitor)} needs captured requests, but endpoint {quote(endpoint)} captures none",
        span,
        f"add `capture: {{sample: 20%, retain: 30d}}` to `inference.{endpoint}`",
    )


def labels_missing(span: Span, monitor: str, kind: str) -> Diagnostic:
    """Evaluating predictions requires the actual outcomes, which come from a dataset with labels.

    Wrong:

        monitors: {quality: {type: prediction-quality, watch: inference.scorer, checks: {auc_pr: {min: 0.8}}}}

    Right:

        monitors:
          quality:
            {type: prediction-quality, watch: inference.scorer, labels: chargebacks, checks: {auc_pr: {min: 0.8}}}
    """
    return Diagnostic(
        "E0468",
        Severity.ERROR,
        f"monitor {quote(monitor)} has the type {kind}, but does not name a dataset with labels",
        span,
        "add `labels: DATASET`",
    )


def label_column_missing(span: Span, data: str) -> Diagnostic:
    """A dataset with labels must name its label column.

    Wrong:

        data: {chargebacks: {store: lake, path: chargebacks/, format: parquet, delay: 45d}}
        monitors: {quality: {type: prediction-quality, labels: chargebacks, …}}

    Right:

        data: {chargebacks: {store: lake, path: chargebacks/, format: parquet, label: is_fraud, delay: 45d}}
    """
    return Diagnostic(
        "E0469",
        Severity.ERROR,
        f"dataset {quote(data)} provides labels for a monitor, but does not name its label column",
        span,
        f"add `label: COLUMN` to `data.{data}`",
    )


def reference_missing(span: Span, monitor: str, watched: str) -> Diagnostic:
    """Drift is measured against a reference, so the monitor must name one.

    `reference: {}` compares with the training data stored with the model. A watched dataset has no model, so its
    monitor must name another dataset.

    Wrong:

        monitors: {drift: {type: data-drift, watch: inference.scorer, checks: {psi: {max: 0.2}}}}

    Right:

        monitors: {drift: {type: data-drift, watch: inference.scorer, reference: {data: transactions, window: 30d}, …}}
    """
    hint = "add `reference: {data: DATASET}`"
    if not watched.startswith("data."):
        hint += ", or `reference: {}` for the model's training data"
    return Diagnostic(
        "E0470", Severity.ERROR, f"monitor {quote(monitor)} does not name a reference to compare with", span, hint
    )


def feature_unknown(span: Span, column: str, watched: str, known: Iterable[str]) -> Diagnostic:
    """A check names a column that the watched data does not have.

    Wrong:

        checks: {psi: {max: 0.2, features: [amuont]}}

    Right:

        checks: {psi: {max: 0.2, features: [amount]}}
    """
    return Diagnostic(
        "E0471",
        Severity.ERROR,
        f"{watched} has no column {quote(column)}",
        span,
        nearest(column, known, "did you mean {}?"),
    )


def features_without_meaning(span: Span, kind: str) -> Diagnostic:
    """Only data monitors check individual columns.

    Wrong:

        monitors: {latency: {type: performance, checks: {p99_ms: {max: 50, features: [amount]}}, …}}

    Right:

        monitors: {latency: {type: performance, checks: {p99_ms: {max: 50}}, …}}
    """
    return Diagnostic(
        "E0472",
        Severity.ERROR,
        f"a {kind} monitor does not check individual columns",
        span,
        "remove `features`",
    )


def window_with_holes(span: Span, monitor: str) -> Diagnostic:
    """The window is shorter than the time between two monitor runs, so some data is never checked.

    Wrong:

        monitors: {drift: {window: 1h, schedule: {cron: "0 6 * * *"}, …}}

    Right:

        monitors: {drift: {window: 1d, schedule: {cron: "0 6 * * *"}, …}}
    """
    return Diagnostic(
        "W0476",
        Severity.WARNING,
        f"the window of monitor {quote(monitor)} is shorter than the time between its runs",
        span,
        "lengthen the window, or run the monitor more often",
    )


def reference_data_missing(span: Span, monitor: str, watched: str) -> Diagnostic:
    """A watched dataset or custom pipeline has no model, so its monitor must name a dataset to compare with.

    Wrong:

        monitors: {drift: {type: data-drift, watch: data.transactions, reference: {}, …}}

    Right:

        monitors: {drift: {type: data-drift, watch: data.transactions, reference: {data: history}, …}}
    """
    return Diagnostic(
        "E0479",
        Severity.ERROR,
        f"monitor {quote(monitor)} watches {watched}, which has no model, so the monitor's `reference` must name a"
        " dataset",
        span,
        "add `data: DATASET` to `reference`",
    )


def reference_without_predictions(span: Span, monitor: str, data: str) -> Diagnostic:
    """A monitor for prediction drift needs a reference with predictions: a `prediction` or `score` column.

    Either the dataset's schema has neither column, or a pipeline trains on the dataset and none writes scores to it.
    Without `data`, the reference is the model's predictions for its training data, which are kept with each version.

    Wrong:

        monitors: {drift: {type: prediction-drift, watch: inference.scorer, reference: {data: labelled}, …}}

    Right:

        monitors: {drift: {type: prediction-drift, watch: inference.scorer, reference: {}, …}}
    """
    return Diagnostic(
        "W0985",
        Severity.WARNING,
        f"monitor {quote(monitor)} compares predictions with {quote(data)}, which seems to have none",
        span,
        "use `reference: {}` to compare with predictions for the training data, or name a dataset of predictions",
    )


def monitored_timestamp_missing(span: Span, monitor: str, data: str) -> Diagnostic:
    """A window over a dataset needs a timestamp column that dates each row.

    Wrong:

        data: {history: {store: lake, path: history/, format: parquet}}
        monitors: {drift: {reference: {data: history, window: 30d}, …}}

    Right:

        data: {history: {store: lake, path: history/, format: parquet, timestamp: event_time}}
    """
    return Diagnostic(
        "E0480",
        Severity.ERROR,
        f"monitor {quote(monitor)} has a window over dataset {quote(data)}, which has no timestamp",
        span,
        f"add `timestamp: COLUMN` to `data.{data}`, or remove the window",
    )


def runs_of_once(span: Span, monitor: str, pipeline: str) -> Diagnostic:
    """Duration, freshness and failures need repeated runs, but a pipeline with `schedule: once` runs only once.

    If that run fails, the owner's on-call channel is alerted anyway.

    Wrong:

        pipelines: {load: {type: custom, schedule: once, …}}
        monitors: {loading: {type: performance, watch: pipelines.load, checks: {failed_runs: {max: 0}}}}

    Right:

        pipelines: {load: {type: custom, schedule: {cron: "0 2 * * *"}, …}}
        monitors: {loading: {type: performance, watch: pipelines.load, checks: {failed_runs: {max: 0}}}}
    """
    return Diagnostic(
        "E0495",
        Severity.ERROR,
        f"monitor {quote(monitor)} watches the runs of pipeline {quote(pipeline)}, which runs only once",
        span,
        "remove the monitor, or give the pipeline a `cron` schedule",
    )


def fresh_more_often_than_it_runs(span: Span, pipeline: str, most_s: float, gap_s: int) -> Diagnostic:
    """The bound on `freshness_s` is shorter than the time between two runs, so the check fails before every run.

    Wrong:

        pipelines: {nightly: {type: batch-inference, schedule: {cron: "0 2 * * *"}, …}}
        monitors: {late: {type: performance, watch: pipelines.nightly, checks: {freshness_s: {max: 3600}}}}

    Right:

        pipelines: {nightly: {type: batch-inference, schedule: {cron: "0 2 * * *"}, …}}
        monitors: {late: {type: performance, watch: pipelines.nightly, checks: {freshness_s: {max: 93600}}}}
    """
    return Diagnostic(
        "W0496",
        Severity.WARNING,
        f"runs of pipeline {quote(pipeline)} are up to {gap_s} seconds apart, but the check allows only {most_s:g}",
        span,
        f"allow more than {gap_s} seconds plus the duration of a run",
    )


def key_unknown(span: Span, column: str, data: str, known: Iterable[str]) -> Diagnostic:
    """Labels are matched by columns that both the dataset with labels and the watched data have.

    Wrong:

        monitors: {quality: {labels: chargebacks, key: [transaction], …}}

    Right:

        monitors: {quality: {labels: chargebacks, key: [transaction_id], …}}
    """
    return Diagnostic(
        "E0875",
        Severity.ERROR,
        f"dataset {quote(data)} has no column {quote(column)} for matching labels",
        span,
        nearest(column, known, "did you mean {}?"),
    )


def key_of_two_kinds(span: Span, column: str, labels: str, watched: str) -> Diagnostic:
    """Keys are compared by value. A number equals the same number as a string, but timestamps and booleans equal
    neither.

    Wrong:

        data:
          chargebacks: {schema: {paid_at: timestamp, is_fraud: boolean}, …}
          scores: {schema: {paid_at: string, prediction: integer}, …}
        monitors: {quality: {labels: chargebacks, key: [paid_at], …}}

    Right:

        monitors: {quality: {labels: chargebacks, key: [transaction_id], …}}
    """
    return Diagnostic(
        "E0876",
        Severity.ERROR,
        f"column {quote(column)} has different types in {quote(labels)} and {quote(watched)}, "
        "so its values never match",
        span,
        "use the same type in both, or choose another key",
    )
