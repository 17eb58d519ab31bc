"""Handles runs that become due while another is in progress. With `overlap: replace`, the new run replaces it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from modelyard_runtime.jobs.local_runs import LocalRuns
from modelyard_runtime.local.clock import due_between
from modelyard_runtime.local.plan import Schedule


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Successor:
    """Checks whether a workload's current run must be replaced by a newer one."""

    schedule: Schedule
    history: LocalRuns
    pipeline: str  # empty for a monitor, because its runs are never requested
    began: datetime
    clock: Callable[[], datetime] = _now

    def __call__(self) -> bool:
        """Return whether the schedule or a monitor has requested another run since that run began."""
        return self.schedule.overlap == "replace" and (self._is_due() or self._is_requested())

    def _is_due(self) -> bool:
        times = self.schedule.times
        return times is not None and due_between(times, self.began, self.clock())

    def _is_requested(self) -> bool:
        return any(pipeline == self.pipeline for _, pipeline, _ in self.history.requested())
