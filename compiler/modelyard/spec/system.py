"""A whole spec, resolved for one environment."""

from __future__ import annotations

import operator
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Final, cast

from modelyard.records import record, replace
from modelyard.same import is_same
from modelyard.source import Document, Json, Path, Span
from modelyard.spec.deployment import Deployment, Sites, TargetSpec
from modelyard.spec.governance import Governance, Metadata, Profile
from modelyard.spec.inference import Inference
from modelyard.spec.monitors import Channel, Monitor
from modelyard.spec.needs import ComputeClass, Dataset, Model, Registry, Store
from modelyard.spec.pipelines import Pipeline
from modelyard.spec.stages import Approval, Signed

if TYPE_CHECKING:
    from modelyard.sites.binding import Bound


@record
class Override:
    """A JSON Patch (RFC 6902) for an emitted object, with the reason for it."""

    name: str
    target: str
    kind: str
    object: str
    patch: tuple[Mapping[str, Json], ...]
    reason: str


@record
class System:
    """A whole spec, resolved for one environment."""

    document: Document
    environment: str
    metadata: Metadata
    profile: Profile
    governance: Governance
    deployment: Deployment
    stores: Mapping[str, Store]
    compute: Mapping[str, ComputeClass]
    registry: Registry | None
    data: Mapping[str, Dataset]
    models: Mapping[str, Model]
    pipelines: Mapping[str, Pipeline]
    inference: Mapping[str, Inference]
    monitors: Mapping[str, Monitor]
    channels: Mapping[str, Channel]
    overrides: tuple[Override, ...] = ()
    signed: tuple[Signed, ...] = ()  # approvals stored next to the spec
    moved: Mapping[str, str] | None = None  # new address -> old address; the new entry keeps the old entry's names

    def target(self, name: str) -> TargetSpec:
        """Return the target with the given name, which must exist."""
        return next(target for target in self.deployment.targets if target.name == name)

    def promoted(self) -> dict[str, tuple[str, ...]]:
        """Return the models that this system trains or imports, each with its aliases.

        Pipelines, imports and stages assign these aliases to versions.
        """
        aliases_by_model: dict[str, dict[str, None]] = {}
        for pipeline in self.pipelines.values():
            if pipeline.type == "training" and pipeline.model is not None:
                aliases_by_model.setdefault(pipeline.model.model, {}).setdefault(pipeline.promote_to)
        for model in self.models.values():
            if model.imported is not None:
                aliases_by_model.setdefault(model.name, {}).setdefault(model.imported.promote_to)
        return {name: (*aliases, *self._staged(name, aliases)) for name, aliases in aliases_by_model.items()}

    def trained(self) -> dict[str, str]:
        """Return the models that this system trains, each with the first pipeline that trains it."""
        pipeline_by_model: dict[str, str] = {}
        for pipeline in self.pipelines.values():
            if pipeline.type == "training" and pipeline.model is not None:
                pipeline_by_model.setdefault(pipeline.model.model, pipeline.name)
        return pipeline_by_model

    def _staged(self, model: str, aliases: Collection[str]) -> Iterator[str]:
        return (stage.alias for stage in self.models[model].stages if stage.alias not in aliases)

    def approval(self, model: str, alias: str) -> Approval | None:
        """Return the approvals required before a model's alias moves, or None if none are required."""
        stage = next((candidate for candidate in self.models[model].stages if candidate.alias == alias), None)
        return self.governance.approve_promotion if stage is None else stage.approval

    def approvals(self) -> tuple[Approval, ...]:
        """Return all required approvals, without duplicates."""
        general = self.governance.approve_promotion
        staged = [stage.approval for model in self.models.values() for stage in model.stages]
        return tuple(dict.fromkeys(approval for approval in (general, *staged) if approval is not None))

    def original_name(self, section: str, name: str) -> str:
        """Return the name that `section.name` had before it was renamed with `moved`, or its current name."""
        address = f"{section}.{name}"
        return (self.moved or {}).get(address, address).partition(".")[2]

    def written(self, *path: str | int) -> dict[str, Json]:
        """Return the mapping at the given path in the document, or an empty mapping if there is none."""
        value: Json = self.document.value
        for step in path:
            value = value.get(str(step)) if isinstance(value, dict) else None
        return value if isinstance(value, dict) else {}

    def key(self, *path: str | int) -> Span:
        """Return the span of the key at the given path, or of its nearest ancestor."""
        return self.document.key_span(path)

    def at(self, *path: str | int) -> Span:
        """Return the span of the value at the given path, or of its nearest ancestor."""
        return self.document.value_span(path)


def at_sites(system: System, bound: Bound) -> System:
    """Return the system, filling in the sites of each target that represents many sites."""
    sites: dict[str, Sites] = {}
    for group in bound.groups:
        values = bound.bindings[group.name].values
        sites[group.name] = Sites(group.names, str(values["name"]), str(values.get("wave", "")))
    targets = tuple(replace(target, sites=sites.get(target.name)) for target in system.deployment.targets)
    return replace(system, deployment=replace(system.deployment, targets=targets))


def shared(system: System, other: System) -> System:
    """Return the system, reusing the objects of another system wherever their values are equal.

    When the two systems are compared, only the differences need to be examined, and results cached for an object apply
    to both.
    """
    fields = {name: _shared(getattr(system, name), getattr(other, name)) for name in _SHARED}
    return replace(system, **fields)


_SHARED: Final = tuple(name for name in System.__match_args__ if name not in {"document", "environment"})


def _shared(value: object, other: object) -> object:
    """Return `other` if it equals `value`. If both are mappings, reuse the equal entries of `other`."""
    entries, known = _entries(value), _entries(other)
    if entries is None or known is None:
        return other if is_same(value, other) else value
    result = {
        name: known[name] if name in known and is_same(known[name], entry) else entry for name, entry in entries.items()
    }
    is_shared = len(known) == len(result) and all(map(operator.is_, known.values(), result.values()))
    return known if is_shared and list(known) == list(result) else result


def _entries(value: object) -> dict[str, object] | None:
    return cast("dict[str, object]", value) if isinstance(value, dict) else None


def target_path(system: System, target: str) -> Path:
    """Return the path that defines a target: `deployment.targets.NAME`, or `deployment` in short form."""
    deployment = system.document.value.get("deployment")
    if isinstance(deployment, dict) and "targets" not in deployment:
        return ("deployment",)
    return ("deployment", "targets", target)
