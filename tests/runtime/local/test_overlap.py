"""Tests that a new pipeline run ends the one in progress if the schedule says `overlap: replace`."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from modelyard_runtime.jobs.local_runs import REQUESTED, LocalRuns
from modelyard_runtime.local import runs as running
from modelyard_runtime.local.notes import Notes
from modelyard_runtime.local.overlap import Successor
from modelyard_runtime.local.plan import Pipeline, Schedule, Times, read_plan
from modelyard_runtime.local.processes import MARK, Processes, marked
from modelyard_runtime.local.runs import Outcome, Runs
from modelyard_runtime.local.state import State
from modelyard_runtime.local.work import Work

LAPTOP = Path(__file__).parents[2] / "golden" / "laptop-default" / "main"
BEGAN = datetime(2026, 11, 28, 3, 59, 30, tzinfo=UTC)
AT_FOUR = Times(
    line="0 4 * * *",
    time_zone="Etc/UTC",
    minutes=(0,),
    hours=(4,),
    days=tuple(range(1, 32)),
    months=tuple(range(1, 13)),
    weekdays=tuple(range(7)),
    any_day=True,
    any_weekday=True,
)
WORK = """
import pathlib, signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
def end(number, frame):
    child.kill()
    pathlib.Path("ended").write_text("in order")
    sys.exit(1)
signal.signal(signal.SIGTERM, end)
print("2026-11-28 04:00:00,000 INFO at work", flush=True)
time.sleep(600)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("2026-11-28 04:00:00,000 INFO at work", flush=True)
time.sleep(600)
"""


def successor(folder: Path, overlap: str, now: datetime) -> Successor:
    schedule = Schedule(kind="cron", overlap=overlap, times=AT_FOUR)
    return Successor(schedule, LocalRuns(folder), "train", BEGAN, lambda: now)


@pytest.mark.parametrize("overlap", ["replace", "forbid", "allow"])
@pytest.mark.parametrize(("later", "due"), [(10, False), (60, True), (3600, True)])
def test_a_schedule_replaces_only_if_it_says_so(tmp_path: Path, overlap: str, later: int, due: bool) -> None:
    replaced = successor(tmp_path, overlap, BEGAN + timedelta(seconds=later))

    assert replaced() is (due and overlap == "replace")


def test_a_monitor_replaces_only_runs_of_its_pipeline(tmp_path: Path) -> None:
    replaced = successor(tmp_path, "replace", BEGAN)
    replaced.history.add("other", BEGAN, REQUESTED, "drift")
    before = replaced()
    replaced.history.add("train", BEGAN, REQUESTED, "drift")

    assert (before, replaced()) == (False, True)


def test_a_clock_that_jumps_back_replaces_nothing(tmp_path: Path) -> None:
    """Otherwise, runs would keep being replaced until the clock caught up."""
    assert not successor(tmp_path, "replace", BEGAN - timedelta(days=400))()


@dataclass
class Python(Runs):
    """Runs a Python program in place of the runtime's command."""

    program: str = ""
    lines: list[str] = field(default_factory=list[str])

    def command(self, verb: str, *arguments: str) -> list[str]:
        import sys

        return [sys.executable, "-c", self.program]


@pytest.fixture
def processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Processes]:
    monkeypatch.setenv(MARK, os.environ.get(MARK, ""))
    monkeypatch.chdir(tmp_path)
    started = Processes(str(tmp_path))
    yield started
    started.end()


