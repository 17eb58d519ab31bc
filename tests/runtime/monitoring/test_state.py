"""Tests that a monitor's state counts consecutive breaches, and counts a retried pass only once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from modelyard_runtime.monitoring import monitor
from modelyard_runtime.monitoring.monitor import Result, run_checks
from modelyard_runtime.monitoring.state import LOOK, State
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.workload.records import Check, MonitorWorkload
from tests.runtime.described import BEGINNING, completed, record

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
FEATURES = ("a", "b", "c", "d")


def workload(tmp_path: Path, **check: Any) -> dict[str, Any]:
    """Describe a stateful daily drift monitor whose reference has four normally distributed features."""
    random = np.random.default_rng(5)
    (tmp_path / "then").mkdir(exist_ok=True)
    (tmp_path / "now").mkdir(exist_ok=True)
    pd.DataFrame({name: random.normal(size=1000) for name in FEATURES}).to_parquet(tmp_path / "then" / "a.parquet")
    return {
        "monitor": {
            "type": "data-drift",
            "watch": "data.now",
            "checks": [{"name": "psi", "metric": "psi", "max": 0.2, "severity": "page", **check}],
            "windowSeconds": 86400,
            "threads": 1,
            "data": {
                "now": {"uri": f"file://{tmp_path}/now", "format": "parquet", "timestamp": "at"},
                "then": {"uri": f"file://{tmp_path}/then", "format": "parquet"},
            },
            "models": [],
            "current": {"data": "now"},
            "reference": {"data": "then"},
            "state": {"uri": f"file://{tmp_path}/state", "store": "lake"},
        }
    }


def breaches(described: Mapping[str, Any], tmp_path: Path, day: int, moved: tuple[str, ...]) -> set[str]:
    """Run the monitor for a day on which the `moved` features drifted, and return its breaches."""
    now = NOW + timedelta(days=day)
    random = np.random.default_rng(day)
    frame = pd.DataFrame({name: random.normal(2.0 if name in moved else 0.0, size=500) for name in FEATURES})
    frame.assign(at=now - timedelta(hours=1)).to_parquet(tmp_path / "now" / "a.parquet")
    state = State.of(record(MonitorWorkload, described), now)
    results, refused = run_checks(record(MonitorWorkload, described), now, state)
    assert not refused
    state.save()
    return {result.feature for result in results if result.breach}


def test_breach_requires_consecutive_passes(tmp_path: Path) -> None:
    """Consecutive breaches are counted per feature, and a pass without a breach resets the count."""
    described = workload(tmp_path, consecutive=3)
    days = [("a",), ("a", "b"), ("b",), ("a", "b"), ("a",), ("a",), ("a",)]

    breached = [breaches(described, tmp_path, day, moved) for day, moved in enumerate(days)]

    assert breached == [set(), set(), set(), {"b"}, set(), {"a"}, {"a"}]


def test_breach_requires_a_number_of_features(tmp_path: Path) -> None:
    described = workload(tmp_path, minFeatures=3)

    assert breaches(described, tmp_path, 0, ("a", "b")) == set()
    assert breaches(described, tmp_path, 1, ("a", "b", "d")) == {"a", "b", "d"}


def test_features_are_counted_per_variant() -> None:
    """Drifted features are counted per variant, so two in one variant and one in another don't add up to three."""
    check: dict[str, Any] = {"name": "psi", "metric": "psi", "max": 0.2, "minFeatures": 2}
    results = [Result("psi", f"{name}@{of}", 1.0, True, of) for name, of in (("a", "x"), ("b", "x"), ("a", "y"))]

    sustained = monitor._sustained(record(Check, check), results, State("one"))  # pyright: ignore[reportPrivateUsage]

    assert [result.breach for result in sustained] == [True, True, False]


def test_retried_pass_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A retried pass has the same Job name and therefore counts once."""
    described = workload(tmp_path, consecutive=2)
    monkeypatch.setenv(LOOK, "monitor-drift-29000000")
    assert [breaches(described, tmp_path, day, ("a",)) for day in (0, 0, 0)] == [set()] * 3

    monkeypatch.setenv(LOOK, "monitor-drift-29001440")
    assert breaches(described, tmp_path, 1, ("a",)) == {"a"}


def test_unreadable_state_is_reported_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the state cannot be read, the pass continues without it, leaves it unchanged, and fails at the end."""
    described = workload(tmp_path, consecutive=2)
    state_file = tmp_path / "state" / "state.json"
    state_file.parent.mkdir()
    state_file.write_text("{")
    with pytest.raises(Refusal, match="state of the monitor"):
        State.of(record(MonitorWorkload, described), NOW)

    (tmp_path / "w.json").write_text(
        json.dumps(completed(MonitorWorkload, {**BEGINNING, "type": "monitor", **described}))
    )
    monkeypatch.setenv("MODELYARD_WORKLOAD", str(tmp_path / "w.json"))
    pd.DataFrame({"a": [1.0] * 50, "at": datetime.now(UTC)}).to_parquet(tmp_path / "now" / "a.parquet")

    assert monitor.run() == 1
    assert state_file.read_text() == "{"
