"""Tests that change windows and freezes apply in local time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from modelyard_runtime.promotion.changes import closed
from modelyard_runtime.workload.records import Changes
from tests.runtime.described import record

OFFICE = {"days": [0, 1, 2, 3], "fromMinute": 9 * 60, "toMinute": 16 * 60}
NIGHT = {"days": [4], "fromMinute": 22 * 60, "toMinute": 4 * 60}
DAYLONG = {"days": [5], "fromMinute": 0, "toMinute": 1440}


@pytest.mark.parametrize(
    ("moment", "window", "is_open"),
    [
        ("2026-11-26T08:00:00+00:00", OFFICE, True),  # 09:00 on a Thursday in Berlin
        ("2026-11-26T07:59:59+00:00", OFFICE, False),
        ("2026-11-26T14:59:59+00:00", OFFICE, True),
        ("2026-11-26T15:00:00+00:00", OFFICE, False),
        ("2026-07-02T07:00:00+00:00", OFFICE, True),  # 09:00 in summer, an hour earlier in UTC than in winter
        ("2026-11-27T10:00:00+00:00", OFFICE, False),
        ("2026-11-27T21:00:00+00:00", NIGHT, True),
        ("2026-11-28T02:59:00+00:00", NIGHT, True),  # before 04:00 on a Saturday
        ("2026-11-28T03:00:00+00:00", NIGHT, False),
        ("2026-11-27T02:00:00+00:00", NIGHT, False),  # Friday morning belongs to Thursday night
        ("2026-11-27T23:00:00+00:00", DAYLONG, True),
        ("2026-11-28T22:59:00+00:00", DAYLONG, True),
        ("2026-11-28T23:00:00+00:00", DAYLONG, False),
    ],
)
def test_windows_use_local_time(moment: str, window: dict[str, Any], is_open: bool) -> None:
    changes: dict[str, Any] = {"timeZone": "Europe/Berlin", "windows": [window]}
    assert (closed(record(Changes, changes), datetime.fromisoformat(moment)) == "") is is_open


def test_freezes_use_local_days() -> None:
    changes: dict[str, Any] = {"timeZone": "Asia/Tokyo", "freezes": [{"from": "2026-12-18", "to": "2026-12-18"}]}
    assert not closed(record(Changes, changes), datetime(2026, 12, 17, 14, 59, tzinfo=UTC))
    assert (
        closed(record(Changes, changes), datetime(2026, 12, 17, 15, 0, tzinfo=UTC))
        == "changes are frozen from 2026-12-18 to 2026-12-18"
    )
    assert closed(record(Changes, changes), datetime(2026, 12, 18, 14, 59, tzinfo=UTC))
    assert not closed(record(Changes, changes), datetime(2026, 12, 18, 15, 0, tzinfo=UTC))
