"""Tests that random samples of real data are reported as drift only if the data has drifted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn import datasets

from modelyard_runtime.monitoring.monitor import run_checks
from modelyard_runtime.statistics.chance import UNLIKELY, Sizes, excess, of_distance
from modelyard_runtime.statistics.drift import Moved
from modelyard_runtime.statistics.profiles import Profile, profiles
from modelyard_runtime.workload.records import MonitorWorkload
from tests.runtime.described import record

NAMES = ("breast_cancer", "wine", "diabetes", "digits")
LOOKS = 20
BOUNDS = {"psi": 0.2, "ks": 0.1, "js": 0.1, "chi2": 2.0, "wasserstein": 0.1}
"""Common bounds for drift measures, as in the documentation. Wasserstein distances are in standard deviations."""


@cache
def real(name: str) -> pd.DataFrame:
    """Return one of scikit-learn's datasets, with each column scaled to unit standard deviation."""
    frame: pd.DataFrame = getattr(datasets, f"load_{name}")(as_frame=True).data
    if name == "digits":  # every fourth of its 64 columns; some of them are almost always zero
        frame = frame[frame.columns[::4]]
    deviations = frame.std()
    return frame / deviations.where(deviations > 0, 1)


@cache
def reference(name: str) -> dict[str, Profile]:
    """Return the profiles that training would store with a model, keyed by column."""
    return profiles(real(name), list(real(name)))


def windows(frame: pd.DataFrame, rows: int) -> Iterator[pd.DataFrame]:
    """Yield the windows seen by successive monitor passes, resampled from the same data."""
    for seed in range(LOOKS):
        yield frame.iloc[np.random.default_rng([seed, rows]).integers(0, len(frame), rows)]


def alarms(kept: dict[str, Profile], window: pd.DataFrame) -> dict[str, set[str]]:
    """Return the features that exceed each drift measure's bound, in a monitor of all features."""
    features: dict[str, set[str]] = {metric: set() for metric in BOUNDS}
    for column in window:
        moved = Moved(kept[str(column)])
        moved.add(window[column])
        for metric, most in BOUNDS.items():
            shift = moved.shift(metric)
            if shift is not None and shift.value > most and shift.chance * window.shape[1] <= UNLIKELY:
                features[metric].add(str(column))
    return features


@pytest.mark.parametrize("rows", [30, 100, 300, 1000, 10_000, 100_000])
@pytest.mark.parametrize("name", NAMES)
def test_data_without_drift_raise_no_alarm(name: str, rows: int) -> None:
    """At most one pass in twenty raises an alarm for any feature."""
    looks = [alarms(reference(name), window) for window in windows(real(name), rows)]

    for metric in BOUNDS:
        assert sum(bool(features[metric]) for features in looks) <= 1, metric


@pytest.mark.parametrize("rows", [300, 1000])
@pytest.mark.parametrize("name", NAMES)
def test_only_the_drifted_feature_raises_an_alarm(name: str, rows: int) -> None:
    """If one feature shifts by its standard deviation, every measure reports only that feature in every pass."""
    for at, window in enumerate(windows(real(name), rows)):
        varied = [column for column in window if real(name)[column].nunique() > 5]
        column = varied[at % len(varied)]
        features = alarms(reference(name), window.assign(**{column: window[column] + 1}))

        assert features == {metric: {column} for metric in BOUNDS}


@pytest.mark.parametrize("rows", [30, 100])
def test_documented_bound_raises_no_false_alarms(tmp_path: Path, rows: int) -> None:
    """With 30 features and 20 passes over few rows, `psi: {max: 0.2}` reports only the feature that drifted."""
    frame = real("breast_cancer")
    now = datetime(2026, 11, 24, tzinfo=UTC)
    described = monitor_of(tmp_path, frame)
    breaches: list[set[str]] = []
    for window in windows(frame, rows):
        window.assign(at=now).to_parquet(tmp_path / "now" / "a.parquet")
        results, refused = run_checks(record(MonitorWorkload, described), now)
        assert not refused
        breaches.append({result.feature for result in results if result.breach})
    assert breaches == [set()] * LOOKS

    *_, window = windows(frame, rows)
    window = window.assign(at=now)
    window["mean area"] += 3
    window.to_parquet(tmp_path / "now" / "a.parquet")
    assert {result.feature for result in run_checks(record(MonitorWorkload, described), now)[0] if result.breach} == {
        "mean area"
    }


