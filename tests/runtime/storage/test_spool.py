"""Tests that captures wait on disk, up to a limit, while the store is unreachable."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from modelyard_runtime.captures.capture import Captures
from modelyard_runtime.models.answers import Answer
from modelyard_runtime.storage.filesystem import local
from modelyard_runtime.storage.spool import Spool
from modelyard_runtime.workload.records import Capture, Workload
from tests.runtime.captured import read_captures
from tests.runtime.described import record
from tests.runtime.object_store import BUCKET, ObjectStore

URI = f"s3://{BUCKET}/captures"


@pytest.fixture
def store() -> Iterator[ObjectStore]:
    """Return an object store with one bucket."""
    object_store = ObjectStore()
    yield object_store
    object_store.cut()


def captures(workload: dict[str, Any], disk: Path) -> Captures:
    """Return a replica's capture writer, which writes rows only when a test triggers it."""
    spool = {"folder": str(disk), "maxBytes": 2**20}
    described: dict[str, Any] = {"uri": f"{URI}/", "store": "artifacts", "fraction": 1.0, "spool": spool}
    return Captures(record(Workload, workload), record(Capture, described), "live", flush_s=3600)


def keep(kept: Captures, request_id: str) -> None:
    """Capture one request with two rows."""
    answer = Answer(np.ones(2, dtype=np.int64))
    kept.keep(request_id, pd.DataFrame({"amount": [1.0, 2.0]}), answer, "7")


def arrived(workload: dict[str, Any]) -> list[str]:
    """Return the request IDs of the captures that a monitor finds in the store."""
    now = datetime.now(UTC)
    rows = read_captures(
        workload, {"uri": URI, "store": "artifacts"}, now - timedelta(hours=1), now + timedelta(hours=1)
    )
    return sorted(rows["request_id"]) if len(rows) else []


def test_captures_survive_an_outage_and_a_restart(
    store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restarted process sends its predecessor's unsent captures, and no row arrives twice."""
    workload = store.described(monkeypatch)
    first = captures(workload, tmp_path)
    keep(first, "a")
    first.attempt()
    assert arrived(workload) == ["a", "a"]
    store.cut()
    keep(first, "b")
    first.attempt()
    first.attempt()
    first.close()
    second = captures(workload, tmp_path)
    keep(second, "c")
    second.attempt()
    store.mend()

    assert arrived(workload) == ["a", "a"]
    second.attempt()
    second.attempt()
    assert arrived(workload) == ["a", "a", "b", "b", "c", "c"]
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    second.close()


def spooled(folder: Path, *names: str, most_bytes: int = 250) -> Spool:
    """Return a spool that holds the named files, oldest first, with 100 bytes and 5 rows each."""
    spool = Spool(folder, most_bytes)
    for at, name in enumerate(names):
        spool.keep(f"day=2026-11-24/variant=live/{name}.parquet", b"x" * 100, 5)
        for path in folder.rglob(f"{name}.parquet.*"):
            os.utime(path, (at, at))
    return spool


def test_oldest_file_is_dropped_and_counted(tmp_path: Path) -> None:
    spool = spooled(tmp_path / "disk", "a", "b", "c", "d")

    assert spool.waiting_bytes() == 200
    assert spool.dropped_rows == 10
    assert spool.forward(local(tmp_path / "store")) == 2
    assert sorted(path.name for path in (tmp_path / "store").rglob("*.parquet")) == ["c.parquet", "d.parquet"]
    assert spool.waiting_bytes() == 0


def test_file_larger_than_the_limit_is_dropped(tmp_path: Path) -> None:
    """A file over the spool's size limit is dropped without evicting other files."""
    spool = spooled(tmp_path, "a")
    spool.keep("day=2026-11-24/variant=live/large.parquet", b"x" * 300, 7)

    assert (spool.waiting_bytes(), spool.dropped_rows) == (100, 7)


def test_unsent_files_stay_on_disk(tmp_path: Path) -> None:
    """The first file that cannot be sent ends the attempt. Files already sent are deleted; the others are kept."""
    spool = spooled(tmp_path / "disk", "a", "b", most_bytes=1000)
    (tmp_path / "store").write_text("in the way")

    with pytest.raises(OSError, match="store"):
        spool.forward(local(tmp_path / "store"))
    assert spool.waiting_bytes() == 200


def test_captures_create_no_folder_markers(store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server may write only below its own prefix and must not create markers or temporary objects above it."""
    workload = store.described(monkeypatch)
    captures = Captures(
        record(Workload, workload),
        record(Capture, {"uri": URI, "store": "artifacts", "fraction": 1.0}),
        "live",
        flush_s=3600,
    )
    keep(captures, "a")
    captures.close()

    (name,) = store.names()
    assert name.startswith(URI.partition(f"{BUCKET}/")[2].strip("/") + "/day=")
    assert arrived(workload) == ["a", "a"]
