"""Tests that a quality monitor reports how many predictions it judged.

It never reports health if it judged none.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from modelyard_runtime.monitoring.monitor import COVERAGE, UNKNOWN, RunResults, measure_run, samples
from modelyard_runtime.monitoring.state import State
from modelyard_runtime.statistics.profiles import number_texts_in
from modelyard_runtime.workload.records import MonitorWorkload
from tests.runtime.described import record

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ROWS = 500
RANDOM = np.random.default_rng(3)
TRUTH = RANDOM.integers(0, 2, ROWS)
IDS = [f"{number:06d}" for number in range(ROWS)]
"""The keys of the rows. The predictions for three of the four rows are wrong."""


def predictions(**more: Any) -> pd.DataFrame:
    wrong = RANDOM.random(ROWS) < 0.75
    predicted = np.where(wrong, 1 - TRUTH, TRUTH)
    return pd.DataFrame({"id": IDS, "prediction": predicted, "at": NOW - timedelta(hours=2), **more})


def labels(**more: Any) -> pd.DataFrame:
    return pd.DataFrame({"id": IDS, "fraud": TRUTH, **more})


def judged(
    tmp_path: Path, predictions: pd.DataFrame, truth: pd.DataFrame, *, key: tuple[str, ...] = ()
) -> tuple[RunResults, Any]:
    """Run one monitor pass over `predictions` and `truth`. Return its results and the monitor's description."""
    for name, frame in (("now", predictions), ("labels", truth)):
        (tmp_path / name).mkdir(exist_ok=True)
        frame.to_parquet(tmp_path / name / "a.parquet")
    model = {"name": "m", "registeredName": "m", "uri": "models:/m@champion", "task": "binary-classification"}
    files = {"format": "parquet", "uri": f"file://{tmp_path}/now", "timestamp": "at"}
    described: dict[str, Any] = {
        "system": "cards",
        "name": "monitor-late",
        "address": "monitors.late",
        "monitor": {
            "type": "prediction-quality",
            "watch": "data.now",
            "checks": [{"name": "accuracy", "metric": "accuracy", "min": 0.5, "severity": "page"}],
            "windowSeconds": 86400,
            "threads": 2,
            "data": {"now": files, "labels": {**files, "uri": f"file://{tmp_path}/labels", "label": "fraud"}},
            "models": [model],
            "current": {"data": "now"},
            "labels": "labels",
            "key": list(key),
        },
    }
    del described["monitor"]["data"]["labels"]["timestamp"]
    return measure_run(record(MonitorWorkload, described), NOW, State("one")), described


def gauges(look: RunResults, described: Any, name: str) -> dict[str, float]:
    """Return the values that were pushed for a metric, keyed by feature."""
    reported = samples(record(MonitorWorkload, described), look.results, NOW, look.unknown, look.coverage)
    return {sample.labels["feature"]: sample.value for sample in reported if sample.name == name}


@pytest.mark.parametrize(
    "truth",
    [
        labels(),
        labels(id=[int(result) for result in IDS]),
        labels(id=[float(result) for result in IDS]),
        labels(id=[result.lstrip("0") or "0" for result in IDS]).assign(id=lambda frame: frame.id.astype(float)),
    ],
    ids=["texts", "numbers", "floats", "floats-of-texts"],
)
def test_keys_match_as_numbers_and_as_texts(tmp_path: Path, truth: pd.DataFrame) -> None:
    look, described = judged(tmp_path, predictions(), truth, key=("id",))

    assert [result.breach for result in look.results] == [True]
    assert gauges(look, described, COVERAGE) == {"all": 1.0}
    assert gauges(look, described, UNKNOWN) == {"all": 0.0}


def test_declared_key_ignores_other_shared_columns(tmp_path: Path) -> None:
    """A declared key ignores other shared columns.

    Without it, the shared column `amount` would be part of the key, and no prediction would match.
    """
    predicted, truth = predictions(amount=RANDOM.random(ROWS)), labels(amount=0.5)

    assert judged(tmp_path, predicted, truth, key=("id",))[0].results[0].breach
    look, described = judged(tmp_path, predicted, truth)
    assert look.results == ()
    assert gauges(look, described, COVERAGE) == {"all": 0.0}
    assert gauges(look, described, UNKNOWN) == {"all": 1.0}


