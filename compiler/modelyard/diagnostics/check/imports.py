"""Diagnostics about imported models: E0980 to E0984."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def imported_and_trained(span: Span, model: str, pipeline: str) -> Diagnostic:
    """A model is imported, but a pipeline also trains it.

    The last version registered would go live, whether imported or trained. A gate that compares with an imported
    version might evaluate it on rows that it was trained on. Declare two models instead, and choose between them in
    endpoints or variants.

    Wrong:

        models: {triage: {import: {uri: "models:/shared-triage/4", digest: …}, …}}
        pipelines: {retrain: {type: training, model: triage, …}}

    Right:

        models: {bought: {import: {uri: "models:/shared-triage/4", digest: …}, …}, triage: {…}}
        pipelines: {retrain: {type: training, model: triage, …}}
    """
    return Diagnostic(
        "E0980",
        Severity.ERROR,
        f"model {quote(model)} is imported, but pipeline {quote(pipeline)} also trains it",
        span,
        "remove `import`, or give the pipeline its own model",
    )


def import_unreadable(span: Span, uri: str, reason: str, hint: str) -> Diagnostic:
    """The promoter cannot read the source of an import, or the source may change later.

    The promoter has permissions, credentials and network access for versions and runs in the system's own registry, and
    for folders in declared stores. Versions of models trained here, and folders where the registry stores its models,
    are not allowed, because importing them would bypass their gates.

    Wrong:

        models: {triage: {import: {uri: "https://models.acme.example/triage.zip", digest: …}, …}}

    Right:

        stores: {shared: {type: object, adopt: acme-models, …}}
        models: {triage: {import: {uri: "s3://acme-models/triage/4", digest: …}, …}}
    """
    return Diagnostic("E0981", Severity.ERROR, f"{quote(uri)} cannot be imported: {reason}", span, hint)


def import_without_training(span: Span, model: str, reason: str, hint: str) -> Diagnostic:
    """An imported model has a gate or explanations, which require training in this system.

    Both need the rows that the model was trained on and the held-out rows.

    Wrong:

        models: {triage: {import: {…}, validation: {good: {metric: auc_pr, min: 0.8}}, …}}

    Right:

        models: {triage: {import: {…}, …}}
        governance: {approvals: {promote: {from: [model-risk]}}, …}
    """
    return Diagnostic("E0982", Severity.ERROR, f"model {quote(model)} is imported, but {reason}", span, hint)


def reference_of_import(span: Span, monitor: str, model: str) -> Diagnostic:
    """A monitor compares with a model's training data, but the model is imported and its data is unknown.

    Wrong:

        models: {triage: {import: {…}, …}}
        inference: {scorer: {variants: {live: {model: triage@champion}}, …}}
        monitors: {drift: {type: data-drift, watch: inference.scorer, reference: {}, …}}

    Right:

        data: {sample-of-training: {store: lake, path: triage/sample, format: parquet}}
        monitors: {drift: {type: data-drift, watch: inference.scorer, reference: {data: sample-of-training}, …}}
    """
    reference = f"the training data of model {quote(model)}, which is imported without that data"
    hint = "name a dataset to compare with, as in `reference: {data: …}`"
    return Diagnostic("E0983", Severity.ERROR, f"monitor {quote(monitor)} compares with {reference}", span, hint)


def import_without_promoter(span: Span, model: str, *, adopted: bool) -> Diagnostic:
    """A model is imported, but no promoter runs here to import it.

    The promoter runs only with the system's own registry. In an adopted registry, its owners register versions and move
    aliases.

    Wrong:

        registry: {adopt: "https://mlflow.acme.example"}
        models: {triage: {import: {uri: "models:/shared-triage/4", digest: …}, …}}

    Right:

        registry: {database: runs, artifacts: lake}
        models: {triage: {import: {uri: "models:/shared-triage/4", digest: …}, …}}
    """
    reason = "the registry is adopted" if adopted else "there is no registry"
    hint = (
        "remove `import`, and register the version there"
        if adopted
        else "add a `registry` with `database` and `artifacts`"
    )
    message = f"model {quote(model)} cannot be imported: {reason}, so no promoter runs here"
    return Diagnostic("E0984", Severity.ERROR, message, span, hint)
