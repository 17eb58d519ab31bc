"""Helper for reading captured requests and predictions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd

from modelyard_runtime.monitoring.arrivals import Window
from modelyard_runtime.monitoring.windows import CapturedRows
from modelyard_runtime.workload.records import MonitorWorkload, WatchedCapture
from tests.runtime.described import record


def read_captures(workload: dict[str, Any], capture: dict[str, Any], since: datetime, until: datetime) -> pd.DataFrame:
    """Return all rows captured within a period."""
    rows = CapturedRows(record(MonitorWorkload, workload), record(WatchedCapture, capture), Window(since, until))
    frames = list(rows.frames(rows.files()))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
