"""Diagnostics about data that would be destroyed or mixed up: E0801 to E0807."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def captures_overlap(span: Span, captures: str, other: str, address: str) -> Diagnostic:
    """Captured requests share a folder with other data.

    Captures are deleted by age, together with anything else in their folder. Monitors read every file there, and a
    pipeline that reads the other data also reads the captures. A folder contains another if its path is a prefix of the
    other's. Two stores share a bucket if both adopt it.

    Wrong:

        data: {transactions: {store: lake, path: transactions, format: parquet}}
        inference: {scorer: {capture: {store: lake, path: transactions, retain: 30d}, …}}

    Right:

        data: {transactions: {store: lake, path: transactions, format: parquet}}
        inference: {scorer: {capture: {store: lake, path: captures/scorer, retain: 30d}, …}}
    """
    return Diagnostic(
        "E0801",
        Severity.ERROR,
        f"{captures} share a folder with {other} ({address})",
        span,
        "choose a path that nothing else uses, such as captures/NAME",
    )


def output_overlaps_input(span: Span, output: str, written_to: str, source: str, read_from: str) -> Diagnostic:
    """A step writes to a folder that it reads.

    The next run would read these results as input data, and a run that fails halfway leaves both mixed.

    Wrong:

        data:
          claims: {store: lake, path: claims, format: parquet}
          scores: {store: lake, path: claims/scores, format: parquet}
        pipelines: {nightly: {inputs: [claims], output: scores, …}}

    Right:

        data:
          claims: {store: lake, path: claims, format: parquet}
          scores: {store: lake, path: scores, format: parquet}
        pipelines: {nightly: {inputs: [claims], output: scores, …}}
    """
    return Diagnostic(
        "E0802",
        Severity.ERROR,
        f"output {output} ({written_to}) overlaps input {source} ({read_from})",
        span,
        "write the output to a folder outside every input",
    )


def artifacts_overlap(span: Span, artifacts: str, other: str, address: str) -> Diagnostic:
    """The registry stores models in a dataset's folder.

    Workloads that read the dataset find models in it, and workloads that write it may overwrite models in use.

    Wrong:

        registry: {database: runs, artifacts: lake, artifactPath: claims}
        data: {claims: {store: lake, path: claims, format: parquet}}

    Right:

        registry: {database: runs, artifacts: lake, artifactPath: mlflow}
        data: {claims: {store: lake, path: claims, format: parquet}}
    """
    return Diagnostic(
        "E0803",
        Severity.ERROR,
        f"registry artifacts ({artifacts}) share a folder with {other} ({address})",
        span,
        "set `artifactPath` to a folder that no dataset uses",
    )


def adopted_twice(span: Span, store: str, other: str, adopted: str) -> Diagnostic:
    """Two stores adopt the same bucket or database.

    Each store sets its own access rules, retention and key, and the last one applied wins. Two stores are the same if
    they have the same name at the same endpoint; all addresses of Amazon S3 count as one endpoint.

    Wrong:

        stores:
          lake: {type: object, adopt: acme-lake}
          archive: {type: object, adopt: acme-lake}

    Right:

        stores:
          lake: {type: object, adopt: acme-lake}
    """
    return Diagnostic(
        "E0804",
        Severity.ERROR,
        f"store {quote(store)} adopts {quote(adopted)}, which store {quote(other)} already adopts",
        span,
        f"use store {quote(other)} with a different path",
    )


def registered_twice(span: Span, model: str, other: str, registered: str) -> Diagnostic:
    """Two models have the same name in the registry.

    They would share version numbers and aliases, so an endpoint would serve whichever model was promoted last. A model
    without `registeredName` is registered as SYSTEM-MODEL.

    Wrong:

        metadata: {name: claims}
        models:
          triage: {registeredName: claims-severity, …}
          severity: {task: regression, …}

    Right:

        metadata: {name: claims}
        models:
          triage: {registeredName: claims-triage, …}
          severity: {task: regression, …}
    """
    return Diagnostic(
        "E0805",
        Severity.ERROR,
        f"models {quote(other)} and {quote(model)} are both registered as {quote(registered)}",
        span,
        "give each model its own `registeredName`",
    )


def scores_mixed(span: Span, pipeline: str, other: str, address: str) -> Diagnostic:
    """Two batch-inference pipelines write to the same folder.

    Both name their files after their input files, so each run overwrites the other pipeline's scores.

    Wrong:

        pipelines:
          churn: {type: batch-inference, model: churn@champion, output: scores, …}
          value: {type: batch-inference, model: value@champion, output: scores, …}

    Right:

        pipelines:
          churn: {type: batch-inference, model: churn@champion, output: churn-scores, …}
          value: {type: batch-inference, model: value@champion, output: value-scores, …}
    """
    return Diagnostic(
        "E0806",
        Severity.ERROR,
        f"pipelines {quote(other)} and {quote(pipeline)} write their scores to the same folder ({address})",
        span,
        "give each pipeline its own output",
    )


def scores_in_training_data(span: Span, pipeline: str, written_to: str, reader: str, read_from: str) -> Diagnostic:
    """A batch-inference pipeline writes its scores to a folder that a training run reads.

    The next training run would use the scores as data, so a model would learn another model's predictions.

    Wrong:

        data:
          claims: {store: lake, path: claims, format: parquet, label: urgent}
          scores: {store: lake, path: claims/scores, format: parquet}
        pipelines:
          retrain: {type: training, inputs: [claims], …}
          nightly: {type: batch-inference, inputs: [today], output: scores, …}

    Right:

        data:
          claims: {store: lake, path: claims, format: parquet, label: urgent}
          scores: {store: lake, path: scores, format: parquet}
        pipelines:
          retrain: {type: training, inputs: [claims], …}
          nightly: {type: batch-inference, inputs: [today], output: scores, …}
    """
    return Diagnostic(
        "E0807",
        Severity.ERROR,
        f"pipeline {quote(pipeline)} writes scores to {written_to}, but pipeline {quote(reader)} trains on {read_from}",
        span,
        "write the scores to a folder that no training pipeline reads",
    )


def scores_among_labels(span: Span, pipeline: str, written_to: str, reader: str, read_from: str) -> Diagnostic:
    """A batch-inference pipeline writes its scores to a dataset whose labels a training run or a monitor uses.

    Predictions would be mixed with observed outcomes, and the next training run or monitor would use both as labels. To
    train another model on scores, read them as an input without a label.

    Wrong:

        data:
          outcomes: {store: lake, path: outcomes, format: parquet, label: urgent}
        pipelines: {nightly: {type: batch-inference, inputs: [today], output: outcomes, …}}
        monitors: {quality: {type: prediction-quality, labels: outcomes, …}}

    Right:

        data:
          outcomes: {store: lake, path: outcomes, format: parquet, label: urgent}
          scores: {store: lake, path: scores, format: parquet}
        pipelines: {nightly: {type: batch-inference, inputs: [today], output: scores, …}}
        monitors: {quality: {type: prediction-quality, labels: outcomes, …}}
    """
    return Diagnostic(
        "E0930",
        Severity.ERROR,
        f"pipeline {quote(pipeline)} writes scores to {written_to}, but {reader} reads labels from {read_from}",
        span,
        "write the scores to a separate dataset",
    )
