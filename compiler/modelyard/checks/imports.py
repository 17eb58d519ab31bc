"""Check that the promoter can read imported models, and that nothing relies on their training results."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.capabilities import monitor_type
from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import imports as problems
from modelyard.provider import Rule
from modelyard.source import Path
from modelyard.spec import Model, ModelImport, System
from modelyard.spec.imports import RUN, VERSION, bucket_and_folder, imported, kept_by_registry, stored_at
from modelyard.spec.watched import watched_models


def imports(system: System) -> Iterator[Diagnostic]:
    """Apply all rules to each imported model."""
    for model in imported(system):
        assert model.imported is not None
        path: Path = ("models", model.name, "import")
        yield from _promoter(system, model, path)
        yield from _readable(system, model, model.imported, path)
        yield from _without_training(system, model)


def _promoter(system: System, model: Model, path: Path) -> Iterator[Diagnostic]:
    """Require a promoter for imported models, and report pipelines that train one.

    Only the promoter creates versions of imported models.
    """
    if system.registry is None or system.registry.adopt:
        yield problems.import_without_promoter(system.key(*path), model.name, adopted=system.registry is not None)
    trainer = system.trained().get(model.name)
    if trainer:
        yield problems.imported_and_trained(system.key(*path), model.name, trainer)


def _readable(system: System, model: Model, source: ModelImport, path: Path) -> Iterator[Diagnostic]:
    """Require an import source that the promoter can read and whose content never changes."""
    stored = stored_at(system, source)
    if stored is not None:
        if kept_by_registry(system, *stored):
            at, text = ("path", source.path) if source.store else ("uri", source.uri)
            reason = "the registry stores its own models there, and importing them would bypass their gates"
            hint = "use a folder outside the registry, or name a version with models:/NAME/VERSION"
            yield problems.import_unreadable(system.at(*path, at), text, reason, hint)
        return
    if RUN.fullmatch(source.uri):  # the promoter looks up which model the run belongs to
        return
    version = VERSION.fullmatch(source.uri)
    reason, hint = _unreadable(system, source.uri) if version is None else _bypass(system, model, version["name"])
    if reason:
        yield problems.import_unreadable(system.at(*path, "uri"), source.uri, reason, hint)


def _unreadable(system: System, uri: str) -> tuple[str, str]:
    scheme = uri.partition(":")[0]
    if scheme == "models":
        return "it does not name a version number", "write models:/NAME/VERSION, such as models:/shared-triage/4"
    if scheme == "runs":
        return "it does not name a model in a run", "write runs:/RUN/PATH, where RUN is the run's ID of 32 characters"
    bucket, folder = bucket_and_folder(uri)
    if not bucket:
        return (
            f"the promoter cannot read {scheme}: URLs",
            "copy the model to a declared store, and set `store` and `path`",
        )
    adopting = [store.name for store in system.stores.values() if store.type == "object" and store.adopt == bucket]
    if not adopting:
        return f"no store adopts bucket {bucket}", f"add a store with `adopt: {bucket}`, or set `store` and `path`"
    if len(adopting) > 1:
        return (
            f"stores {' and '.join(adopting)} both adopt bucket {bucket}",
            f"set `store: {adopting[0]}` and `path: {folder}`",
        )
    return (
        "it does not name a folder in the bucket",
        f"write s3://{bucket}/PATH with only letters, digits and . _ = + -",
    )


def _bypass(system: System, model: Model, name: str) -> tuple[str, str]:
    """Return the problem and its fix if an import names a version created here, bypassing the gate."""
    if name == model.registered_name:
        return "it refers to this model itself", "name the model to import from"
    trained = {
        system.models[model_name].registered_name: (model_name, pipeline)
        for model_name, pipeline in system.trained().items()
    }
    if name not in trained:
        return "", ""
    other, pipeline = trained[name]
    return f"pipeline '{pipeline}' trains it here, so its own gate applies", f"use model '{other}' directly"


def _without_training(system: System, model: Model) -> Iterator[Diagnostic]:
    """Report settings that require training results, which an imported model never has."""
    path: Path = ("models", model.name)
    if model.validation:
        reason = "a gate cannot evaluate imported versions; use approvals instead"
        yield problems.import_without_training(
            system.key(*path, "validation"), model.name, reason, "remove `validation`"
        )
    if model.explainability is not None:
        span = system.key(*path, "explainability")
        reason = "explanations need the rows that it was trained on"
        yield problems.import_without_training(span, model.name, reason, "remove `explainability`")
    elif system.governance.explainability:
        span = system.at("governance", "explainability")
        reason = "explanations need the rows that it was trained on"
        hint = f"train {model.name} here, or set `explainability: optional`"
        yield problems.import_without_training(span, model.name, reason, hint)


def references(system: System) -> Iterator[Diagnostic]:
    """Require monitors of imported models to use a dataset as reference, since the training data is elsewhere."""
    for monitor in system.monitors.values():
        if monitor.reference is None or monitor.reference.data or monitor_type(monitor.type).reads != "rows":
            continue
        name = next((ref.model for ref in watched_models(system, monitor) if system.models[ref.model].imported), "")
        if name:
            yield problems.reference_of_import(system.key("monitors", monitor.name, "reference"), monitor.name, name)


RULES: Final[tuple[Rule, ...]] = (imports, references)
