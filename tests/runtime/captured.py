"""Captures, read back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd

from modelyard_runtime.monitoring.arrivals import Window
from modelyard_runtime.monitoring.windows import CapturedRows


def read_captures(workload: dict[str, Any], capture: dict[str, Any], since: datetime, until: datetime) -> pd.DataFrame:
    """All captured rows of a time."""
    rows = CapturedRows(workload, capture, Window(since, until))
    frames = list(rows.frames(rows.files()))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
