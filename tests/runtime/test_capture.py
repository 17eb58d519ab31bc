"""Captures: a share of the requests, written in the background, read back by a window of time, deleted by their day."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from modelyard_runtime.answers import Answer
from modelyard_runtime.capture import Captures, chosen
from tests.runtime.captured import read_captures


def captures(folder: Path, **more: Any) -> Captures:
    """What a replica keeps below a folder; nothing is written before it is asked to."""
    return Captures({}, {"uri": f"file://{folder}", "fraction": 1.0, **more}, "champion", flush_s=3600)


def said(rows: int) -> Answer:
    """An answer for some rows."""
    return Answer(np.ones(rows, dtype=np.int64), np.full(rows, 0.75))


def test_a_fraction_is_chosen_by_the_id_alone() -> None:
    """The same for every replica, and as many as declared."""
    ids = [str(number) for number in range(10_000)]

    assert abs(sum(chosen(one, 0.2) for one in ids) - 2000) < 200
    assert all(chosen(one, 1.0) for one in ids)


def test_rows_come_back_with_what_was_said_of_them(tmp_path: Path) -> None:
    """Also rows of another shape, and values without a common type."""
    kept = captures(tmp_path)
    kept.keep("a", pd.DataFrame({"amount": [1.0, 2.0], "note": ["x", 3]}, dtype=object), said(2), "7")
    kept.keep("b", pd.DataFrame({"amount": [5.0]}), said(1), "8")
    kept.flush()

    now = datetime.now(UTC)
    rows = read_captures({}, {"uri": f"file://{tmp_path}"}, now - timedelta(hours=1), now)
    assert rows.sort_values("amount")["request_id"].tolist() == ["a", "a", "b"]
    assert rows["score"].tolist() == [0.75] * 3
    assert set(rows["model_version"]) == {"7", "8"}
    assert set(rows["variant"]) == {"champion"}
    assert read_captures({}, {"uri": f"file://{tmp_path}"}, now - timedelta(days=9), now - timedelta(days=8)).empty
    kept.close()


def test_a_store_that_is_away_loses_nothing_that_fits_the_memory(tmp_path: Path) -> None:
    """What could not be written is written when the store is back."""
    blocked = tmp_path / "store"
    blocked.write_text("in the way")
    kept = captures(blocked)
    kept.keep("a", pd.DataFrame({"amount": [1.0]}), said(1), "7")
    kept.attempt()
    blocked.unlink()
    kept.attempt()

    assert len(list(blocked.rglob("*.parquet"))) == 1
    kept.close()


def test_days_beyond_the_retention_are_deleted(tmp_path: Path) -> None:
    """Whole days that ended before it; the others stay."""
    now = datetime.now(UTC)
    days = [(now - timedelta(days=age)).strftime("day=%Y-%m-%d") for age in (0, 2, 5)]
    for day in days:
        (tmp_path / day).mkdir()
    kept = captures(tmp_path, retainSeconds=3 * 86400)
    kept.attempt()

    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(days[:2])
    kept.close()


@pytest.mark.parametrize("sent", [2**70, {}, {"a": {}}, [{}], [[1]], "\ud800", True])
def test_no_request_ends_the_captures_of_others(tmp_path: Path, sent: Any) -> None:
    """What a file cannot hold as it is, is kept as JSON; what other requests sent stands beside it."""
    kept = captures(tmp_path)
    for at, value in enumerate((sent, 1, None)):
        kept.keep(f"r{at}", pd.DataFrame({"amount": [1.5], "more": [value]}, dtype=object), said(1), "1")

    kept.attempt()

    now = datetime.now(UTC)
    found = read_captures({}, {"uri": f"file://{tmp_path}"}, now - timedelta(hours=1), now + timedelta(hours=1))
    assert list(found["amount"]) == [1.5] * 3
    assert found["more"].iloc[0] == json.dumps(sent)
    kept.close()
