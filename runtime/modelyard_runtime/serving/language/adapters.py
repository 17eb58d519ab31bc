"""The named adapters of an endpoint, which follow their aliases while the base model stays loaded."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from dataclasses import replace

from modelyard_runtime.models.bases import Base
from modelyard_runtime.models.loading import Models, expected_digest
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry import client as registry
from modelyard_runtime.registry.formats import ADAPTER, FORMAT_TAG
from modelyard_runtime.serving.language.engine import Adapted
from modelyard_runtime.serving.language.loaded import Loaded
from modelyard_runtime.serving.language.requests import ApiError
from modelyard_runtime.workload.records import Model, ServerWorkload

_log = logging.getLogger(__name__)


class NamedAdapters:
    """An application's adapters by the name used in requests, each with its loaded version."""

    def __init__(self, workload: ServerWorkload, adapters: Mapping[str, Model]) -> None:
        self._workload = workload
        self._models = {name: (model, Models(workload, model)) for name, model in adapters.items()}
        self._loaded: dict[str, Loaded] = {}
        self._whole: Loaded | None = None
        self._reasons: dict[str, str] = {}
        self._leaving: list[str] = []

    @property
    def loaded(self) -> Mapping[str, Loaded]:
        """Return the loaded versions by name."""
        return self._loaded

    @property
    def follow(self) -> bool:
        """Return whether any adapter follows an alias, or is still waiting for a version given by number."""
        return any(not model.version or name not in self._loaded for name, (model, _) in self._models.items())

    def __len__(self) -> int:
        return len(self._models)

    def of(self, name: str) -> Loaded | None:
        """Return an adapter's loaded version, or None if there is no adapter with that name."""
        if name not in self._models:
            return None
        loaded = self._loaded.get(name)
        if loaded is None:
            reason = self._reasons.get(name) or f"no version of {self._models[name][0].uri} exists yet"
            raise ApiError(f"adapter {name!r} cannot be used: {reason}", status=503)
        return loaded

    def renew(self, whole: Loaded) -> None:
        """Load the versions the aliases now point to. After a change of the base model, all adapters are reloaded.

        A version that can't be loaded affects neither other adapters nor its predecessor on the same base.
        """
        for key in self._leaving:  # a look later, so that no request is about to use them
            whole.engine.remove_adapter(key)
        self._leaving = []
        before = self._loaded if self._whole is whole else {}
        loaded = {name: version for name in self._models if (version := self._renewed(name, whole, before)) is not None}
        replaced = (name for name, version in before.items() if loaded[name].uri != version.uri)
        self._leaving = [_key(name, before[name]) for name in replaced]
        self._loaded, self._whole = loaded, whole

    def _renewed(self, name: str, whole: Loaded, before: Mapping[str, Loaded]) -> Loaded | None:
        model, versions = self._models[name]
        current = before.get(name)
        try:
            version = versions.version()
            if version is None or (current is not None and current.uri == version.uri):
                return current
            loaded = self._load(name, model, version, whole)
        except Exception as problem:  # noqa: BLE001 - MLflow, stores and engines raise their own exceptions
            self._reasons[name] = str(problem) if isinstance(problem, Refusal) else "see the server's log"
            _log.exception("adapter %s cannot be updated", name)
            return current
        self._reasons.pop(name, None)
        _log.info("adapter %s serves version %s of %s", name, version.version, version.name)
        return loaded

    def _load(self, name: str, model: Model, version: registry.Version, whole: Loaded) -> Loaded:
        if version.tags.get(FORMAT_TAG) != ADAPTER:
            raise Refusal(f"version {version.version} of {version.name} is not an adapter")
        files = registry.fetch(version, expected_digest(self._workload, model, version))
        try:
            Base.read(files).check(whole.base)
            whole.engine.add_adapter(_key(name, version), files)
        finally:
            shutil.rmtree(files, ignore_errors=True)
        engine = Adapted(whole.engine, _key(name, version))
        return Loaded(engine, replace(whole.origin, version=f"{name}/{version.version}"), version.uri, whole.base)


def _key(name: str, version: Loaded | registry.Version) -> str:
    """Return the engine's name for an adapter, which is unique for each name and version."""
    return f"{name} {version.uri}"
