"""Diagnostics about the data that a monitor watches: E0880 to E0882, E0994."""

from __future__ import annotations

from collections.abc import Sequence

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def watched_timestamp_missing(span: Span, monitor: str, data: str) -> Diagnostic:
    """A monitor checks the newest rows, but the dataset has no timestamp column that dates them.

    If a monitor watches a pipeline, it reads the pipeline's output, or its first input if there is no output.

    Wrong:

        data: {scores: {store: lake, path: scores/, format: parquet}}
        monitors: {broken: {type: data-quality, watch: data.scores, checks: {rows: {min: 1000}}}}

    Right:

        data: {scores: {store: lake, path: scores/, format: parquet, timestamp: event_time}}
    """
    return Diagnostic(
        "E0880",
        Severity.ERROR,
        f"monitor {quote(monitor)} checks the newest rows of dataset {quote(data)}, which has no timestamp",
        span,
        f"add `timestamp: COLUMN` to `data.{data}`",
    )


def watched_without_data(span: Span, monitor: str, pipeline: str) -> Diagnostic:
    """A monitor checks a pipeline's data, but the pipeline neither reads nor writes a dataset.

    Wrong:

        pipelines: {report: {type: custom, compute: cpu, source: {entrypoint: "shop.report:main"}}}
        monitors: {broken: {type: data-quality, watch: pipelines.report, checks: {rows: {min: 1000}}}}

    Right:

        pipelines: {report: {type: custom, inputs: [orders], compute: cpu, source: {entrypoint: "shop.report:main"}}}
    """
    return Diagnostic(
        "E0881",
        Severity.ERROR,
        f"monitor {quote(monitor)} checks data, but pipeline {quote(pipeline)} has no inputs or output",
        span,
        f"add `inputs: [DATASET]` to `pipelines.{pipeline}`, or watch a dataset",
    )


def watches_several_datasets(span: Span, watched: str, datasets: Sequence[str]) -> Diagnostic:
    """A monitor watches a pipeline's final output, but the pipeline writes several datasets.

    Wrong:

        pipelines: {forecast: {steps: {plan: {output: plans, …}, report: {output: reports, …}}, …}}
        monitors: {broken: {type: data-quality, watch: pipelines.forecast, checks: {rows: {min: 1000}}}}

    Right:

        monitors: {broken: {type: data-quality, watch: data.plans, checks: {rows: {min: 1000}}}}
    """
    return Diagnostic(
        "E0994",
        Severity.ERROR,
        f"{watched} has several final outputs: {', '.join(datasets)}",
        span,
        f"watch one of these datasets, such as `data.{datasets[0]}`",
    )


def columns_not_declared(span: Span, check: str, watched: str) -> Diagnostic:
    """A check counts missing columns, but the spec declares none that could be missing.

    Declare columns in the dataset's `schema` or `features`, in the check's `features`, or through a reference.

    Wrong:

        monitors: {broken: {type: data-quality, watch: inference.scorer, checks: {schema: {max: 0}}}}

    Right:

        monitors: {broken: {type: data-quality, watch: inference.scorer, reference: {}, checks: {schema: {max: 0}}}}
    """
    return Diagnostic(
        "E0882",
        Severity.ERROR,
        f"check {quote(check)} looks for missing columns, but {watched} declares no columns",
        span,
        "add a `reference` to the monitor, or `features: [COLUMN]` to the check",
    )
