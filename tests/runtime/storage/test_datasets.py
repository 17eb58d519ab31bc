"""Tests reading large datasets in batches, from files with different columns, and by time window."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.storage.datasets import read_batches, read_frame
from modelyard_runtime.workload.records import Dataset, Workload
from tests.runtime.described import record

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def dataset(folder: Path, **more: Any) -> dict[str, Any]:
    """Describe a dataset in the given folder."""
    return {"uri": f"file://{folder}", "format": "parquet", **more}


def test_large_row_group_is_read_in_parts(tmp_path: Path) -> None:
    """A large row group is never in memory as a whole, although many libraries write one per file."""
    count = 1_600_000
    table = pa.table({f"c{at}": np.random.default_rng(at).normal(size=count) for at in range(3)})
    parquet.write_table(table, tmp_path / "a.parquet", row_group_size=count)
    size = table.nbytes
    del table
    before = pa.total_allocated_bytes()

    rows = allocated = 0
    for frame in read_batches(record(Workload, {}), record(Dataset, dataset(tmp_path))):
        rows += len(frame)
        allocated = max(allocated, pa.total_allocated_bytes() - before)

    assert rows == count
    assert allocated < 0.4 * size


def test_parts_have_all_columns_and_partition_columns(tmp_path: Path) -> None:
    """Missing columns are filled with null. If types differ, the first file's type is used."""
    for region, frame in {
        "eu": pd.DataFrame({"amount": [1.5, 2.5], "more": ["a", "b"]}),
        "us": pd.DataFrame({"amount": [3]}),
    }.items():
        (tmp_path / f"region={region}").mkdir()
        frame.to_parquet(tmp_path / f"region={region}" / "a.parquet")

    combined = pd.concat(read_batches(record(Workload, {}), record(Dataset, dataset(tmp_path))), ignore_index=True)

    assert list(combined["amount"]) == [1.5, 2.5, 3.0]
    assert [None if pd.isna(value) else value for value in combined["more"]] == ["a", "b", None]
    assert list(combined["region"]) == ["eu", "eu", "us"]
    pd.testing.assert_frame_equal(combined, read_frame(record(Workload, {}), record(Dataset, dataset(tmp_path))))


@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo"])
def test_window_is_exact_for_all_row_groups_and_zones(tmp_path: Path, zone: str | None) -> None:
    """The time window is exact to the row. Timestamps without a time zone are treated as UTC."""
    ages = pd.to_timedelta(np.arange(100), unit="h")
    at = pd.Series(pd.Timestamp(NOW) - ages).dt.tz_convert(zone or "UTC")
    frame = pd.DataFrame({"at": at if zone else at.dt.tz_localize(None), "age": np.arange(100)})
    frame.to_parquet(tmp_path / "a.parquet", row_group_size=10)

    parts = read_batches(
        record(Workload, {}),
        record(Dataset, dataset(tmp_path, timestamp="at")),
        NOW - timedelta(hours=25),
        NOW - timedelta(hours=5),
    )

    assert sorted(pd.concat(parts)["age"]) == list(range(5, 25))


def test_unreadable_file_is_refused_by_path(tmp_path: Path) -> None:
    """The error names the path of the unreadable file, such as one that is still being written."""
    pd.DataFrame({"amount": [1.5]}).to_parquet(tmp_path / "a.parquet")
    (tmp_path / "b.parquet").write_bytes(b"PAR1 half")

    with pytest.raises(Refusal, match="cannot be read as parquet"):
        list(read_batches(record(Workload, {}), record(Dataset, dataset(tmp_path))))
