"""Loads a workload's models from the registry, or from bundles if the registry is unreachable."""

from __future__ import annotations

import json
import logging
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from modelyard_runtime.bundles.bundle import MODEL, POINTER, PROFILES, VERSIONS, Broken, Bundle, Pointer
from modelyard_runtime.bundles.store import bundle_of, current, fetch, forget, publish, usable_bundle
from modelyard_runtime.promotion import evidence
from modelyard_runtime.promotion.gate import DIGEST_TAG
from modelyard_runtime.promotion.history import History, recorded
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry import client as registry
from modelyard_runtime.registry.lineage import content_digest
from modelyard_runtime.storage.filesystem import Place, local, place
from modelyard_runtime.workload.description import Section
from modelyard_runtime.workload.records import BundleSource, KeptVersions, Model, Workload

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ActiveBundle:
    """The active bundle on this disk."""

    pointer: Pointer
    folder: Path


class Models:
    """The versions of one model, loaded from the source given in its description."""

    def __init__(self, workload: Workload, model: Model) -> None:
        self._model = model
        self.bundles = Bundles(workload, model, model.bundle) if model.bundle is not None else None
        if model.bundle is None:
            registry.connect(workload)
        if model.bundle is None and model.kept is not None:
            self.bundles = KeptBundles(workload, model, model.kept)

    def version(self) -> registry.Version | None:
        """Return the version the reference currently resolves to, or None. For bundles, `uri` is a folder."""
        if self.bundles is not None:
            self.bundles.renew()
            return self.bundles.version()
        return asked_version(self._model)

    def profiles(self, version: registry.Version) -> Section:
        """Return profiles of the data on which a version was trained."""
        profiles = _bundled_profiles(version) if self.bundles is not None else registry.profiles(version.run_id)
        if profiles is None:
            raise Refusal(f"nothing was stored about the training data of version {version.version} of {version.name}")
        return profiles


def asked_version(model: Model) -> registry.Version | None:
    """Query the registry for the version a reference currently resolves to, or None if there is none."""
    if model.version:
        return registry.version_if_any(model.registered_name, model.version)
    return registry.version_at(model.registered_name, model.alias)


def load(workload: Workload, model: Model, version: registry.Version) -> registry.Model:
    """Verify the files of a resolved version and load it."""
    return registry.load_version(version, expected_digest(workload, model, version))


def expected_digest(workload: Workload, model: Model, version: registry.Version) -> str:
    """Return a version's expected digest according to the alias's history or, without one, as recorded at training.

    If the description names a history, which only the promoter can write, versions missing from it are refused.
    Versions without the required approvals are also refused.
    """
    alias = model.alias
    tagged_digest = version.tags.get(DIGEST_TAG, "")
    if model.bundle is not None or not version.uri.startswith("models:/"):
        return ""
    if model.history and alias:
        title = f"version {version.version} of {version.name}"
        moves = History(model).moves(alias)
        move = recorded(moves, version.version)
        if move is None:
            raise Refusal(f"{title} is not loaded: no record shows that {alias!r} points to it")
        if not move.digest:
            raise Refusal(f"{title} is not loaded: the record of {alias!r} has no digest of its files")
        evidence.check(
            workload, model, title, move.digest, evidence.recorded_statements(moves, version.version, move.digest)
        )
        return move.digest
    if not tagged_digest:
        _log.warning("version %s of %s has no digest, so its files are not verified", version.version, version.name)
    return tagged_digest


