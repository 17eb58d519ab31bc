"""Monitors, and the runs that they trigger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from modelyard_runtime.workload.decode import Record
from modelyard_runtime.workload.records.common import Check
from modelyard_runtime.workload.records.data import Dataset, Location
from modelyard_runtime.workload.records.models import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Record):
    """A run that a monitor on another target may request."""

    monitor: str
    target: str
    started_by: str
    pipeline: str
    cron_job: str
    cooldown_seconds: int
    store: str
    asked: str
    answered: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedCapture(Record):
    """The captures that a monitor reads."""

    uri: str
    store: str
    redact: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Current(Record):
    """The data that a monitor checks, either captures or a dataset."""

    capture: WatchedCapture | None = None
    data: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference(Record):
    """The data a monitor compares with, which defaults to the model's training data."""

    data: str = ""
    window_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest(Record):
    """Where a monitor writes its requests for runs on another target."""

    uri: str
    store: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BreachRun(Record):
    """The pipeline started by a breach, via its CronJob or a request to another target."""

    pipeline: str
    cron_job: str = ""
    request: RunRequest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnBreach(Record):
    """The actions taken after a breach."""

    rollback: bool
    cooldown_seconds: int
    notify: tuple[str, ...]
    run: BreachRun | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor(Record):
    """A monitor's checks, its data, and the actions taken after a breach."""

    type: str
    watch: str
    checks: tuple[Check, ...]
    window_seconds: int
    threads: int
    data: Mapping[str, Dataset]
    models: tuple[Model, ...]
    current: Current
    on_breach: OnBreach
    soaks: tuple[str, ...] = ()
    reference: Reference | None = None
    labels: str = ""
    every_seconds: int | None = None
    key: tuple[str, ...] = ()
    state: Location | None = None
