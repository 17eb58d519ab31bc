"""Models that were trained elsewhere: what brings them here can read them, and nothing is asked of them that only a
training makes.
"""

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
    """Each import against all the rules about it."""
    for model in imported(system):
        assert model.imported is not None
        path: Path = ("models", model.name, "import")
        yield from _carried_out(system, model, path)
        yield from _readable(system, model, model.imported, path)
        yield from _never_made(system, model)


def _carried_out(system: System, model: Model, path: Path) -> Iterator[Diagnostic]:
    """The promoter imports, and nothing else makes versions of the model."""
    if system.registry is None or system.registry.adopt:
        yield problems.import_without_promoter(system.key(*path), model.name, adopted=system.registry is not None)
    trainer = system.trained().get(model.name)
    if trainer:
        yield problems.imported_and_trained(system.key(*path), model.name, trainer)


def _readable(system: System, model: Model, source: ModelImport, path: Path) -> Iterator[Diagnostic]:
    """The promoter can read the source, and means the same by it every time."""
    stored = stored_at(system, source)
    if stored is not None:
        if kept_by_registry(system, *stored):
            at, said = ("path", source.path) if source.store else ("uri", source.uri)
            why = "the registry keeps its own models there, and their gates decide about them"
            hint = "name a folder that others deliver to, or a version as models:/NAME/VERSION"
            yield problems.import_unreadable(system.at(*path, at), said, why, hint)
        return
    if RUN.fullmatch(source.uri):  # of whom it is, the promoter finds out
        return
    found = VERSION.fullmatch(source.uri)
    why, hint = _unreadable(system, source.uri) if found is None else _bypass(system, model, found["name"])
    if why:
        yield problems.import_unreadable(system.at(*path, "uri"), source.uri, why, hint)


def _unreadable(system: System, uri: str) -> tuple[str, str]:
    scheme = uri.partition(":")[0]
    if scheme == "models":
        return "it is no version by its number", "write models:/NAME/VERSION, such as models:/shared-triage/4"
    if scheme == "runs":
        return "it is no model of a run", "write runs:/RUN/PATH with the 32 characters of the id of the run"
    bucket, folder = bucket_and_folder(uri)
    if not bucket:
        return f"the promoter opens no {scheme}:", "copy the model into a store of the spec, and write store and path"
    adopting = [store.name for store in system.stores.values() if store.type == "object" and store.adopt == bucket]
    if not adopting:
        return f"no store adopts the bucket {bucket}", f"add a store with adopt: {bucket}, or write store and path"
    if len(adopting) > 1:
        return f"{' and '.join(adopting)} both adopt {bucket}", f"write store: {adopting[0]} and path: {folder}"
    return "it is no folder in the bucket", f"write s3://{bucket}/PATH, in letters, digits and . _ = + -"


def _bypass(system: System, model: Model, name: str) -> tuple[str, str]:
    """A version that was made here: of the model itself, or of one whose gate decides about it."""
    if name == model.registered_name:
        return "that is the model itself", "name the model that it comes from"
    trained = {system.models[one].registered_name: (one, pipeline) for one, pipeline in system.trained().items()}
    if name not in trained:
        return "", ""
    other, pipeline = trained[name]
    return f"pipeline '{pipeline}' trains it here, and its gate decides about its versions", f"use {other} itself"


def _never_made(system: System, model: Model) -> Iterator[Diagnostic]:
    """What comes into being when a model is trained here, and never does for one that is imported."""
    own: Path = ("models", model.name)
    if model.validation:
        what = "no gate judges its versions: approvals decide about them"
        yield problems.import_without_training(system.key(*own, "validation"), model.name, what, "remove validation")
    if model.explainability is not None:
        span = system.key(*own, "explainability")
        what = "nothing explains its versions, which needs the rows that it was trained on"
        yield problems.import_without_training(span, model.name, what, "remove explainability")
    elif system.governance.explainability:
        span = system.at("governance", "explainability")
        what = "nothing explains its versions, which needs the rows that it was trained on"
        hint = f"train {model.name} here, or write explainability: optional"
        yield problems.import_without_training(span, model.name, what, hint)


def references(system: System) -> Iterator[Diagnostic]:
    """A monitor of an imported model compares with a dataset: the data that it learned from are not here."""
    for monitor in system.monitors.values():
        if monitor.reference is None or monitor.reference.data or monitor_type(monitor.type).reads != "rows":
            continue
        name = next((ref.model for ref in watched_models(system, monitor) if system.models[ref.model].imported), "")
        if name:
            yield problems.reference_of_import(system.key("monitors", monitor.name, "reference"), monitor.name, name)


RULES: Final[tuple[Rule, ...]] = (imports, references)
