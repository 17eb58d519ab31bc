"""Tests that a breach reports its direction, the affected slice, and the top contributing features."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from modelyard_runtime.monitoring import monitor
from modelyard_runtime.monitoring.causes import movers, worst
from modelyard_runtime.monitoring.monitor import DIRECTION, ERRORS_BY, MOVED_BY, RunResults, measure_run, run_samples
from modelyard_runtime.monitoring.state import State
from modelyard_runtime.statistics.drift import Moved
from modelyard_runtime.statistics.profiles import profile, profiles
from modelyard_runtime.workload.records import MonitorWorkload
from tests.runtime.described import record

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ROWS = 2000


def rows(seed: int, income: float = 0.0, towns: str = "abc") -> pd.DataFrame:
    """Generate people, with the predictions of a model that depends on income and town but not on noise."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "income": random.normal(income, 1, ROWS),
            "town": random.choice(list(towns), ROWS),
            "noise": random.normal(0, 1, ROWS),
            "at": NOW - timedelta(hours=1),
            "id": range(ROWS),
        }
    )
    return frame.assign(score=0.5 + 0.1 * frame.income + 0.2 * (frame.town == "c"))


def run_monitor(
    tmp_path: Path, kind: str, metric: str, now: pd.DataFrame, **more: Any
) -> tuple[RunResults, dict[str, Any]]:
    """Run one monitor pass that compares the given rows with `rows(1)`."""
    for name, frame in (("now", now), ("then", rows(1))):
        (tmp_path / name).mkdir(exist_ok=True)
        scored = frame.assign(prediction=(frame.score > 0.5).astype(int)) if "prediction" not in frame else frame
        scored.to_parquet(tmp_path / name / "a.parquet")
    files = {"format": "parquet", "timestamp": "at"}
    data = {name: {**files, "uri": f"file://{tmp_path}/{name}"} for name in ("now", "then")}
    check = {"name": metric, "metric": metric, "severity": "page", "max": 0.2}
    described: dict[str, Any] = {
        "system": "s",
        "name": "monitor-m",
        "address": "monitors.m",
        "monitor": {
            "type": kind,
            "watch": "data.now",
            "checks": [check],
            "windowSeconds": 86400,
            "threads": 1,
            "data": {**data, **more.pop("data", {})},
            "models": [],
            "current": {"data": "now"},
            "reference": {"data": "then"},
            **more,
        },
    }
    return measure_run(record(MonitorWorkload, described), NOW, State("one")), described


def pushed(look: RunResults, described: dict[str, Any], name: str) -> list[tuple[str, float]]:
    return [
        (sample.labels["feature"], sample.value)
        for sample in run_samples(record(MonitorWorkload, described), look, NOW)
        if sample.name == name
    ]


def test_features_are_ordered_by_effect_on_predictions(tmp_path: Path) -> None:
    """Features are ordered by their effect. In this model, raising `income` by 1 raises the score by 0.1."""
    look, described = run_monitor(tmp_path, "prediction-drift", "psi", rows(2, income=1.5).drop(columns="id"))

    assert {result.feature for result in look.results if result.breach} == {"prediction", "score"}
    (first, effect), *others = pushed(look, described, MOVED_BY)
    assert (first, effect) == ("income", pytest.approx(0.15, abs=0.03))
    assert all(abs(other) < 0.02 for _, other in others)
    assert dict(pushed(look, described, DIRECTION)) == {"prediction": 1.0, "score": 1.0}


def test_effect_of_a_text_feature() -> None:
    then, now = rows(1), rows(2, towns="cccab")
    causes = movers(now.assign(prediction=now.score), profiles(then, ["income", "town", "noise"]))

    assert (causes[0].feature, causes[0].part) == ("town", "c")
    assert causes[0].effect == pytest.approx(0.2 * (3 / 5 - 1 / 3), abs=0.02)


def test_slice_with_the_most_errors_is_named(tmp_path: Path) -> None:
    """The breach names the only town with wrong predictions."""
    now = rows(2).assign(prediction=lambda frame: (frame.score > 0.5).astype(int))
    (tmp_path / "labels").mkdir()
    truth = now.prediction.where(now.town != "b", 1 - now.prediction)
    pd.DataFrame({"id": now.id, "truth": truth}).to_parquet(tmp_path / "labels" / "a.parquet")
    model = {"name": "m", "registeredName": "m", "uri": "models:/m@champion", "task": "binary-classification"}
    labels = {"uri": f"file://{tmp_path}/labels", "format": "parquet", "label": "truth"}
    look, described = run_monitor(
        tmp_path,
        "prediction-quality",
        "log_loss",
        now,
        data={"labels": labels},
        labels="labels",
        key=["id"],
        models=[model],
    )

    assert [result.breach for result in look.results] == [True]
    assert (look.causes[0].feature, look.causes[0].part) == ("town", "b")
    assert pushed(look, described, ERRORS_BY)[0][1] == pytest.approx(1 / 3 * 2 / 3, abs=0.03)
    assert "rows with town b add 0.2" in monitor.cause_text(look.causes[0], of_errors=True)


def test_numeric_slice_is_named_by_its_bounds() -> None:
    random = np.random.default_rng(3)
    frame = pd.DataFrame({"x": random.uniform(0, 1, 1000), "y": random.uniform(0, 1, 1000)})
    (first, *_) = worst(frame, (frame.x < 0.1).to_numpy(dtype=float))

    assert first.feature == "x"
    assert first.part.startswith("below 0.")


def test_drift_reports_direction_and_location() -> None:
    random = np.random.default_rng(4)
    then = pd.Series(random.normal(10, 1, 5000))
    moved = Moved(profile(then))
    moved.add(pd.Series(random.normal(8, 1, 500)))
    turn = moved.turn()
    assert turn.direction == -1
    assert turn.words.startswith("it went down, from 10.")
    assert " to 8" in turn.words or " to 7.9" in turn.words

    moved = Moved(profile(pd.Series(["ch"] * 90 + ["de"] * 10)))
    moved.add(pd.Series(["CH"] * 90 + ["de"] * 10))
    assert moved.turn().words == "values without a name in the reference has 90.0% of the values instead of 0.0%"


def test_breach_is_logged_with_its_direction(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    look, described = run_monitor(tmp_path, "data-drift", "psi", rows(2, income=-2).drop(columns="id"))
    (breach,) = [result for result in look.results if result.breach and result.feature == "income"]

    assert "income is " in monitor.breach_text(record(MonitorWorkload, described), breach)
    assert "it went down, from " in monitor.breach_text(record(MonitorWorkload, described), breach)


def test_breach_is_reported_without_an_explanation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_: Any) -> pd.DataFrame:
        raise OSError("the store is away")

    monkeypatch.setattr("modelyard_runtime.monitoring.explained.sample", away)
    with caplog.at_level(logging.WARNING):
        look, _ = run_monitor(tmp_path, "prediction-drift", "psi", rows(2, income=1.5).drop(columns="id"))

    assert any(result.breach for result in look.results)
    assert look.causes == ()
    assert "the store is away" in caplog.text
