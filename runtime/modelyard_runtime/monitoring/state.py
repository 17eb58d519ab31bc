"""A monitor's state between runs, stored as a small object in the store of the watched data.

A retried run starts from the same state as the first attempt and replaces its changes, so nothing is counted twice.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.storage.filesystem import Place, place, read_whole, write_whole
from modelyard_runtime.workload.description import Json, Section, integer, section, text
from modelyard_runtime.workload.records import MonitorWorkload

LOOK = "MODELYARD_LOOK"
"""The environment variable with the Job's name, which all attempts of a run share."""

_FILE = "state.json"


@dataclass(slots=True)
class State:
    """The state left by the previous run, and the state to save after this run."""

    run_id: str
    where: Place | None = None  # None makes every run the first one
    before: Section = field(default_factory=dict[str, Json])
    after: dict[str, Json] = field(default_factory=dict[str, Json])

    @classmethod
    def of(cls, workload: MonitorWorkload, now: datetime) -> State:
        """Load a monitor's state. Raises Refusal if it exists but can't be read."""
        run_id = os.environ.get(LOOK) or now.isoformat()
        location = workload.monitor.state
        if location is None:
            return cls(run_id)
        where = place(workload, location.uri, location.store).below(_FILE)
        content = _read(where)
        before = section(content, "before" if text(content, "look") == run_id else "after")
        return cls(run_id, where, before, dict(before))

    def save(self) -> None:
        """Save the state for the next run. Raise Refusal if this fails."""
        if self.where is None:
            return
        content: dict[str, Json] = {"look": self.run_id, "before": dict(self.before), "after": self.after}
        try:
            write_whole(self.where, json.dumps(content, sort_keys=True).encode())
        except OSError as problem:
            raise Refusal(f"the state of the monitor cannot be written to {self.where.path}: {problem}") from None

    def keep(self, *names: str) -> None:
        """Reset the named entries to their values from the previous run."""
        self.after = {name: value for name, value in self.after.items() if name not in names}
        self.after |= {name: self.before[name] for name in names if name in self.before}

    def in_a_row(self, check: str, measured: Iterable[str], failed: set[str]) -> dict[str, int]:
        """Count the consecutive runs in which each feature has failed. Unmeasured features keep their count."""
        counts = {name: integer(section(section(self.before, "failed"), check), name) for name in failed}
        totals = {**section(section(self.before, "failed"), check), **dict.fromkeys(measured, 0)}
        totals |= {name: count + 1 for name, count in counts.items()}
        failing: dict[str, Json] = {name: count for name, count in totals.items() if count}
        checks: dict[str, Json] = {**section(self.after, "failed"), check: failing}
        self.after["failed"] = checks
        return {name: integer(totals, name) for name in failed}


def _read(where: Place) -> Section:
    try:
        content = json.loads(read_whole(where))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as problem:
        raise Refusal(f"the state of the monitor at {where.path} cannot be read: {problem}") from None
    return content if isinstance(content, dict) else {}
