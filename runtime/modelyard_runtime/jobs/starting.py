"""Starts runs for monitors. Earlier runs are recorded as Jobs in a cluster, or as files on a single machine.

Both variants apply the same guards, namely the monitor's cooldown and the pipeline's overlap policy.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from modelyard_runtime.workload.records import BreachRun, Request


@dataclass(frozen=True, slots=True)
class Start:
    """How to start a run: the monitor, the run's name suffix, the current time, and how long to remember the run.

    `labels` and `annotations` are stored with the run to record what triggered it.
    """

    monitor: str
    ending: str
    now: datetime
    cooldown: timedelta
    kept_s: int
    labels: dict[str, object] = field(default_factory=dict[str, object])
    annotations: dict[str, object] = field(default_factory=dict[str, object])


class RunStarter(Protocol):
    """Starts runs and remembers them."""

    def deciding(self) -> AbstractContextManager[None]:
        """Prevent other processes from starting a run between the guard checks and the start, where possible."""
        ...

    def last(self, monitor: str) -> datetime | None:
        """Return the time at which a monitor last started a run."""
        ...

    def prevented(self, run: BreachRun | Request) -> bool:
        """Return whether an active run prevents a new run."""
        ...

    def begin(self, run: BreachRun | Request, start: Start) -> None:
        """Start a run unless an earlier attempt has already started it."""
        ...


def start_guarded(starter: RunStarter, run: BreachRun | Request, start: Start) -> str:
    """Start a run unless a guard prevents it, and return a sentence describing the result."""
    pipeline = run.pipeline
    with starter.deciding():
        last = starter.last(start.monitor)
        if last is not None and start.now - last < start.cooldown:
            return (
                f"pipeline {pipeline} is not started: its last start was at {last.isoformat()}, "
                f"and the cooldown is {start.cooldown}"
            )
        if starter.prevented(run):
            return f"pipeline {pipeline} is not started: a run is in progress, and runs must not overlap"
        starter.begin(run, start)
    return f"pipeline {pipeline} is started"
