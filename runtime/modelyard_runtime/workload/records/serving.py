"""Model servers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from modelyard_runtime.workload.decode import Record
from modelyard_runtime.workload.records.models import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Batching(Record):
    """How requests are batched into one model call."""

    max_size: int
    max_wait_milliseconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spool(Record):
    """The folder in which captures wait while their store is unreachable."""

    folder: str
    max_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture(Record):
    """The fraction of requests and predictions to capture, and the columns to keep."""

    uri: str
    store: str
    fraction: float
    columns: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    redact: tuple[str, ...] = ()
    retain_seconds: int = 0
    spool: Spool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessLog(Record):
    """The endpoint whose requests are logged."""

    endpoint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth(Record):
    """How clients authenticate."""

    type: str
    token_files: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation(Record):
    """How a language model generates text, i.e. the model name used in requests, and the limits of a replica."""

    model: str
    max_tokens: int
    concurrency: int
    context_length: int | None = None
    accelerators: int = 0
    first_token_objectives: tuple[float, ...] = ()  # seconds
    token_rate_objective: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn(Record):
    """Another variant, and its model, which an application serves while its own model has no version."""

    variant: str
    model: Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Application(Record):
    """A Serve application of a model server. Only language models have adapters, by their names in requests."""

    variant: str
    model: Model
    batching: Batching
    timeout_seconds: int
    revision: str = ""
    entrypoint: str = ""
    max_body_bytes: int | None = None
    capture: Capture | None = None
    access_log: AccessLog | None = None
    auth: Auth | None = None
    generation: Generation | None = None
    stand_in: StandIn | None = None
    adapters: Mapping[str, Model] = field(default_factory=dict[str, Model])