def monitor_of(tmp_path: Path, kept: pd.DataFrame) -> dict[str, Any]:
    """Describe a drift monitor that compares one file with another."""
    for name in ("now", "then"):
        (tmp_path / name).mkdir()
    kept.to_parquet(tmp_path / "then" / "a.parquet")
    files = {"uri": f"file://{tmp_path}/now", "format": "parquet", "timestamp": "at"}
    return {
        "monitor": {
            "type": "data-drift",
            "watch": "data.now",
            "checks": [{"name": "psi", "metric": "psi", "max": 0.2, "severity": "page"}],
            "windowSeconds": 86400,
            "threads": 1,
            "data": {"now": files, "then": {"uri": f"file://{tmp_path}/then", "format": "parquet"}},
            "models": [],
            "current": {"data": "now"},
            "reference": {"data": "then"},
        }
    }


def texts(rows: int, seed: int) -> pd.DataFrame:
    """Generate IDs, towns and shops with many rare values, and columns with only a few common values."""
    random = np.random.default_rng(seed)
    weights = 1 / np.arange(1, 30_001) ** 1.1
    drawn = random.choice(30_000, rows, p=weights / weights.sum())
    return pd.DataFrame(
        {
            "id": [f"i{number}" for number in random.integers(0, 10**12, rows)],
            "town": [f"t{number % 3000}" for number in drawn],
            "shop": [f"s{number}" for number in drawn],
            "even": [f"e{number}" for number in random.integers(0, 20_000, rows)],
            "kind": random.choice(["a", "b", "c"], rows, p=[0.9, 0.09, 0.01]),
        }
    )


@pytest.mark.parametrize("rows", [30, 100, 1000, 10_000])
@pytest.mark.parametrize("sample_size", [1000, 50_000])
def test_high_cardinality_texts_raise_no_alarm(sample_size: int, rows: int) -> None:
    """Neither rare towns nor IDs that the reference lacks raise an alarm."""
    then = profiles(frame := texts(sample_size, 99), list(frame))
    looks = [alarms(then, texts(rows, seed)) for seed in range(LOOKS if rows <= 1000 else 5)]

    for metric in ("psi", "js", "chi2"):
        assert sum(bool(features[metric]) for features in looks) <= 1, metric


@pytest.mark.parametrize("sample_size", [1000, 50_000])
def test_value_that_became_common_is_detected(sample_size: int) -> None:
    then = profiles(frame := texts(sample_size, 99), list(frame))
    window = texts(300, 1)
    rare = frame["shop"].value_counts().loc[lambda counts: counts > 1].index[min(sample_size // 50, 400)]
    unchanged = window.index % 3 > 0

    assert alarms(then, window.assign(shop=window.shop.where(unchanged, rare)))["psi"] == {"shop"}
    assert alarms(then, window.assign(kind=window.kind.where(unchanged, "never seen")))["psi"] == {"kind"}


def test_probability_of_a_distance_matches_scipy() -> None:
    """Kolmogorov-Smirnov probabilities match scipy's.

    The probability of a bin is at most twice that of Fisher's test.
    """
    random = np.random.default_rng(2)
    first, second = random.normal(0, 1, 900), random.normal(0.1, 1, 700)
    expected = stats.ks_2samp(first, second, method="asymp")

    assert of_distance(float(expected.statistic), Sizes(900, 700)) == pytest.approx(expected.pvalue, rel=0.05)
    exact = stats.fisher_exact([[9, 291], [3, 997]], alternative="greater").pvalue
    bins = excess(np.array([0.003, 0.997]), np.array([0.03, 0.97]), Sizes(1000, 300))
    assert exact <= bins[0] / 2 < 2 * exact


@pytest.mark.parametrize("draw", ["normal", "exponential", "uniform"])
def test_estimated_chance_is_not_too_low(draw: str) -> None:
    """In 400 passes without drift, no result is rated as unlikely as one in a thousand."""
    random = np.random.default_rng(4)
    then = profiles(pd.DataFrame({"x": getattr(random, draw)(size=2000)}), ["x"])["x"]
    chances: list[float] = []
    for _ in range(400):
        moved = Moved(then)
        moved.add(pd.Series(getattr(random, draw)(size=100)))
        shift = moved.shift("wasserstein")
        assert shift is not None
        chances.append(shift.chance)

    assert min(chances) > UNLIKELY
    assert float(np.mean([chance < 0.5 for chance in chances])) < 0.5
