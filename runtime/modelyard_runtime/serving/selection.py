"""Selects the version that a server loads: its variant's own or, while there is none, that of another variant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from modelyard_runtime.models.loading import Bundles, Models
from modelyard_runtime.registry import client as registry
from modelyard_runtime.workload.records import Application, Model, Workload


@dataclass(frozen=True, slots=True)
class Origin:
    """The variant that produces a response, with its model's name in the registry and the version."""

    variant: str
    model: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class Selected:
    """A version to load, with the variant and the model to which it belongs."""

    variant: str
    model: Model
    version: registry.Version

    @property
    def origin(self) -> Origin:
        """Return what responses, logs and metrics say about the version."""
        return Origin(self.variant, self.model.registered_name, self.version.version)


class Selection:
    """The models of an application: its variant's own model, and that of the variant that stands in for it."""

    def __init__(self, workload: Workload, application: Application) -> None:
        own, stand_in = application.model, application.stand_in
        self.own = Origin(application.variant, own.registered_name)
        self._entries = [(application.variant, own, Models(workload, own))]
        if stand_in is not None:
            self._entries.append((stand_in.variant, stand_in.model, Models(workload, stand_in.model)))

    @property
    def bundles(self) -> Bundles | None:
        """Return the bundles of the variant's own model, or None if it is loaded from the registry."""
        return self._entries[0][2].bundles

    def current(self) -> Selected | None:
        """Return the version to load, or None if neither variant has one."""
        return next(self._versions(), None)

    def on_disk(self) -> Selected | None:
        """Return the version in a bundle on this disk, without waiting for its store, or None if there is none."""
        for variant, model, models in self._entries:
            if models.bundles is not None and models.bundles.on_disk() is not None:
                version = models.bundles.version()
                return None if version is None else Selected(variant, model, version)
        return None

    def final(self, origin: Origin) -> bool:
        """Return whether a loaded version never changes, because the variant names its own version by number."""
        return bool(self._entries[0][1].version) and origin.variant == self.own.variant

    def _versions(self) -> Iterator[Selected]:
        for variant, model, models in self._entries:
            version = models.version()
            if version is not None:
                yield Selected(variant, model, version)


def described_origin(origin: Origin, own: Origin) -> str:
    """Describe a loaded version for the log, with the reason if it belongs to another variant."""
    text = f"version {origin.version} of {origin.model}"
    return text if origin.variant == own.variant else f"{text}, of variant {origin.variant}: {own.variant} has none yet"
