"""Tests that requests are sampled, captured in the background, read by time window, and deleted by day."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from modelyard_runtime.captures import capture as module
from modelyard_runtime.captures.capture import Captures
from modelyard_runtime.captures.kept_rows import CapturedRequest, Columns, Selection
from modelyard_runtime.captures.segments import Segments, folder_of
from modelyard_runtime.models.answers import Answer
from modelyard_runtime.workload.records import Capture, Workload
from tests.runtime.captured import read_captures
from tests.runtime.described import record


def captures(folder: Path, **more: Any) -> Captures:
    """Return a replica's capture writer for `folder` that writes rows only when a test triggers it."""
    return Captures(
        record(Workload, {}),
        record(Capture, {"uri": f"file://{folder}", "fraction": 1.0, **more}),
        "champion",
        flush_s=3600,
    )


def stored(folder: Path) -> pd.DataFrame:
    """Return all captured rows that have been stored."""
    now = datetime.now(UTC)
    return read_captures({}, {"uri": f"file://{folder}"}, now - timedelta(days=9), now + timedelta(days=9))


def predictions_for(rows: int) -> Answer:
    """Return predictions for the given number of rows."""
    return Answer(np.ones(rows, dtype=np.int64), np.full(rows, 0.75))


@pytest.mark.parametrize("request_id", ["always the same", None])
def test_sampling_does_not_depend_on_the_request_id(tmp_path: Path, request_id: str | None) -> None:
    """Some requests are captured and some aren't, even if all of them share the same ID."""
    recorder = captures(tmp_path, fraction=0.2)
    for number in range(5000):
        recorder.keep(request_id or str(number), pd.DataFrame({"amount": [1.0]}), predictions_for(1), "7")
    recorder.flush()

    assert abs(len(stored(tmp_path)) - 1000) < 150
    recorder.close()


def test_flush_waits_for_rows_that_another_thread_saves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow background conversion neither hides rows from a flush nor loses them on shutdown."""
    recorder = captures(tmp_path)
    converting, go_on = threading.Event(), threading.Event()
    convert = Selection.of

    def slowly(selection: Selection, requests: Sequence[CapturedRequest]) -> Columns:
        converting.set()
        go_on.wait(30)
        return convert(selection, requests)

    monkeypatch.setattr(Selection, "of", slowly)
    recorder.keep("a", pd.DataFrame({"amount": [1.0]}), predictions_for(1), "7")
    saver, flusher = threading.Thread(target=recorder.save), threading.Thread(target=recorder.flush)
    saver.start()
    assert converting.wait(30)
    flusher.start()
    flusher.join(0.5)
    assert flusher.is_alive()
    go_on.set()
    saver.join()
    flusher.join()

    assert stored(tmp_path)["request_id"].tolist() == ["a"]
    recorder.close()


def test_rows_are_stored_with_their_predictions(tmp_path: Path) -> None:
    """Rows may have different columns, and a column may hold values of different types."""
    recorder = captures(tmp_path)
    recorder.keep("a", pd.DataFrame({"amount": [1.0, 2.0], "note": ["x", 3]}, dtype=object), predictions_for(2), "7")
    recorder.keep("b", pd.DataFrame({"amount": [5.0]}), predictions_for(1), "8")
    recorder.flush()

    now = datetime.now(UTC)
    rows = read_captures({}, {"uri": f"file://{tmp_path}"}, now - timedelta(hours=1), now)
    assert rows.sort_values("amount")["request_id"].tolist() == ["a", "a", "b"]
    assert rows["score"].tolist() == [0.75] * 3
    assert set(rows["model_version"]) == {"7", "8"}
    assert set(rows["variant"]) == {"champion"}
    assert read_captures({}, {"uri": f"file://{tmp_path}"}, now - timedelta(days=9), now - timedelta(days=8)).empty
    recorder.close()


def test_rows_are_buffered_while_the_store_is_unreachable(tmp_path: Path) -> None:
    """Rows that couldn't be stored are written once the store is reachable again."""
    blocked = tmp_path / "store"
    blocked.write_text("in the way")
    recorder = captures(blocked)
    recorder.keep("a", pd.DataFrame({"amount": [1.0]}), predictions_for(1), "7")
    recorder.attempt()
    blocked.unlink()
    recorder.attempt()

    assert len(list(blocked.rglob("*.parquet"))) == 1
    recorder.close()


