"""Complete descriptions by workload type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.workload.decode import Record, decode
from modelyard_runtime.workload.description import Section
from modelyard_runtime.workload.records.common import Governance, Metrics, Registry
from modelyard_runtime.workload.records.data import Store
from modelyard_runtime.workload.records.monitors import Monitor, Request
from modelyard_runtime.workload.records.pipelines import Pipeline
from modelyard_runtime.workload.records.promotions import Promotion
from modelyard_runtime.workload.records.serving import Application


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload(Record):
    """The fields that every workload has."""

    api_version: str
    kind: str
    type: str
    name: str
    address: str
    system: str
    environment: str
    target: str
    governance: Governance
    registry: Registry | None = None
    stores: Mapping[str, Store] = field(default_factory=dict[str, Store])
    metrics: Metrics | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerWorkload(Workload):
    """A model server."""

    applications: Mapping[str, Application]


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineWorkload(Workload):
    """A pipeline for training, batch inference, or custom user code."""

    pipeline: Pipeline


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorWorkload(Workload):
    """A monitor."""

    monitor: Monitor


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoterWorkload(Workload):
    """The workload that moves aliases, on the target where the registry runs."""

    promotions: Mapping[str, Promotion] = field(default_factory=dict[str, Promotion])
    imports: Mapping[str, Promotion] = field(default_factory=dict[str, Promotion])
    stages: Mapping[str, Promotion] = field(default_factory=dict[str, Promotion])


@dataclass(frozen=True, slots=True, kw_only=True)
class StarterWorkload(Workload):
    """The workload that starts runs requested by monitors on other targets."""

    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights(Record):
    """The experiments and models to which a workload may write in the registry."""

    experiments: tuple[str, ...]
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Server(Record):
    """The settings of the registry server, and the permissions of its users."""

    host: str
    port: str
    workers: str
    allowed_hosts: tuple[str, ...]
    artifacts: str
    experiments: Mapping[str, str]
    models: tuple[str, ...]
    users: Mapping[str, Rights]
    movers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryWorkload(Record):
    """The description of the registry server."""

    api_version: str
    kind: str
    address: str
    server: Server


OF_TYPE: Mapping[str, type[Workload]] = {
    "server": ServerWorkload,
    "training": PipelineWorkload,
    "batch-inference": PipelineWorkload,
    "custom": PipelineWorkload,
    "monitor": MonitorWorkload,
    "promoter": PromoterWorkload,
    "starter": StarterWorkload,
}
"""The record of each type of workload."""


def workload_of(description: Section) -> Workload:
    """Decode the workload from a description."""
    kind = description.get("type")
    if not isinstance(kind, str) or kind not in OF_TYPE:
        raise Refusal(f"unknown workload type {kind!r}; supported: {', '.join(OF_TYPE)}")
    return decode(OF_TYPE[kind], description)
