"""Tests when pipeline runs are due, and the order in which a run of the whole system starts its pipelines."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from modelyard_runtime.local import supervisor
from modelyard_runtime.local.clock import Starts, due_between, is_due
from modelyard_runtime.local.order import in_order
from modelyard_runtime.local.plan import Times, read_plan
from modelyard_runtime.local.runs import message_of
from modelyard_runtime.local.state import State

GOLDEN = Path(__file__).parents[2] / "golden"


def times(**fields: Any) -> Times:
    always: dict[str, Any] = {
        "line": "",
        "time_zone": "Etc/UTC",
        "minutes": (0,),
        "hours": (4,),
        "days": tuple(range(1, 32)),
        "months": tuple(range(1, 13)),
        "weekdays": tuple(range(7)),
        "any_day": True,
        "any_weekday": True,
    }
    return Times(**{**always, **fields})


@pytest.mark.parametrize(
    ("fields", "at", "due"),
    [
        ({}, "2026-11-27T04:00", True),
        ({}, "2026-11-27T04:01", False),
        ({"time_zone": "Europe/Berlin"}, "2026-11-27T03:00", True),
        ({"time_zone": "Europe/Berlin"}, "2026-07-27T02:00", True),
        ({"weekdays": (0,), "any_weekday": False}, "2026-11-29T04:00", True),  # a Sunday
        ({"weekdays": (0,), "any_weekday": False}, "2026-11-28T04:00", False),
        ({"days": (1,), "weekdays": (0,), "any_day": False, "any_weekday": False}, "2026-11-29T04:00", True),
        ({"days": (1,), "weekdays": (0,), "any_day": False, "any_weekday": False}, "2026-12-01T04:00", True),
        ({"days": (1,), "weekdays": (0,), "any_day": False, "any_weekday": False}, "2026-12-02T04:00", False),
    ],
)
def test_schedules_follow_cron(fields: dict[str, Any], at: str, due: bool) -> None:
    assert is_due(times(**fields), datetime.fromisoformat(at).replace(tzinfo=UTC)) is due


def test_a_busy_machine_misses_no_run() -> None:
    """A pipeline run that becomes due during another run is started once that run has ended."""
    at = datetime(2026, 11, 27, 4, 0, 30, tzinfo=UTC)

    assert due_between(times(), at - timedelta(hours=1), at + timedelta(hours=1))
    assert not due_between(times(), at, at + timedelta(hours=1))


def test_a_clock_that_jumps_back_starts_nothing_again() -> None:
    at = datetime(2026, 11, 27, 5, tzinfo=UTC)

    assert not due_between(times(), at, at - timedelta(hours=2))


def test_pipelines_wait_for_what_they_need() -> None:
    plan = read_plan(GOLDEN / "fraud-detection-dev" / "main")

    ordered = in_order(plan, plan.pipelines)
    assert ordered.index("retrain") < ordered.index("nightly-scores")
    assert in_order(plan, ["nightly-scores"]) == ["nightly-scores"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("2026-11-27 17:54:13,741 INFO step train: done", "step train: done"),
        ("2026-11-27 17:53:16,629\tINFO worker.py:1691 -- Using address", ""),
        ("refused: no such column", "refused: no such column"),
        ("2026-11-27 17:54:13,741 INFO gate: auc holds: it is 0.9", "gate: auc holds: it is 0.9"),
        ("\x1b[36m(finish_step pid=9)\x1b[0m INFO loading the model", ""),
        (
            "2026-11-27 17:54:13,741 INFO modelyard_monitor_value {'check': 'psi', 'feature': 'age'} 0.7",
            "psi of age is 0.7",
        ),
        ("2026-11-27 17:54:13,741 INFO modelyard_monitor_breach {'check': 'psi', 'feature': 'age'} 1", ""),
        ("Created version '1' of model 'small-churn'.", ""),
    ],
)
def test_decisions_are_shown_and_other_output_is_not(line: str, expected: str) -> None:
    assert message_of(line) == expected


FOUR = datetime(2026, 11, 27, 4, 0, 10, tzinfo=UTC)
DAY = timedelta(days=1)


def due_at(*moments: datetime) -> list[bool]:
    """Return whether a run is due at each of the given times, on a clock that starts at 3:59."""
    starts = Starts(FOUR - timedelta(minutes=1))
    return [starts.due("pipelines.train", times(), moment) for moment in moments]


def test_every_time_counts_once() -> None:
    assert due_at(FOUR, FOUR, FOUR + timedelta(hours=1), FOUR + DAY) == [True, False, False, True]


def test_a_clock_that_jumps_forward_starts_one_run() -> None:
    """After a night or a month of suspension, a single run starts rather than one per missed time."""
    assert due_at(FOUR + 30 * DAY, FOUR + 30 * DAY, FOUR + 31 * DAY) == [True, False, True]


def test_a_clock_that_was_set_back_does_not_stop_the_schedule() -> None:
    """Otherwise, no run would be due until the clock caught up with its wrong time, possibly for years."""
    wrong = FOUR + 800 * DAY
    assert due_at(wrong, FOUR + timedelta(hours=1), FOUR + DAY, FOUR + DAY) == [True, False, True, False]


class Ended(Exception):
    """Raised to end the scheduler's loop once it has performed enough checks."""


@pytest.mark.parametrize(
    ("overlap", "started", "event"), [("forbid", 1, ["skipped"]), ("replace", 2, []), ("allow", 2, [])]
)
def test_a_start_during_the_run_before_is_left_out_or_follows(
    overlap: str, started: int, event: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The four o'clock run takes a day, so the next day's run becomes due before it ends."""
    clock = Clock(FOUR - timedelta(minutes=1))
    monkeypatch.setattr(supervisor, "datetime", clock)
    monkeypatch.setattr(supervisor, "_LOOK_S", 0)
    plan = read_plan(GOLDEN / "laptop-default" / "main")
    entry = plan.pipelines["score"]
    schedule = replace(entry.schedule, times=times(), overlap=overlap)
    plan = replace(plan, pipelines={"score": replace(entry, schedule=schedule)}, monitors={})
    work = Days(SimpleNamespace(state=State.at(tmp_path), check=lambda: None), clock)
    with pytest.raises(Ended):
        supervisor._Loop(plan, work).run()  # type: ignore[arg-type]

    assert work.runs == started
    assert [entry["event"] for entry in work.base.state.events()] == event


@dataclass
class Clock:
    """A clock that stands still unless a test moves it."""

    at: datetime

    def now(self, zone: object) -> datetime:
        return self.at


@dataclass
class Days:
    """Work whose first run takes a day. The loop checks ten times, one minute apart."""

    base: Any
    clock: Clock
    runs: int = 0
    looks: int = 0

    def say(self, address: str, text: str) -> None:
        pass

    def is_requested(self, address: str) -> bool:
        return True

    def run_address(self, address: str) -> None:
        self.runs += 1
        self.clock.at += DAY if self.runs == 1 else timedelta(0)

    def run_requested(self) -> None:
        self.looks += 1
        self.clock.at += timedelta(minutes=1)
        if self.looks == 10:
            raise Ended
