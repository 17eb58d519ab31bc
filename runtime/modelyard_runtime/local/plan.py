"""The plan for this machine, which the compiler writes to `plan.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.workload.decode import Record, decode
from modelyard_runtime.workload.description import API_VERSION
from modelyard_runtime.workload.records.data import Dataset

FILE = "plan.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Times(Record):
    """The times of a cron schedule as sets. `line` is the cron expression from the spec."""

    line: str
    time_zone: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    any_day: bool
    any_weekday: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule(Record):
    """When runs start, and whether they may overlap."""

    kind: str  # cron, after, once or on-demand
    overlap: str
    times: Times | None = None
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline(Record):
    """A pipeline, with the dependencies that determine when it runs."""

    description: str
    type: str
    schedule: Schedule
    retries: int
    timeout_seconds: int
    trains: str
    uses: tuple[str, ...]
    reads: tuple[str, ...]
    writes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Server(Record):
    """A model server and its Serve applications, as in a RayService."""

    description: str
    applications: tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend(Record):
    """An application that receives a share of an endpoint's traffic."""

    application: str
    weight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror(Record):
    """The application that receives copies of requests."""

    application: str
    percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint(Record):
    """An endpoint as clients see it."""

    path: str
    timeout_seconds: int
    backends: tuple[Backend, ...]
    callers: tuple[str, ...]
    prefix: str
    models: tuple[str, ...]
    mirror: Mirror | None = None
    generates_text: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor(Record):
    """A monitor and its schedule."""

    description: str
    schedule: Schedule
    watch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Record):
    """A difference that applies on this machine, with its location in the spec."""

    field: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry(Record):
    """The registry, which is either adopted or started locally."""

    uri: str
    adopted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports(Record):
    """The ports to use if they are available."""

    registry: int
    endpoints: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalPlan(Record):
    """Everything that runs on this machine."""

    api_version: str
    kind: str
    system: str
    environment: str
    target: str
    registry: Registry
    ports: Ports
    promoter: str = ""
    stores: Mapping[str, str] = field(default_factory=dict[str, str])
    data: Mapping[str, Dataset] = field(default_factory=dict[str, Dataset])
    pipelines: Mapping[str, Pipeline] = field(default_factory=dict[str, Pipeline])
    servers: Mapping[str, Server] = field(default_factory=dict[str, Server])
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict[str, Endpoint])
    monitors: Mapping[str, Monitor] = field(default_factory=dict[str, Monitor])
    notes: tuple[Note, ...] = ()

    @property
    def descriptions(self) -> tuple[str, ...]:
        """Return the paths of all descriptions."""
        paths = [pipeline.description for pipeline in self.pipelines.values()]
        paths += [server.description for server in self.servers.values()]
        paths += [monitor.description for monitor in self.monitors.values()]
        return tuple(dict.fromkeys([*paths, *([self.promoter] if self.promoter else [])]))

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return all addresses that can be given on the command line."""
        return (
            *(f"pipelines.{name}" for name in self.pipelines),
            *(f"inference.{name}" for name in self.endpoints),
            *(f"monitors.{name}" for name in self.monitors),
        )


def read_plan(folder: Path) -> LocalPlan:
    """Read the plan from a compiled folder."""
    path = folder / FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise Refusal(f"{path} cannot be read: {problem}") from None
    if not isinstance(content, dict) or content.get("kind") != "LocalPlan" or content.get("apiVersion") != API_VERSION:
        raise Refusal(f"{path} is not a plan of {API_VERSION} for this machine")
    return decode(LocalPlan, content)
