"""Records shared by several types of descriptions."""

from __future__ import annotations

from dataclasses import dataclass

from modelyard_runtime.workload.decode import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds(Record):
    """A minimum and a maximum."""

    min: int
    max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner(Record):
    """The person or team responsible for a workload."""

    team: str
    email: str
    oncall: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Governance(Record):
    """A workload's owner and risk, which are recorded with every model and run it creates."""

    owner: Owner
    risk: str
    data_classes: tuple[str, ...]
    lineage: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry(Record):
    """The address of the model registry, and the environment variables containing its credentials."""

    uri: str
    artifacts: str = ""
    username_env: str = ""
    password_env: str = ""
    token_env: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics(Record):
    """The receiver of metrics from runs that are too short to be scraped."""

    otlp: str
    namespace: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check(Record):
    """A gate rule or a monitor check, with its metric and bounds."""

    name: str
    metric: str
    min: float | None = None
    max: float | None = None
    versus: str = ""
    min_delta: float = 0.0
    confidence: float | None = None
    by: str = ""
    max_difference: float | None = None
    min_rows: int | None = None
    data: str = ""
    features: tuple[str, ...] = ()
    min_features: int | None = None
    consecutive: int | None = None
    severity: str = ""
