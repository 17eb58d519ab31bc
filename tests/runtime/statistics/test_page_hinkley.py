"""Tests that concept drift is detected across monitor passes, at the same row as in a streaming test."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from river import drift

from modelyard_runtime.monitoring.monitor import RunResults, measure_run
from modelyard_runtime.monitoring.state import State
from modelyard_runtime.statistics.page_hinkley import PageHinkley
from modelyard_runtime.workload.description import section
from modelyard_runtime.workload.records import MonitorWorkload
from tests.runtime.described import record

START = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
DAY = timedelta(days=1)
THRESHOLD = 30.0
Values = list[float]


def stream(seed: int, rows: int, worse_from: int) -> Values:
    """Generate the errors of a model that is initially wrong for 10% of rows and later for 33%."""
    random = np.random.default_rng(seed)
    share = np.where(np.arange(rows) < worse_from, 0.1, 0.33)
    return [float(error) for error in random.random(rows) < share]


def first_by_river(values: Values, threshold: float = THRESHOLD) -> int | None:
    """Return the row at which the library river detects an increase."""
    test = drift.PageHinkley(threshold=threshold, mode="up")
    for at, value in enumerate(values):
        test.update(value)
        if test.drift_detected:
            return at
    return None


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("step", [1, 97, 500])
def test_first_detection_matches_river(seed: int, step: int) -> None:
    """The result doesn't depend on the number of rows per pass, even though each pass resumes from JSON."""
    values, state, detected = stream(seed, 4000, 1500 + 100 * seed), PageHinkley().to_json(), None
    for start in range(0, len(values), step):
        test = PageHinkley.from_json(state)
        greatest = test.take(values[start : start + step])
        state = test.to_json()
        if greatest is not None and greatest > THRESHOLD:
            detected = start
            break
    expected = first_by_river(values)

    assert expected is not None
    assert detected == expected // step * step


def captures(tmp_path: Path, name: str, at: datetime, hours: Values, **columns: Any) -> None:
    """Write a server's capture file with rows at the given times, in hours before `at`."""
    stamps = [at - timedelta(hours=age) for age in hours]
    frame = pd.DataFrame({"captured_at": stamps, "request_id": "r", "score": 0.5, **columns})
    for day, rows in frame.groupby(frame.captured_at.dt.strftime("%Y-%m-%d")):
        folder = tmp_path / "captures" / f"day={day}" / "variant=live"
        folder.mkdir(parents=True, exist_ok=True)
        rows.to_parquet(folder / name)


def workload(tmp_path: Path, *checks: dict[str, Any], window_s: int = 86400) -> dict[str, Any]:
    """Describe a daily monitor of an endpoint's captures."""
    model = {"name": "m", "registeredName": "m", "uri": "models:/m@champion", "task": "binary-classification"}
    (tmp_path / "labels").mkdir(exist_ok=True)
    labels = {"uri": f"file://{tmp_path}/labels", "format": "parquet", "label": "truth"}
    return {
        "monitor": {
            "type": "data-quality" if checks[0]["metric"] == "rows" else "concept-drift",
            "watch": "inference.scorer",
            "checks": [{"name": check["metric"], "severity": "page", **check} for check in checks],
            "windowSeconds": window_s,
            "everySeconds": 86400,
            "threads": 1,
            "data": {"labels": labels},
            "models": [model],
            "current": {"capture": {"uri": f"file://{tmp_path}/captures", "store": "lake"}},
            "labels": "labels",
            "key": ["id"],
            "state": {"uri": f"file://{tmp_path}/captures/_monitors/late", "store": "lake"},
        }
    }


def at(described: Mapping[str, Any], now: datetime) -> RunResults:
    """Run one monitor pass at the given time and save the monitor's state."""
    state = State.of(record(MonitorWorkload, described), now)
    results = measure_run(record(MonitorWorkload, described), now, state)
    assert not results.refusals
    state.save()
    return results