@pytest.mark.parametrize(
    ("truth", "share"),
    [
        (labels().head(5), 0.01),  # the label pipeline is slow
        (labels().assign(id=lambda frame: "x" + frame.id), 0.0),  # the label pipeline formats IDs differently
        (labels().assign(fraud=None), 0.0),  # the label pipeline leaves labels empty
    ],
)
def test_too_few_labels_are_unknown_and_counted(tmp_path: Path, truth: pd.DataFrame, share: float) -> None:
    look, described = judged(tmp_path, predictions(), truth, key=("id",))

    assert look.results == ()
    assert gauges(look, described, COVERAGE) == {"all": pytest.approx(share)}
    assert gauges(look, described, UNKNOWN) == {"all": 1.0}


def test_share_of_labelled_predictions_is_reported(tmp_path: Path) -> None:
    """Predictions without a key never match a label and therefore lower the reported label coverage."""
    predicted = predictions()
    predicted.loc[:99, "id"] = None
    look, described = judged(tmp_path, predicted, labels().tail(300), key=("id",))

    assert [result.breach for result in look.results] == [True]
    assert gauges(look, described, COVERAGE) == {"all": pytest.approx(0.6)}


def test_time_keys_do_not_match_text_keys(tmp_path: Path) -> None:
    look, _ = judged(tmp_path, predictions(), labels(id=pd.Timestamp("2026-01-01")), key=("id",))

    assert "'id' contains texts in the predictions, but times in the labels" in str(look.refusals[0])
    assert [result.check for result in look.unknown] == ["accuracy"]


def test_time_keys_match_across_resolutions_and_zones(tmp_path: Path) -> None:
    """Time keys match across resolutions and time zones, e.g. for forecasts and daily sales."""
    days = pd.date_range("2026-01-01", periods=ROWS, freq="D")
    look, described = judged(
        tmp_path,
        predictions(day=days.as_unit("ms")),
        labels(day=days.tz_localize("UTC").as_unit("ns")),
        key=("id", "day"),
    )

    assert gauges(look, described, COVERAGE) == {"all": 1.0}


def test_key_missing_on_one_side_is_refused(tmp_path: Path) -> None:
    look, _ = judged(tmp_path, predictions(), labels(), key=("claim",))

    assert "lacks the key column 'claim'" in str(look.refusals[0])


def test_numeric_texts_are_compared_exactly() -> None:
    """Integers too large for a float are compared exactly, and non-numeric strings stay unchanged."""
    texts = pd.Series(["000012", "12.0", "9007199254740993", "0", "00", "x012", " 7"])

    assert list(number_texts_in(texts)) == ["12", "12", "9007199254740993", "0", "0", "x012", "7"]
    assert list(number_texts_in(pd.Series([12.0, 7.5]))) == ["12", "7.5"]


def test_empty_and_short_windows_are_unknown(tmp_path: Path) -> None:
    """Drift and quality monitors report windows with too few rows, or none, as unknown."""
    predicted = predictions().assign(at=NOW - timedelta(days=9))
    look, described = judged(tmp_path, predicted, labels(), key=("id",))
    assert gauges(look, described, COVERAGE) == {}
    assert gauges(look, described, UNKNOWN) == {"all": 1.0}
    assert look.unknown[0].reason == "0 predictions until 2026-11-24 12:00 have a label, but at least 30 are needed"

    drift = {"name": "psi", "metric": "psi", "max": 0.2, "severity": "page"}
    described["monitor"] |= {"type": "data-drift", "checks": [drift], "reference": {"data": "labels"}}
    predictions().head(29).to_parquet(tmp_path / "now" / "a.parquet")
    look = measure_run(record(MonitorWorkload, described), NOW, State("one"))
    assert (look.results, gauges(look, described, UNKNOWN)) == ((), {"all": 1.0})
    assert "29 rows, but at least 30 are needed" in look.unknown[0].reason