def test_days_beyond_the_retention_are_deleted(tmp_path: Path) -> None:
    """Only the rows of days that ended before the retention period are deleted."""
    now = datetime.now(UTC)
    days = [(now - timedelta(days=age)).strftime("day=%Y-%m-%d") for age in (0, 2, 5)]
    for day in days:
        (tmp_path / day).mkdir()
    recorder = captures(tmp_path, retainSeconds=3 * 86400)
    recorder.attempt()

    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(days[:2])
    recorder.close()


@pytest.mark.parametrize("sent", [2**70, {}, {"a": {}}, [{}], [[1]], "\ud800", True])
def test_odd_values_do_not_affect_other_captures(tmp_path: Path, sent: Any) -> None:
    """A value that does not fit its column's type is stored as JSON alongside the values from other requests."""
    recorder = captures(tmp_path)
    for at, value in enumerate((sent, 1, None)):
        recorder.keep(f"r{at}", pd.DataFrame({"amount": [1.5], "more": [value]}, dtype=object), predictions_for(1), "1")

    recorder.attempt()

    now = datetime.now(UTC)
    rows = read_captures({}, {"uri": f"file://{tmp_path}"}, now - timedelta(hours=1), now + timedelta(hours=1))
    assert list(rows["amount"]) == [1.5] * 3
    assert rows["more"].iloc[0] == json.dumps(sent)
    recorder.close()


def test_columns_are_excluded_and_redacted(tmp_path: Path) -> None:
    """A redacted column records only whether a value was present. Keys are stored even if they are not model inputs."""
    recorder = captures(tmp_path, columns=["amount", "iban"], redact=["iban", "card"])
    rows = pd.DataFrame({"amount": [1.0, 2.0], "iban": ["CH93", None], "age": [40, 41]})
    recorder.keep("a", rows, predictions_for(2), "7", {"id": [8, 9], "card": ["4711", "4712"]})
    recorder.flush()

    stored_rows = stored(tmp_path)
    assert set(stored_rows) - {"request_id", "captured_at", "prediction", "score", "model_version", "variant"} == {
        "amount",
        "iban",
        "id",
        "card",
    }
    assert stored_rows["id"].tolist() == [8, 9]
    assert stored_rows["iban"].notna().tolist() == [True, False]
    assert set(stored_rows["card"]) == {"[redacted]"}
    assert b"4711" not in b"".join(path.read_bytes() for path in tmp_path.rglob("*.parquet"))
    recorder.close()


def test_monitor_ignores_redacted_values(tmp_path: Path) -> None:
    """Monitors ignore redacted values, which would otherwise all count as changed."""
    recorder = captures(tmp_path, redact=["iban"])
    recorder.keep("a", pd.DataFrame({"amount": [1.0], "iban": ["CH93"]}), predictions_for(1), "7")
    recorder.flush()
    now = datetime.now(UTC)

    rows = read_captures(
        {}, {"uri": f"file://{tmp_path}", "redact": ["iban"]}, now - timedelta(hours=1), now + timedelta(hours=1)
    )

    assert "iban" not in rows
    assert rows["amount"].tolist() == [1.0]
    recorder.close()


def test_clock_set_back_over_midnight_neither_loses_nor_duplicates_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No rows are lost or duplicated, even if the store accepts rows for only one day at first."""
    recorder = captures(tmp_path)
    stamps = [datetime(2026, 5, 2, 0, 0, 1, tzinfo=UTC), datetime(2026, 5, 1, 23, 59, 59, tzinfo=UTC)] * 3

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return stamps.pop(0)

    with monkeypatch.context() as patched:
        patched.setattr(module, "datetime", Clock)
        for number in range(6):
            recorder.keep(str(number), pd.DataFrame({"amount": [float(number)]}), predictions_for(1), "7")
    blocked = tmp_path / "day=2026-05-01"
    blocked.write_text("in the way")
    recorder.attempt()
    recorder.attempt()
    blocked.unlink()
    recorder.attempt()

    rows = pd.concat([pd.read_parquet(path) for path in tmp_path.rglob("*.parquet")])
    assert sorted(rows["request_id"]) == [str(number) for number in range(6)]
    recorder.close()


def test_dropped_rows_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the store is unreachable, rows that overflow the memory buffer are counted as dropped."""
    monkeypatch.setattr(module, "_MOST_WAITING", 3)
    recorder = captures(tmp_path)
    dropped: list[int] = []
    monkeypatch.setattr(recorder._metrics, "dropped", dropped.append)  # pyright: ignore[reportPrivateUsage]
    for number in range(5):
        recorder.keep(str(number), pd.DataFrame({"amount": [1.0]}), predictions_for(1), "7")

    recorder.attempt()

    assert dropped == [2]
    assert len(stored(tmp_path)) == 3
    recorder.close()


