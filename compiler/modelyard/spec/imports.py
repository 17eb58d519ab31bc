"""Find models that were trained elsewhere, and the location of their files."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from modelyard.patterns import pattern
from modelyard.spec.needs import Model, ModelImport
from modelyard.spec.system import System

VERSION: Final = pattern(r"models:/(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)/(?P<version>[1-9][0-9]*)")
"""Matches a registered model version by number. The files of such a version never change."""

RUN: Final = pattern(r"runs:/[0-9a-f]{32}(/[A-Za-z0-9_][A-Za-z0-9._=+-]*)+")
_FOLDER: Final = pattern(r"[A-Za-z0-9_][A-Za-z0-9._=+-]*(/[A-Za-z0-9_][A-Za-z0-9._=+-]*)*")


def imported(system: System) -> tuple[Model, ...]:
    """Return the imported models in the order of the spec."""
    return tuple(model for model in system.models.values() if model.imported is not None)


def stored_at(system: System, source: ModelImport) -> tuple[str, str] | None:
    """Return an imported model's store and folder, or None if its files aren't in any of the spec's stores.

    A bucket address refers to the store that adopts the bucket, using that store's credentials and permissions.
    """
    if source.store:
        return source.store, f"{source.path.rstrip('/')}/"
    bucket, folder = bucket_and_folder(source.uri)
    adopting = [
        store.name for store in system.stores.values() if store.type == "object" and bucket and store.adopt == bucket
    ]
    return (adopting[0], f"{folder}/") if len(adopting) == 1 and _FOLDER.fullmatch(folder) else None


def kept_by_registry(system: System, store: str, folder: str) -> bool:
    """Return whether modelyard's own registry uses a store folder for models, bundles or logs.

    Stores that adopt the same bucket are treated as one.
    """
    registry = system.registry
    artifact_store = system.stores.get(registry.artifacts) if registry is not None and not registry.adopt else None
    if registry is None or artifact_store is None:
        return False
    if store != artifact_store.name and (
        not artifact_store.adopt or system.stores[store].adopt != artifact_store.adopt
    ):
        return False
    base = registry.artifact_path.rstrip("/")
    return folder.startswith((f"{base}/models/", f"{base}/bundles/", f"{base}/logs/"))


def bucket_and_folder(uri: str) -> tuple[str, str]:
    """Return the bucket and folder of an address like s3://BUCKET/PATH, or empty strings for other addresses."""
    try:
        parts = urlsplit(uri)
    except ValueError:  # incomplete IPv6 address
        return "", ""
    plain = parts.scheme == "s3" and not parts.query and not parts.fragment
    return (parts.netloc, parts.path.strip("/")) if plain else ("", "")