@pytest.mark.parametrize("program", [WORK, STUBBORN])
def test_a_replaced_run_ends_with_what_it_has_started(
    program: str, tmp_path: Path, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The replaced run has time to shut down gracefully, is not retried, and does not delay the next run."""
    monkeypatch.setattr(running, "_LOOK_S", 0.05)
    monkeypatch.setattr(running, "_PATIENCE_S", 1.0)
    state, lines = State.at(tmp_path), list[str]()
    runs = Python(state, processes, {}, lambda address, line: lines.append(line), Notes(state), program=program)
    began = time.monotonic()
    outcome = runs.run("pipelines.train", "run", tmp_path / "x.json", 600, 3, lambda: bool(lines))

    assert outcome.replaced
    assert not outcome.succeeded
    assert outcome.message == "a newer start replaced it"
    assert lines == ["at work"]
    assert time.monotonic() - began < 60
    assert (tmp_path / "ended").exists() == (program == WORK)
    assert len(list(marked(str(tmp_path)))) == 1  # the guardian


@dataclass
class Scripted:
    """Simulated runs. Each one first checks whether a newer run replaces it."""

    asked: list[bool] = field(default_factory=list[bool])

    def run(self, address: str, verb: str, path: Path, timeout_s: int, retries: int, replaced: Any) -> Outcome:
        self.asked.append(replaced())
        message = "a newer start replaced it" if self.asked[-1] else "done"
        return Outcome(not self.asked[-1], message, path, replaced=self.asked[-1])


def test_a_replaced_run_is_no_failure_and_the_requested_one_follows(tmp_path: Path) -> None:
    """The runs folder and the log both record the replaced run as replaced, not as failed.

    The requested run starts once the replaced run has ended.
    """
    state, runs = State.at(tmp_path / "state"), Scripted()
    plan = replace(read_plan(LAPTOP), promoter="")
    plan = replace(plan, pipelines={"train": _replacing(plan.pipelines["train"])})
    history = LocalRuns(tmp_path / "runs")
    placed = SimpleNamespace(paths={plan.pipelines["train"].description: tmp_path})
    base: Any = SimpleNamespace(plan=plan, state=state, runs=runs, placed=placed, say=lambda address, line: None)
    work = Work(base, history, (), sample=False, drift=False, looping=True)
    history.add("train", BEGAN, REQUESTED, "monitor-drift")
    work.run_pipeline("train")
    work.run_requested()

    assert runs.asked == [True, False]
    assert sorted(entry["state"] for entry in history.all()) == ["replaced", "succeeded"]
    assert [event["event"] for event in state.events()] == ["replaced", "requested", "succeeded"]
    assert work.failures == []


def _replacing(pipeline: Pipeline) -> Pipeline:
    return replace(pipeline, schedule=replace(pipeline.schedule, overlap="replace"))


def test_models_without_a_waiting_version_are_not_listed(tmp_path: Path, processes: Processes) -> None:
    """After each training, the promoter looks at every model. The output only has those about which it says more."""
    sentences = ["no version of b is waiting for 'champion'", "version 2 of a does not become 'champion' yet: closed"]
    program = "\n".join(f"print({f'2026-11-28 04:00:00,000 INFO pipelines.x: {text}'!r})" for text in sentences)
    lines: list[str] = []
    runs = Python(
        State.at(tmp_path),
        processes,
        {},
        lambda _, line: lines.append(line),
        Notes(State.at(tmp_path)),
        program=program,
    )
    runs.run("promoter", "promote", tmp_path / "x.json", 60)

    assert lines == [f"pipelines.x: {sentences[1]}"]


def test_a_full_disk_neither_stops_a_run_nor_hides_why(
    tmp_path: Path, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk neither blocks a run nor hides the cause.

    The run prints more than a pipe holds. Failing to record its end also ends the run of the whole system.
    """
    state = State.at(tmp_path)
    (tmp_path / "events.jsonl").symlink_to("/dev/full")
    monkeypatch.setattr(Runs, "_log", lambda self, address: Path("/dev/full"))
    program = "print('2026-11-28 04:00:00,000 INFO gate: auc holds\\n' * 20000)"
    runs = Python(state, processes, {}, lambda address, line: None, Notes(state), program=program)
    outcome = runs.run("pipelines.train", "run", tmp_path / "x.json", 60)

    assert outcome.succeeded
    assert outcome.message == "its log cannot be written: No space left on device"
    with pytest.raises(OSError, match="No space left"):
        state.record("pipelines.train", "succeeded", outcome.message)