KILLED = """
import sys, time
import numpy as np, pandas as pd
from modelyard_runtime.models.answers import Answer
from modelyard_runtime.captures.capture import Captures
from modelyard_runtime.workload.records import Capture, Workload
from tests.runtime.described import record
kept = Captures(record(Workload, {}), record(Capture, {"uri": sys.argv[1], "fraction": 1.0}), "champion")
for number in range(100_000):
    kept.keep(str(number), pd.DataFrame({"amount": [1.0]}), Answer(np.ones(1)), "7")
    print(number, time.time(), flush=True)
    time.sleep(0.01)
"""


def test_kill_loses_at_most_one_second_of_rows(tmp_path: Path) -> None:
    """The next replica uploads the rows on a killed replica's disk exactly once."""
    command = [sys.executable, "-c", KILLED, f"file://{tmp_path}"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        answers = [process.stdout.readline().split() for _ in range(300)]
        process.kill()
        killed = time.time()
        answers += [line.split() for line in process.stdout]
    assert not list(tmp_path.rglob("*.parquet"))

    recorder = captures(tmp_path)
    recorder.attempt()
    recorder.attempt()

    stored_ids = stored(tmp_path)["request_id"].tolist()
    assert len(stored_ids) == len(set(stored_ids))
    assert {number for number, at in answers if float(at) < killed - 1} <= set(stored_ids)
    assert stored_ids
    recorder.close()


def test_file_written_before_a_kill_is_not_duplicated(tmp_path: Path) -> None:
    """The next replica rewrites the file under the same name, so no duplicate appears."""
    recorder = captures(tmp_path)
    recorder.keep("a", pd.DataFrame({"amount": [1.0]}), predictions_for(1), "7")
    (killed := recorder._segments).forget = lambda period: None  # type: ignore[union-attr, method-assign]
    recorder.flush()
    assert killed is not None
    killed._lock.close()  # pyright: ignore[reportPrivateUsage] # as the kernel does when a process ends
    other = captures(tmp_path)
    other.attempt()

    assert stored(tmp_path)["request_id"].tolist() == ["a"]
    assert not list(folder_of(f"file://{tmp_path} champion").rglob("*.parquet"))
    other.close()


def test_captures_of_a_running_replica_are_left_alone(tmp_path: Path) -> None:
    """A replica doesn't mistake captures of another running replica on the same disk for those of a killed one."""
    recorder = captures(tmp_path)
    recorder.keep("a", pd.DataFrame({"amount": [1.0]}), predictions_for(1), "7")
    recorder.save()

    other = Segments(folder_of(f"file://{tmp_path} champion"), "other")

    assert not list(other.left())
    other.close()
    recorder.close()
    assert stored(tmp_path)["request_id"].tolist() == ["a"]


def test_rows_reach_the_disk_during_a_slow_upload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill during a slow upload loses at most one second of rows, not everything since the upload began."""
    ended = threading.Event()
    monkeypatch.setattr(module, "write_once", lambda where, content: ended.wait(60))
    recorder = captures(tmp_path)
    recorder.keep("a", pd.DataFrame({"amount": [1.0]}), predictions_for(1), "7")
    writer = threading.Thread(target=recorder.flush)
    writer.start()
    time.sleep(0.5)
    recorder.keep("b", pd.DataFrame({"amount": [2.0]}), predictions_for(1), "7")
    until = time.monotonic() + 30
    folder = folder_of(f"file://{tmp_path} champion")
    while len(list(folder.rglob("*.parquet"))) < 2 and time.monotonic() < until:
        time.sleep(0.1)

    assert len(list(folder.rglob("*.parquet"))) == 2
    ended.set()
    writer.join()
    recorder.close()


def test_unsavable_request_is_dropped_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If one request in a batch can't be saved, the other one still is."""
    recorder = captures(tmp_path)
    dropped: list[int] = []
    monkeypatch.setattr(recorder._metrics, "dropped", dropped.append)  # pyright: ignore[reportPrivateUsage]
    broken: Any = object()
    recorder.keep("a", pd.DataFrame({"amount": [1.0]}), Answer(np.ones(1), broken), "7")
    recorder.keep("short", pd.DataFrame({"amount": [1.0, 2.0]}), predictions_for(1), "7")
    recorder.keep("b", pd.DataFrame({"amount": [1.0]}), predictions_for(1), "7")
    recorder.attempt()

    assert dropped == [1]
    assert stored(tmp_path)["request_id"].tolist() == ["b"]
    recorder.close()
