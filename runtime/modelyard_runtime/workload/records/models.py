"""Models, and the approvals that they need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from modelyard_runtime.workload.decode import Record
from modelyard_runtime.workload.records.data import Delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class Explainability(Record):
    """How a model is explained, and the number of rows used."""

    method: str
    sample: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Card(Record):
    """The model card from the spec."""

    purpose: str = ""
    limitations: str = ""
    contact: str = ""
    license: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalGroup(Record):
    """The keys of a group whose members may approve versions."""

    ssh_keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals(Record):
    """The groups that must approve a version, and how many of them. `given` has approvals stored next to the spec."""

    from_: tuple[str, ...]
    minimum: int
    groups: Mapping[str, ApprovalGroup]
    given: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleSource(Record):
    """The source a model's bundle is fetched from, and the folder it is cached in."""

    uri: str
    store: str
    cache: str
    poll_seconds: int
    pointer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptVersions(Record):
    """The folder where versions from the registry are kept for restarts while the registry is unreachable."""

    cache: str
    poll_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Model(Record):
    """A model with its names, its task, and the alias or version in use. Adapters have a base model."""

    name: str
    registered_name: str
    task: str
    uri: str = ""
    alias: str = ""
    version: str = ""
    variant: str = ""
    experiment: str = ""
    artifacts: str = ""
    history: str = ""
    framework: str = ""
    base: Model | None = None
    threshold: float | None = None
    card: Card = field(default_factory=Card)
    explainability: Explainability | None = None
    approvals: Approvals | None = None
    bundle: BundleSource | None = None
    kept: KeptVersions | None = None
    delivery: Delivery | None = None
    other_deliveries: Mapping[str, Delivery] = field(default_factory=dict[str, Delivery])
