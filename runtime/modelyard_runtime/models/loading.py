"""Where a workload's models come from: the registry, or bundles of it where the registry is out of reach."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass
from pathlib import Path

from modelyard_runtime.bundles.bundle import MODEL, POINTER, PROFILES, Broken, Bundle, Pointer
from modelyard_runtime.bundles.store import bundle_of, current, fetch, kept
from modelyard_runtime.promotion import evidence
from modelyard_runtime.promotion.gate import DIGEST_TAG
from modelyard_runtime.promotion.history import History, recorded
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry import client as registry
from modelyard_runtime.registry.lineage import content_digest
from modelyard_runtime.storage.filesystem import Place, local, place
from modelyard_runtime.workload.description import Section
from modelyard_runtime.workload.records import BundleSource, Model, Workload

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Held:
    """A bundle on this disk that is in use."""

    pointer: Pointer
    folder: Path


class Models:
    """The versions of one model, as its description says where to find them."""

    def __init__(self, workload: Workload, model: Model) -> None:
        self._model = model
        self.bundles = Bundles(workload, model, model.bundle) if model.bundle is not None else None
        if self.bundles is None:
            registry.connect(workload)

    def version(self) -> registry.Version | None:
        """What the reference means now; None where there is nothing yet. `uri` of a bundle's version is its folder."""
        if self.bundles is not None:
            self.bundles.renew()
            return self.bundles.version()
        model = self._model
        if model.version:
            return registry.version(model.registered_name, model.version)
        return registry.version_at(model.registered_name, model.alias)

    def profiles(self, version: registry.Version) -> Section:
        """What the data looked like that a version learned from."""
        found = _bundled_profiles(version) if self.bundles is not None else registry.profiles(version.run_id)
        if found is None:
            raise Refusal(f"nothing was kept of the data that version {version.version} of {version.name} learned from")
        return found


def load(workload: Workload, model: Model, version: registry.Version) -> registry.Model:
    """A version that was looked up for a model of the description, from the files that may be loaded for it."""
    return registry.load_version(version, expected_digest(workload, model, version))


def expected_digest(workload: Workload, model: Model, version: registry.Version) -> str:
    """What the files of a version hash to: as the history of the alias has it, else as training has kept it.

    Only the promoter writes the history, where the description names one: a version that it did not record is refused,
    and so is one without the approvals that the description asks for.
    """
    alias = model.alias
    kept = version.tags.get(DIGEST_TAG, "")
    if model.bundle is not None or not version.uri.startswith("models:/"):
        return ""
    if model.history and alias:
        what = f"version {version.version} of {version.name}"
        moves = History(model).moves(alias)
        move = recorded(moves, version.version)
        if move is None:
            raise Refusal(f"{what} is not loaded: no record says that {alias!r} is there")
        if not move.digest:
            raise Refusal(f"{what} is not loaded: the record that {alias!r} is there has no digest of its files")
        evidence.check(workload, model, what, move.digest, evidence.kept(moves, version.version, move.digest))
        return move.digest
    if not kept:
        _log.warning("version %s of %s has no digest, so its files are not compared", version.version, version.name)
    return kept


class Bundles:
    """The bundles of one alias: what is in use here, renewed from the store whenever that is in reach.

    Out of reach, what is on the disk is used: what was brought last, or what was carried there by hand.
    """

    def __init__(self, workload: Workload, model: Model, described: BundleSource) -> None:
        self._what = model.uri
        self._workload = workload
        self._model = model
        self._described = described
        self._source: Place | None = None
        self._disk = Path(described.cache)
        self._held: Held | None = None
        self.poll_s = float(described.poll_seconds)

    def version(self) -> registry.Version | None:
        """What is in use, without asking anybody; its `uri` is the folder of the model."""
        if self._held is None:
            return None
        bundle = bundle_of(self._held.folder)
        uri = str(self._held.folder / MODEL)
        return registry.Version(bundle.registered_name, bundle.version, uri, {}, bundle.run)

    def on_disk(self) -> Held | None:
        """What this disk holds, compared with its hashes when it is another than what is in use."""
        if self._held is not None and self._held.folder.is_dir() and self._on_disk() == self._held.pointer:
            return self._held
        found = kept(self._disk, self._approved)
        self._held = None if found is None else Held(*found)
        return self._held

    def renew(self) -> Held | None:
        """What the store says is in use, whole and compared with its hashes, else what is on the disk."""
        try:
            pointer = current(self._place())
            if pointer is None:
                _log.info("no bundle of %s was delivered yet", self._what)
                return self.on_disk()
            if self._held is None or self._held.pointer != pointer:
                self._held = Held(pointer, fetch(self._place(), pointer, self._disk, self._approved))
            (self._disk / POINTER).touch()  # its time says when the store was in reach last, also to the next process
        except OSError as problem:
            _log.warning("the store of bundles is out of reach, what is here goes on: %s", problem)
            return self.on_disk()
        except Broken as problem:
            _log.error("a bundle of %s was refused, what is here goes on: %s", self._what, problem)
            return self.on_disk()
        return self._held

    def age_s(self) -> float:
        """Seconds since the store said that what is in use here is, or since that was carried here by hand."""
        try:
            return max(time.time() - (self._disk / POINTER).stat().st_mtime, 0.0)
        except OSError:
            return 0.0

    def _approved(self, bundle: Bundle, folder: Path | None) -> None:
        """Raise unless a bundle has the approvals that the description asks for, of the files that are in it.

        Until these are here, of the files that it says it has.
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
            self._source = place(self._workload, self._described.uri, self._described.store)
        return self._source


def _bundled_profiles(version: registry.Version) -> Section | None:
    path = Path(version.uri).parent / PROFILES
    try:
        found: Section = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return found
