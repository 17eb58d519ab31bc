"""Plan the promoter, the only workload that moves aliases in our own registry."""

from __future__ import annotations

from modelyard.plan import Kind, Promoter, model_path
from modelyard.planner.draft import Draft, Needs
from modelyard.source import Path
from modelyard.spec import Model
from modelyard.spec.imports import imported, stored_at

NAME = "promoter"


def plan_promoter(draft: Draft) -> None:
    """Plan the promoter's job and identity. It reads models and imports, and writes bundles for other targets."""
    system, registry = draft.system, draft.system.registry
    trainings = tuple(
        pipeline for pipeline in system.pipelines.values() if pipeline.type == "training" and pipeline.model is not None
    )
    imported_models = imported(system)
    if draft.registry is None or registry is None or registry.adopt or not (trainings or imported_models):
        return
    origin: Path = ("registry",)
    bundles = {model.registered_name: draft.bundles.get(model.name, ()) for model in imported_models}
    promoter = Promoter(trainings, imported_models, bundles)
    needs = Needs(NAME)
    if draft.artifacts is not None:  # whole folders, because cloud policies are too small to list many models
        store, prefix = draft.artifacts
        needs.store(store, f"{prefix.rstrip('/')}/models/", "read", "artifacts")
        if any(draft.bundles.get(model.name) for model in promoter.models(system)):
            needs.store(store, f"{prefix.rstrip('/')}/bundles/", "write", "artifacts")
        for model in imported_models:
            needs.store(store, model_path(prefix, model.registered_name), "append", "artifacts")
        draft.wants_credentials(needs, store)
    for model in imported_models:
        _wants_source(draft, needs, model)
    placement = draft.registry.placement
    draft.identity(NAME, placement, origin, NAME, needs, "")
    resource = draft.add(Kind.PROMOTER, NAME, placement, origin, promoter, NAME)
    draft.connect(resource, needs, registry=True)
    draft.metrics.append(resource)


def _wants_source(draft: Draft, needs: Needs, model: Model) -> None:
    """Allow the promoter to read a model's folder in a store, in addition to the registry's own folders."""
    source = stored_at(draft.system, model.imported) if model.imported is not None else None
    if source is not None:
        needs.store(*source, "read", "artifacts")
        draft.wants_credentials(needs, source[0])
