"""Delivers an alias's version as a bundle for clusters that can't reach the registry."""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from modelyard_runtime.bundles.bundle import MANIFEST, MODEL, PROFILES, Bundle, files_in, folder_name
from modelyard_runtime.bundles.store import current, publish
from modelyard_runtime.promotion.aliases import observe
from modelyard_runtime.promotion.approvals import APPROVAL_TAG
from modelyard_runtime.promotion.evidence import recorded_statements
from modelyard_runtime.promotion.gate import DIGEST_TAG
from modelyard_runtime.promotion.history import History, recorded
from modelyard_runtime.promotion.waves import advance
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry import client as registry
from modelyard_runtime.registry.lineage import ADDED, content_digest
from modelyard_runtime.storage.filesystem import Place, place
from modelyard_runtime.workload.records import Model, Workload

_log = logging.getLogger(__name__)


def deliver(workload: Workload, model: Model, alias: str) -> str:
    """Deliver an alias's version as a bundle to its declared destination, and return the outcome.

    This is idempotent. Versions that were already delivered are left unchanged, and interrupted deliveries are
    repeated.
    """
    delivery = model.delivery
    if delivery is None:
        return ""
    version = registry.version_at(model.registered_name, alias)
    if version is None:
        return f"nothing is delivered: {alias!r} of {model.registered_name} points to no version yet"
    where = place(workload, delivery.uri, delivery.store)
    try:
        sentence = deliver_version(version, alias, where, *_recorded(model, version, alias))
        outcomes = [advance(workload, where, waves, datetime.now(UTC)) for waves in delivery.waves]
        return "; ".join((sentence, *outcomes))
    except OSError as problem:
        raise Refusal(
            f"{alias!r} of {version.name} is version {version.version}, but its bundle cannot be delivered: {problem}; "
            "the next run delivers it, and so does `promote`"
        ) from None


def deliver_all(workload: Workload, model: Model, alias: str) -> str:
    """Deliver this alias and any other delivered aliases, which people may have moved in the registry unnoticed."""
    sentences = [deliver(workload, model, alias)]
    for other_alias, delivery in model.other_deliveries.items():
        sentences.append(deliver(workload, replace(model, delivery=delivery), other_alias))
    return "; ".join(sentence for sentence in sentences if sentence)


def _recorded(model: Model, version: registry.Version, alias: str) -> tuple[str, dict[str, str]]:
    """Return a version's digest and signed approvals from its history or, without one, from its tags."""
    if not model.history:
        approvals = {
            tag.removeprefix(APPROVAL_TAG): statement
            for tag, statement in version.tags.items()
            if tag.startswith(APPROVAL_TAG)
        }
        return version.tags.get(DIGEST_TAG, ""), approvals
    history = History(model)
    observe(history, alias)
    moves = history.moves(alias)
    move = recorded(moves, version.version)
    if move is None or not move.digest:
        raise Refusal(f"version {version.version} of {version.name} is not delivered: no record has its digest")
    return move.digest, recorded_statements(moves, version.version, move.digest)


def deliver_version(
    version: registry.Version, alias: str, where: Place, digest: str, approvals: Mapping[str, str]
) -> str:
    """Deliver one version to one destination."""
    sentence = f"version {version.version} of {version.name} is delivered for {alias!r}"
    now = current(where)
    if now is not None and digest and now.folder == folder_name(version.version, digest, approvals):
        return f"{sentence} already"
    with tempfile.TemporaryDirectory(prefix="bundle-") as name:
        folder = Path(name) / "bundle"
        write_bundle(version, alias, folder, digest, approvals)
        pointer = publish(folder, where)
    _log.info("delivered %s to %s", pointer.folder, where.path)
    return sentence


def write_bundle(
    version: registry.Version, alias: str, folder: Path, expected_digest: str, approvals: Mapping[str, str]
) -> Bundle:
    """Write a version's bundle to a new folder, refusing files that don't match the expected digest."""
    from mlflow import artifacts

    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="model-") as name:
        model = Path(artifacts.download_artifacts(artifact_uri=version.uri, dst_path=name))
        (model / ADDED).unlink(missing_ok=True)
        digest = content_digest(model)
        if expected_digest and expected_digest != digest:
            raise Refusal(
                f"version {version.version} of {version.name} has changed since its gate: its files hash to {digest}"
            )
        shutil.copytree(model, folder / MODEL)
    profiles = registry.profiles(version.run_id) if version.run_id else None
    if profiles is not None:
        (folder / PROFILES).write_text(json.dumps(profiles, sort_keys=True), encoding="utf-8")
    began = registry.run_began(version.run_id) if version.run_id else ""
    bundle = Bundle(version.name, alias, version.version, version.run_id, digest, began, approvals, files_in(folder))
    (folder / MANIFEST).write_text(bundle.text(), encoding="utf-8")
    return bundle