def days_of(tmp_path: Path, values: Values, per_day: int, version: str = "1") -> int:
    """Write a stream of errors as one capture file per day, fully labeled. Return the number of days."""
    hours = list(np.linspace(23.9, 0.1, per_day))
    for day in range(len(values) // per_day):
        part = range(day * per_day, (day + 1) * per_day)
        wrong = [int(values[row]) for row in part]
        name = f"{'a' * 12}-{day + 1:08d}.parquet"
        captures(tmp_path, name, START + day * DAY, hours, id=[*part], prediction=wrong, model_version=version)
    (tmp_path / "labels").mkdir(exist_ok=True)
    pd.DataFrame({"id": range(len(values)), "truth": 0}).to_parquet(tmp_path / "labels" / "a.parquet")
    return len(values) // per_day


def test_model_that_broke_before_the_window_is_detected(tmp_path: Path) -> None:
    """The first breaching pass contains the row where river detects the break, and all later passes breach too."""
    values = stream(1, 2000, 800)
    expected = first_by_river(values)
    assert expected is not None
    described = workload(tmp_path, {"metric": "page_hinkley", "max": THRESHOLD})
    looks = [at(described, START + day * DAY) for day in range(days_of(tmp_path, values, 400))]
    breaches = [look.results[0].breach for look in looks]

    assert breaches == [day >= expected // 400 for day in range(5)]


def test_new_version_resets_the_test(tmp_path: Path) -> None:
    """A new version restarts the streaming test, so errors of the previous version don't count against it."""
    described = workload(tmp_path, {"metric": "page_hinkley", "max": THRESHOLD})
    days_of(tmp_path, stream(1, 800, 450), 400)
    assert [at(described, START + day * DAY).results[0].breach for day in range(2)] == [False, True]
    hours = list(np.linspace(23.9, 0.1, 400))
    captures(tmp_path, "b.parquet", START + 2 * DAY, hours, id=[*range(400)], prediction=0, model_version="2")

    assert not at(described, START + 2 * DAY).results[0].breach
    state = State.of(record(MonitorWorkload, described), START + 3 * DAY).before
    assert section(section(section(state, "page_hinkley"), "page_hinkley"), "live")["version"] == "2"


def rows_seen(results: RunResults) -> float:
    """Return the number of rows that a monitor pass has read."""
    (rows,) = [result.value for result in results.results if result.check == "rows"]
    return rows


ROWS = {"metric": "rows", "max": 1e9}


def test_late_rows_are_read_once_in_the_next_window(tmp_path: Path) -> None:
    """Rows that an offline server writes days later are read once, in the next window."""
    described = workload(tmp_path, ROWS)
    writer, late = "a" * 12, "b" * 12
    captures(tmp_path, f"{writer}-00000001.parquet", START, [20.0, 10.0, 1.0], id=1, prediction=0)
    assert rows_seen(at(described, START)) == 3

    captures(tmp_path, f"{late}-00000001.parquet", START, [15.0, 0.001], id=1, prediction=0)
    captures(tmp_path, f"{writer}-00000002.parquet", START + DAY, [5.0], id=1, prediction=0)
    assert rows_seen(at(described, START + DAY)) == 3
    captures(tmp_path, f"{late}-00000002.parquet", START, [15.0, 60.0], id=1, prediction=0)
    assert rows_seen(at(described, START + 2 * DAY)) == 2
    assert [result.check for result in at(described, START + 3 * DAY).unknown] == []
    assert rows_seen(at(described, START + 4 * DAY)) == 0


@pytest.mark.parametrize("seed", range(4))
def test_every_row_is_in_exactly_one_window(tmp_path: Path, seed: int) -> None:
    """Every row is in exactly one window, even if passes run early or late.

    One pass is missed, and capture files appear at any time.
    """
    described = workload(tmp_path, ROWS)
    random = np.random.default_rng(seed)
    happened = np.sort(random.uniform(0, 8 * 24, 40))
    arrived = happened + random.exponential(10, 40)  # in hours, and each file has one row
    read_rows = 0.0
    at(described, START)
    written: set[int] = set()
    for day in (1, 2, 3, 5, 6, 7, 8, 9, 10, 14):
        now = START + day * DAY + timedelta(minutes=float(random.uniform(-30, 30)))
        hours = (now - START).total_seconds() / 3600
        for row in set(np.flatnonzero(arrived <= hours)) - written:
            captures(tmp_path, f"{row:012x}-00000001.parquet", START, [-happened[row]], id=1, prediction=0)
            written.add(int(row))
        read_rows += rows_seen(at(described, now))

    assert (len(written), read_rows) == (40, 40)


def test_declared_window_overlap_is_kept(tmp_path: Path) -> None:
    """With daily passes over seven days, a row is in seven windows but counts once in the streaming test."""
    described = workload(tmp_path, ROWS, window_s=7 * 86400)
    at(described, START)
    captures(tmp_path, "a.parquet", START + DAY, [1.0], id=1, prediction=0)

    assert [rows_seen(at(described, START + day * DAY)) for day in range(1, 10)] == [1] * 7 + [0] * 2
