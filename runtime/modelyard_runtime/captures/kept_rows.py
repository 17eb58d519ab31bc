"""Converts captured requests and predictions to columns, and stores them as Parquet."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from modelyard_runtime.models.answers import Answer, plain

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

REQUEST_ID = "request_id"
CAPTURED_AT = "captured_at"
PREDICTION = "prediction"
SCORE = "score"
MODEL_VERSION = "model_version"
OWN_COLUMNS = (REQUEST_ID, CAPTURED_AT, PREDICTION, SCORE, MODEL_VERSION)

REDACTED: Final = "[redacted]"

Columns = dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class CapturedRequest:
    """A request with its predictions. `keys` contains columns that aren't model inputs."""

    request_id: str
    at: datetime
    rows: pd.DataFrame
    keys: Mapping[str, Sequence[Any]]
    answer: Answer
    version: str


@dataclass(frozen=True, slots=True)
class Selection:
    """The columns to keep, i.e. the inputs in `columns` (all if empty). Columns in `redact` are masked."""

    columns: frozenset[str] = frozenset()
    redact: frozenset[str] = frozenset()

    def of(self, requests: Sequence[CapturedRequest]) -> Columns:
        """Convert requests to columns, first concatenating rows that have the same columns."""
        groups: dict[tuple[str, ...], list[CapturedRequest]] = {}
        for request in requests:
            groups.setdefault((*map(str, request.rows.columns), "", *request.keys), []).append(request)
        return joined(self._group(group) for group in groups.values())

    def _group(self, requests: Sequence[CapturedRequest]) -> Columns:
        import pandas as pd

        rows = pd.concat([request.rows for request in requests], ignore_index=True)
        columns: Columns = {}
        for name in rows.columns:
            if (not self.columns or name in self.columns) and name not in OWN_COLUMNS:
                columns[str(name)] = rows[name].tolist()
        for name in requests[0].keys:
            if name not in OWN_COLUMNS and name not in columns:
                columns[name] = [value for request in requests for value in request.keys[name]]
        for name in self.redact & columns.keys():
            columns[name] = [None if _python_value(value) is None else REDACTED for value in columns[name]]
        return {**columns, **_answers(requests)}


def _answers(requests: Sequence[CapturedRequest]) -> Columns:
    columns: Columns = {name: [] for name in OWN_COLUMNS}
    for request in requests:
        count = len(request.rows)
        columns[REQUEST_ID] += [request.request_id] * count
        columns[CAPTURED_AT] += [request.at] * count
        columns[PREDICTION] += [plain(value) for value in request.answer.values]
        columns[SCORE] += [None] * count if request.answer.scores is None else request.answer.scores.tolist()
        columns[MODEL_VERSION] += [request.version] * count
    return columns


def length(columns: Columns) -> int:
    """Return the number of rows."""
    return len(columns[REQUEST_ID])


def joined(parts: Iterable[Columns]) -> Columns:
    """Concatenate rows. A column missing from a part is filled with None."""
    columns: Columns = {name: [] for name in OWN_COLUMNS}
    count = 0
    for part in parts:
        added = length(part)
        for name in part:
            columns.setdefault(name, [None] * count)
        for name, values in columns.items():
            values.extend(part.get(name) or [None] * added)
        count += added
    return columns


def parquet_of(columns: Columns) -> bytes:
    """Write columns to a Parquet file in memory."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    stream = BytesIO()
    parquet.write_table(pa.table({name: _array(values) for name, values in columns.items()}), stream)
    return stream.getvalue()


def columns_of(content: bytes) -> Columns:
    """Read the columns of a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    columns: Columns = parquet.read_table(pa.BufferReader(content)).to_pydict()
    return columns


@dataclass(slots=True)
class Period:
    """Rows captured consecutively on one day and written to one file."""

    day: str
    name: str
    parts: list[Columns] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Return the number of rows."""
        return sum(map(length, self.parts))


def _array(values: Sequence[Any]) -> pa.Array:
    """Convert a column to an Arrow array, storing values that Arrow doesn't support as JSON.

    Examples include mappings, very large numbers, invalid Unicode, and values without a common type. One request must
    not prevent others from being captured.
    """
    import pyarrow as pa

    cleaned = [_python_value(value) for value in values]
    try:
        array = pa.array(cleaned)
    except (pa.ArrowException, OverflowError, UnicodeError):
        array = None
    if array is None or (pa.types.is_nested(array.type) and not _is_flat_list(array.type)):
        array = pa.array([None if value is None else _as_json(value) for value in cleaned])
    return array


def _is_flat_list(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return pa.types.is_list(kind) and not pa.types.is_nested(kind.value_type)


def _as_json(value: Any) -> str:
    try:
        return json.dumps(value, default=str)
    except RecursionError:
        return '"nested too deeply to be kept"'


def _python_value(value: Any) -> Any:
    item = value.item() if hasattr(value, "item") else value
    return None if isinstance(item, float) and item != item else item
