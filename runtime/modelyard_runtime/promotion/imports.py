"""Imports models trained elsewhere. A model is registered if its files match the digest in the spec.

The files are copied into the model's own artifact folder, so the version can be used without access to the source, and
later changes to the source have no effect.

If several processes import at the same time, at most one of them registers the version. Each opens a run in the model's
experiment, then looks for other open runs, and backs off if there are any. A process that saw none opened its run
before any other process looked, and closes this run only after registering the version. See docs/decisions/0057.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from modelyard_runtime.bundles.bundle import safe_path
from modelyard_runtime.promotion.gate import DIGEST_TAG, GATE_TAG, HELD
from modelyard_runtime.promotion.look import Subject
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry import client as registry
from modelyard_runtime.registry.formats import FORMAT_TAG, SAFETENSORS, format_of
from modelyard_runtime.registry.language_files import FRAMEWORK, problem_of
from modelyard_runtime.registry.lineage import ADDED, WORKLOAD_TAG, card_text, content_digest, model_tags, owner_tags
from modelyard_runtime.storage.filesystem import listed, place, reading
from modelyard_runtime.workload.records import Promotion

FROM_TAG = "modelyard.import"
"""Tag with the source of the files, on a version and on the run that registered it."""

RUN_TAG = "modelyard.import.digest"
"""Tag with the digest of the files, on a run that is registering or has registered a version."""

LARGEST_BYTES = 8 * 2**30
"""The maximum total size of a model's files, which are copied to a scratch volume of limited size."""

_LONGEST = timedelta(hours=1)  # maximum duration of a promoter run, so an older open run was abandoned
_FOLDER = "model"
_FLAVORS = {"scikit-learn": "sklearn", "xgboost": "xgboost", "lightgbm": "lightgbm", "pytorch": "pytorch"}


def import_model(subject: Subject) -> str:
    """Register the version named by the import unless it already exists, and return the outcome.

    Raises Refusal if the source must not be imported or its files don't match the spec. Errors from stores and the
    registry are also raised. In all these cases, nothing is registered.
    """
    model = subject.promotion.model
    existing = registered(subject)
    if existing is not None:
        return f"version {existing.version} of {existing.name} is the one that the import names"
    with tempfile.TemporaryDirectory(prefix="import-") as folder:
        try:
            files = _fetched(subject, Path(folder))
            _check(subject, files)
        except Refusal as refusal:
            raise Refusal(f"model {model.name!r} is not imported: {refusal}") from None
        return _register(subject, files)


def registered(subject: Subject) -> registry.Version | None:
    """Return the imported version if it's in use or was the last one imported, or None otherwise.

    If the spec returns to an earlier model after another one went live, the model is imported again as a newer version.
    """
    promotion = subject.promotion
    name = promotion.model.registered_name
    own_versions = [version for version in registry.versions(name) if version.tags.get(WORKLOAD_TAG) == subject.made_by]
    newest = max(own_versions, key=lambda version: int(version.version), default=None)
    in_use = registry.version_at(name, promotion.promote_to)
    candidates = (version for version in (in_use, newest) if version is not None)
    return next((version for version in candidates if is_named(promotion, version)), None)


def is_named(promotion: Promotion, version: registry.Version) -> bool:
    """Return whether a version has the digest given in the import."""
    return version.tags.get(DIGEST_TAG) == promotion.imported.digest


def _fetched(subject: Subject, folder: Path) -> Path:
    """Download the source's files, without the file that MLflow's client adds."""
    from mlflow import artifacts

    source = subject.promotion.imported
    uri, store = source.uri, source.store
    if reason := _trained_here(uri, store, source.digest):
        raise Refusal(f"{uri} was trained here: {reason}, so its own gate applies")
    if store:
        return _copied(subject, uri, store, folder)
    _check_size(uri, _size_in_registry(uri))
    files = Path(artifacts.download_artifacts(artifact_uri=uri, dst_path=str(folder)))
    (files / ADDED).unlink(missing_ok=True)
    return files


def _trained_here(uri: str, store: str, digest: str) -> str:
    """Return why a source counts as trained by a pipeline that registers here, or "" if it doesn't.

    Copies of such a version have the same digest, no matter where they are stored.
    """
    if not store and _is_training(trainer := _creator(uri)):
        return f"{trainer} created it"
    copied = (
        candidate
        for candidate in registry.tagged(DIGEST_TAG, digest)
        if _is_training(candidate.tags.get(WORKLOAD_TAG, ""))
    )
    version = next(copied, None)
    if version is None:
        return ""
    return f"its digest is that of version {version.version} of {version.name}, of {version.tags[WORKLOAD_TAG]}"


def _creator(uri: str) -> str:
    """Return the workload that created a version or run in the registry, or "" if unknown."""
    kind, _, path = uri.partition(":/")
    name, _, number = path.partition("/")
    tags = registry.version(name, number).tags if kind == "models" else _client().get_run(name).data.tags
    return str(tags.get(WORKLOAD_TAG, ""))


