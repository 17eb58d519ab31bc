"""Tests that decisions and measured values are extracted from run output and recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelyard_runtime.local.notes import Notes, kind_of, value_of
from modelyard_runtime.local.state import State

NOW = "'champion' of laptop-churn is now version 2"


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("gate: auc holds: auc_roc is 0.83, must be at least 0.8", "gate"),
        ("version 3 of laptop-churn is kept, but it fails the gate: auc: auc_roc is 0.5", "gate"),
        ("version 3 of laptop-churn passes the gate; the promoter moves the alias", "gate"),
        (f"pipelines.train: {NOW}", "promotion"),
        ("version 3 of x waits for 1 more approval(s) of risk, by `modelyard approve`; 'champion' stays", "promotion"),
        ("'champion' of laptop-churn is version 1 again", "rollback"),
        ("'champion' of laptop-churn is kept: no earlier version can be loaded", "rollback"),
        ("check psi of inference.churn failed: usage is 0.4, must be at most 0.2; page, sent to x", "breach"),
        ("usage moved the mean prediction by +0.2, most where it is above 60", "breach"),
        ("pipeline train is started", "start"),
        ("pipeline train is not started: a run is in progress, and runs must not overlap", "start"),
        ("step train: done", ""),
        ("run 7 is done", ""),
    ],
)
def test_decisions_are_recognized(message: str, kind: str) -> None:
    assert kind_of(message) == kind


def test_a_promotion_that_only_repeats_is_recorded_once(tmp_path: Path) -> None:
    """A promoter's repeated report is recorded once, whereas each pass of a monitor is a separate decision."""
    notes = Notes(State.at(tmp_path))
    recorded = [notes.decision("promoter", NOW) for _ in range(3)]
    recorded += [notes.decision("monitors.drift", "pipeline train is started") for _ in range(2)]

    assert recorded == [True, False, False, True, True]
    assert [event["address"] for event in notes.state.events()] == ["promoter", "monitors.drift", "monitors.drift"]


def test_measured_values_are_one_event_for_each_look(tmp_path: Path) -> None:
    notes = Notes(State.at(tmp_path))
    notes.measured("monitors.drift", {f"psi of f{number}": number / 10 for number in range(5)})
    notes.measured("pipelines.train", {})
    (event,) = notes.state.events()

    assert event["text"] == "psi of f0 is 0; psi of f1 is 0.1; psi of f2 is 0.2; 2 more"
    assert event["values"]["psi of f4"] == 0.4


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("modelyard_monitor_value {'check': 'psi', 'feature': 'age', 'monitor': 'drift'} 0.25", ("psi of age", 0.25)),
        ("modelyard_monitor_value {'check': 'psi', 'feature': \"it's\", 'variant': 'b'} 1", ("psi of it's in b", 1.0)),
        ("modelyard_monitor_value {'check': 'rows', 'feature': ''} 3", ("rows of the window", 3.0)),
        ("modelyard_monitor_value {broken} 3", None),
        ("modelyard_monitor_look_seconds {'check': 'psi'} 3", None),
    ],
)
def test_values_are_read_as_they_are_logged(line: str, value: tuple[str, float] | None) -> None:
    assert value_of(line) == value
