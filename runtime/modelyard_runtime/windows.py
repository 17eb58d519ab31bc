"""The rows that a monitor looks at: the newest part of the captures of an endpoint, or of a dataset."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from modelyard_runtime.capture import CAPTURED_AT, OWN_COLUMNS
from modelyard_runtime.datasets import read_frame
from modelyard_runtime.description import Section, integer, section, sections, text
from modelyard_runtime.storage import Place, place

if TYPE_CHECKING:
    import pandas as pd

VARIANT = "variant"


@dataclass(frozen=True, slots=True)
class Window:
    """Rows with the name of the column that says when each happened; empty where there is none."""

    rows: pd.DataFrame
    timestamp: str
    own: tuple[str, ...] = ()  # columns that are no input of the model


def current(workload: Section, now: datetime) -> Window:
    """The window that a monitor is about. It ends earlier by as much as the labels that it needs are late."""
    monitor = section(workload, "monitor")
    watched, span = section(monitor, "current"), integer(monitor, "windowSeconds")
    labels = sections(monitor, "data").get(text(monitor, "labels"), {})
    until = now - timedelta(seconds=integer(labels, "delaySeconds"))
    capture = section(watched, "capture")
    if capture:
        where = place(workload, text(capture, "uri"), text(capture, "store"))
        rows = read_captures(where, until - timedelta(seconds=span), until)
        return Window(rows, CAPTURED_AT, (*OWN_COLUMNS, VARIANT))
    dataset = sections(monitor, "data")[text(watched, "data")]
    rows = read_frame(workload, dataset, span, until)
    timestamp = text(dataset, "timestamp")
    return Window(rows[_times(rows, timestamp) <= until], timestamp, (timestamp, text(dataset, "label")))


def read_captures(where: Place, since: datetime, until: datetime) -> pd.DataFrame:
    """Captured rows of a time, of all variants, with the variant of each."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as parquet
    from pyarrow import fs

    tables: list[pa.Table] = []
    days = {f"day={day:%Y-%m-%d}" for day in pd.date_range(since.date(), until.date(), freq="D")}
    for day in sorted(days):
        folder = where.below(day)
        for one in folder.filesystem.get_file_info(fs.FileSelector(folder.path, allow_not_found=True, recursive=True)):
            parts = one.path.removeprefix(folder.path).strip("/").split("/")
            if one.type != fs.FileType.File or one.base_name.startswith("_") or len(parts) != 2:
                continue
            with folder.filesystem.open_input_file(one.path) as stream:
                table = parquet.read_table(stream)
            variant = pa.array([parts[0].removeprefix("variant=")] * table.num_rows, pa.string())
            tables.append(table.append_column(VARIANT, variant))
    if not tables:
        return pd.DataFrame({CAPTURED_AT: pd.Series(dtype="datetime64[us, UTC]"), VARIANT: pd.Series(dtype="object")})
    rows = pa.concat_tables(tables, promote_options="permissive").to_pandas()
    return rows[(rows[CAPTURED_AT] > since) & (rows[CAPTURED_AT] <= until)].reset_index(drop=True)


def _times(rows: pd.DataFrame, timestamp: str) -> pd.Series:
    import pandas as pd

    return pd.to_datetime(rows[timestamp], utc=True)