def _is_training(workload: str) -> bool:
    return workload.startswith("pipelines.")


def _check_size(uri: str, size: int) -> None:
    if size > LARGEST_BYTES:
        raise Refusal(f"{uri} has {size:,} bytes, but at most {LARGEST_BYTES:,} can be imported")


def _size_in_registry(uri: str) -> int:
    """Return the total size of the files at a URI, as listed by the registry's store."""
    from mlflow import artifacts

    entries = artifacts.list_artifacts(artifact_uri=uri)
    folders = (f"{uri}/{entry.path.rpartition('/')[2]}" for entry in entries if entry.is_dir)
    return sum(entry.file_size or 0 for entry in entries if not entry.is_dir) + sum(map(_size_in_registry, folders))


def _copied(subject: Subject, uri: str, store: str, folder: Path) -> Path:
    where = place(subject.workload, uri, store)
    entries = [entry for entry in listed(where, recursive=True) if entry.is_file]
    _check_size(uri, sum(entry.size or 0 for entry in entries))
    for entry in entries:
        path = str(entry.path).removeprefix(where.path).lstrip("/")
        if not safe_path(path):
            raise Refusal(f"{uri} contains {path[:80]!r}, which is not a valid file path")
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        with reading(where.below(path)) as stream, (folder / path).open("wb") as file:
            shutil.copyfileobj(stream, file)
    (folder / ADDED).unlink(missing_ok=True)
    return folder


def _check(subject: Subject, files: Path) -> None:
    """Refuse files that don't match the spec. No file is parsed before its digest has been verified."""
    from mlflow.models import Model

    promotion = subject.promotion
    model, source = promotion.model, promotion.imported
    digest, expected = content_digest(files), source.digest
    if not any(files.rglob("*")):
        raise Refusal(f"there is nothing at {source.uri}")
    if digest != expected:
        raise Refusal(f"the files at {source.uri} hash to {digest}, but the spec names {expected}")
    if model.framework == FRAMEWORK:
        if problem := problem_of(files):
            raise Refusal(f"the files at {source.uri} are not a language model: {problem}")
        return
    if not (files / "MLmodel").is_file():
        raise Refusal(f"there is no file MLmodel at {source.uri}")
    logged = Model.load(str(files))
    flavor = _FLAVORS.get(model.framework, "")
    if "python_function" not in logged.flavors or flavor not in {"", *logged.flavors}:
        raise Refusal(
            f"its flavors are {', '.join(sorted(logged.flavors))}; {flavor or 'python_function'} is not among them"
        )
    threshold, declared = (logged.metadata or {}).get(registry.THRESHOLD), model.threshold
    if threshold != declared:
        logged_with = "without a threshold" if threshold is None else f"with a threshold of {threshold}"
        raise Refusal(
            f"the model was logged {logged_with}, but the spec sets {'none' if declared is None else declared}"
        )


def _register(subject: Subject, files: Path) -> str:
    promotion = subject.promotion
    model, source = promotion.model, promotion.imported
    name, uri = model.registered_name, source.uri
    workload = replace(subject.workload, address=subject.made_by)
    model_format = SAFETENSORS if model.framework == FRAMEWORK else format_of(files)
    tags = {**owner_tags(workload), **model_tags(workload, model, {}), FROM_TAG: uri}
    with exclusive_run(subject, tags) as run:
        if run is None:
            return f"{uri} is being imported by another run; the next run sees the result"
        existing = registered(subject)
        if existing is not None:
            return f"version {existing.version} of {existing.name} is the one that the import names"
        _client().log_artifacts(run.info.run_id, str(files), _FOLDER)
        version = registry.create(
            name,
            f"{run.info.artifact_uri}/{_FOLDER}",
            run.info.run_id,
            {**tags, DIGEST_TAG: source.digest, FORMAT_TAG: model_format, GATE_TAG: HELD},
            card_text(workload, model, {}, model_format, f"Imported from {uri} by system {subject.workload.system}."),
        )
    return f"version {version.version} of {name} was imported from {uri}"


@contextmanager
def exclusive_run(subject: Subject, tags: dict[str, str]) -> Generator[Any]:
    """Open a run in the model's experiment, yielding None if another run is open for the same digest."""
    source = subject.promotion.imported
    digest, client = source.digest, _client()
    experiment = registry.open_experiment(subject.promotion.model)
    run = client.create_run(experiment, tags={**tags, RUN_TAG: digest}, run_name=f"import {source.uri}")
    status = "FAILED"
    try:
        since = int((datetime.now(UTC) - _LONGEST).timestamp() * 1000)
        query = f"tags.`{RUN_TAG}` = '{digest}' AND attributes.status = 'RUNNING' AND attributes.start_time > {since}"
        open_now = {open_run.info.run_id for open_run in client.search_runs([experiment], query)}
        first = open_now <= {run.info.run_id}
        yield run if first else None
        status = "FINISHED" if first else "KILLED"
    finally:
        client.set_terminated(run.info.run_id, status)


def _client() -> Any:
    from mlflow import MlflowClient

    return MlflowClient()