class Bundles:
    """The bundles for one alias. The active bundle is updated from the store whenever that is reachable.

    Otherwise, the bundle on disk is used, which is the last one that was fetched or manually unpacked.
    """

    def __init__(self, workload: Workload, model: Model, source: BundleSource | KeptVersions) -> None:
        self._uri = model.uri
        self._workload = workload
        self._model = model
        self._description = source
        self._source: Place | None = None
        self._pointer = (source.pointer if isinstance(source, BundleSource) else "") or POINTER
        self._disk = Path(source.cache)
        self._active: ActiveBundle | None = None
        self.poll_s = float(source.poll_seconds)

    def version(self) -> registry.Version | None:
        """Return the active version without accessing the network. Its `uri` is the model folder."""
        if self._active is None:
            return None
        bundle = bundle_of(self._active.folder)
        uri = str(self._active.folder / MODEL)
        return registry.Version(bundle.registered_name, bundle.version, uri, {}, bundle.run)

    def on_disk(self) -> ActiveBundle | None:
        """Return the bundle on this disk, verifying its hashes unless it is already active."""
        if self._active is not None and self._active.folder.is_dir() and self._on_disk() == self._active.pointer:
            return self._active
        bundle = usable_bundle(self._disk, self._approved)
        self._active = None if bundle is None else ActiveBundle(*bundle)
        return self._active

    def renew(self) -> ActiveBundle | None:
        """Fetch and verify the active bundle in the store, falling back to the bundle on disk."""
        try:
            pointer = current(self._place(), self._pointer)
            if pointer is None:
                _log.info("no bundle of %s has been delivered yet", self._uri)
                return self.on_disk()
            if self._active is None or self._active.pointer != pointer:
                self._active = ActiveBundle(pointer, fetch(self._place(), pointer, self._disk, self._approved))
            (self._disk / POINTER).touch()  # its modification time is when the store was last reached
        except OSError as problem:
            _log.warning("the bundle store is unreachable; continuing with the current bundle: %s", problem)
            return self.on_disk()
        except Broken as problem:
            _log.error("a bundle of %s was refused; continuing with the current bundle: %s", self._uri, problem)
            return self.on_disk()
        return self._active

    def age_s(self) -> float:
        """Return the seconds since the store confirmed the active bundle, or since somebody unpacked it."""
        try:
            return max(time.time() - (self._disk / POINTER).stat().st_mtime, 0.0)
        except OSError:
            return 0.0

    def _approved(self, bundle: Bundle, folder: Path | None) -> None:
        """Raise Broken unless a bundle has the required approvals for its files.

        Before the files have been fetched, this checks approvals of the digest declared by the bundle.
        """
        if self._model.approvals is None:
            return
        digest = bundle.digest if folder is None else content_digest(folder / MODEL)
        try:
            evidence.check(self._workload, self._model, f"the bundle {bundle.folder}", digest, bundle.approvals)
        except Refusal as refusal:
            raise Broken(str(refusal)) from None

    def _on_disk(self) -> Pointer | None:
        try:
            return current(local(self._disk))
        except (OSError, Broken):
            return None

    def _place(self) -> Place:
        if self._source is None:
            assert isinstance(self._description, BundleSource)
            self._source = place(self._workload, self._description.uri, self._description.store)
        return self._source


class KeptBundles(Bundles):
    """Versions from an adopted registry, kept on this disk as bundles.

    A process that starts while the registry is unreachable uses the version that was last in use.
    """

    def renew(self) -> ActiveBundle | None:
        """Fetch the version named by the registry unless it is on disk, falling back to the one on disk."""
        try:
            version = asked_version(self._model)
            if version is None:
                _log.info("the registry has no version for %s yet", self._uri)
                return self.on_disk()
            current_version = self.version() if self.on_disk() is not None else None
            if current_version is None or current_version.version != version.version:
                self._active = self._keep(version)
            (self._disk / POINTER).touch()  # its modification time is when the registry was last reached
        except Exception as problem:  # noqa: BLE001 - MLflow and each store raise their own exceptions
            _log.warning("%s cannot be fetched from the registry; using the local copy: %s", self._uri, problem)
            return self.on_disk()
        return self._active

    def _keep(self, version: registry.Version) -> ActiveBundle:
        from modelyard_runtime.promotion.delivery import write_bundle

        alias = self._model.alias or version.version
        with tempfile.TemporaryDirectory(prefix="bundle-") as name:
            folder = Path(name) / "bundle"
            write_bundle(version, alias, folder, expected_digest(self._workload, self._model, version), {})
            pointer = publish(folder, local(self._disk))
        forget(self._disk, pointer)
        return ActiveBundle(pointer, self._disk / VERSIONS / pointer.folder)


def _bundled_profiles(version: registry.Version) -> Section | None:
    path = Path(version.uri).parent / PROFILES
    try:
        profiles: Section = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return profiles
