"""What a monitor keeps from one look to the next: one small object in the store of what it watches.

A look that is tried again begins where the try before it did: what that kept is replaced, and nothing counts twice.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.storage.filesystem import Place, place, reading, write_whole
from modelyard_runtime.workload.description import Json, Section, integer, section, text
from modelyard_runtime.workload.records import MonitorWorkload

LOOK = "MODELYARD_LOOK"
"""The variable with the name of the Job, which tries of one look have in common."""

_FILE = "state.json"


@dataclass(slots=True)
class State:
    """What the look before has left, and what this one leaves."""

    look: str
    where: Place | None = None  # where there is none, every look is the first
    before: Section = field(default_factory=dict[str, Json])
    after: dict[str, Json] = field(default_factory=dict[str, Json])

    @classmethod
    def of(cls, workload: MonitorWorkload, now: datetime) -> State:
        """The state of a monitor; raises Refusal where it has one that cannot be read."""
        look = os.environ.get(LOOK) or now.isoformat()
        described = workload.monitor.state
        if described is None:
            return cls(look)
        where = place(workload, described.uri, described.store).below(_FILE)
        kept = _read(where)
        before = section(kept, "before" if text(kept, "look") == look else "after")
        return cls(look, where, before, dict(before))

    def save(self) -> None:
        """Keep what this look leaves; raises Refusal where that is not possible."""
        if self.where is None:
            return
        kept: dict[str, Json] = {"look": self.look, "before": dict(self.before), "after": self.after}
        try:
            write_whole(self.where, json.dumps(kept, sort_keys=True).encode())
        except OSError as problem:
            raise Refusal(f"the state of the monitor cannot be written to {self.where.path}: {problem}") from None

    def keep(self, *names: str) -> None:
        """Leave these as the look before has left them."""
        self.after = {name: value for name, value in self.after.items() if name not in names}
        self.after |= {name: self.before[name] for name in names if name in self.before}

    def in_a_row(self, check: str, measured: Iterable[str], failed: set[str]) -> dict[str, int]:
        """How many looks in a row each feature of a check has failed; one that was not measured is as it was."""
        counts = {name: integer(section(section(self.before, "failed"), check), name) for name in failed}
        kept = {**section(section(self.before, "failed"), check), **dict.fromkeys(measured, 0)}
        kept |= {name: count + 1 for name, count in counts.items()}
        failing: dict[str, Json] = {name: count for name, count in kept.items() if count}
        every: dict[str, Json] = {**section(self.after, "failed"), check: failing}
        self.after["failed"] = every
        return {name: integer(kept, name) for name in failed}


def _read(where: Place) -> Section:
    try:
        with reading(where) as stream:
            kept = json.loads(stream.read())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as problem:
        raise Refusal(f"the state of the monitor at {where.path} cannot be read: {problem}") from None
    return kept if isinstance(kept, dict) else {}
