"""The fourth stage: turn a valid document into a typed system, resolving defaults and references."""

from __future__ import annotations

from collections.abc import Mapping

from modelyard.diagnostics import Diagnostic
from modelyard.provider import Provider
from modelyard.resolve.changes import resolve_moved, resolve_overrides
from modelyard.resolve.compute import resolve_compute
from modelyard.resolve.data import resolve_data, resolve_models, resolve_registry, resolve_stores
from modelyard.resolve.deployment import resolve_deployment
from modelyard.resolve.governance import resolve_governance, resolve_metadata, resolve_profile
from modelyard.resolve.inference import resolve_inference
from modelyard.resolve.monitors import resolve_channels, resolve_monitors
from modelyard.resolve.pipelines import resolve_pipelines
from modelyard.resolve.scope import Scope
from modelyard.source import Document
from modelyard.spec import System

__all__ = ["resolve"]


def resolve(
    document: Document, environment: str, providers: Mapping[str, Provider]
) -> tuple[System | None, tuple[Diagnostic, ...]]:
    """Resolve a document into the system it describes, or report all errors in it.

    The document must satisfy the schema, with its overlay and variables already applied. A system is returned only if
    there are no errors. `providers` holds all providers that the schema allows.
    """
    scope = Scope.of(document)
    deployment = resolve_deployment(scope, providers)  # first, because all other sections refer to its targets
    metadata = resolve_metadata(scope)
    governance = resolve_governance(scope)
    models = resolve_models(scope, metadata, governance)
    pipelines = resolve_pipelines(scope, deployment, models)
    inference = resolve_inference(scope, deployment, governance)
    monitors = resolve_monitors(scope, deployment, inference, pipelines, governance.owner)
    compute = resolve_compute(scope)
    system = System(
        document=document,
        environment=environment,
        metadata=metadata,
        profile=resolve_profile(scope),
        governance=governance,
        deployment=deployment,
        stores=resolve_stores(scope, deployment),
        compute={**compute, **scope.inline},
        registry=resolve_registry(scope),
        data=resolve_data(scope),
        models=models,
        pipelines=pipelines,
        inference=inference,
        monitors=monitors,
        channels=resolve_channels(scope),
        overrides=resolve_overrides(scope, deployment),
        moved=resolve_moved(scope),
    )
    return (None, tuple(scope.diagnostics)) if scope.diagnostics else (system, ())
