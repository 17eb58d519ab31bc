"""Captured rows as columns: which parts of requests and answers are stored, and their file format."""

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
class Kept:
    """One request with its answer. `keys` are columns that are not inputs of the model."""

    request_id: str
    at: datetime
    rows: pd.DataFrame
    keys: Mapping[str, Sequence[Any]]
    said: Answer
    version: str


@dataclass(frozen=True, slots=True)
class Selection:
    """The columns to keep: the inputs named in `columns`, or all if empty; values of columns in `redact` are masked."""

    columns: frozenset[str] = frozenset()
    redact: frozenset[str] = frozenset()

    def of(self, kept: Sequence[Kept]) -> Columns:
        """The columns of some requests; rows with the same columns are concatenated first."""
        groups: dict[tuple[str, ...], list[Kept]] = {}
        for one in kept:
            groups.setdefault((*map(str, one.rows.columns), "", *one.keys), []).append(one)
        return joined(self._group(group) for group in groups.values())

    def _group(self, kept: Sequence[Kept]) -> Columns:
        import pandas as pd

        rows = pd.concat([one.rows for one in kept], ignore_index=True)
        found: Columns = {}
        for name in rows.columns:
            if (not self.columns or name in self.columns) and name not in OWN_COLUMNS:
                found[str(name)] = rows[name].tolist()
        for name in kept[0].keys:
            if name not in OWN_COLUMNS and name not in found:
                found[name] = [value for one in kept for value in one.keys[name]]
        for name in self.redact & found.keys():
            found[name] = [None if _known(value) is None else REDACTED for value in found[name]]
        return {**found, **_answers(kept)}


def _answers(kept: Sequence[Kept]) -> Columns:
    found: Columns = {name: [] for name in OWN_COLUMNS}
    for one in kept:
        count = len(one.rows)
        found[REQUEST_ID] += [one.request_id] * count
        found[CAPTURED_AT] += [one.at] * count
        found[PREDICTION] += [plain(value) for value in one.said.values]
        found[SCORE] += [None] * count if one.said.scores is None else one.said.scores.tolist()
        found[MODEL_VERSION] += [one.version] * count
    return found


def length(columns: Columns) -> int:
    """The number of rows."""
    return len(columns[REQUEST_ID])


def joined(parts: Iterable[Columns]) -> Columns:
    """Concatenated rows; None where a part lacks a column."""
    found: Columns = {name: [] for name in OWN_COLUMNS}
    count = 0
    for part in parts:
        added = length(part)
        for name in part:
            found.setdefault(name, [None] * count)
        for name, values in found.items():
            values.extend(part.get(name) or [None] * added)
        count += added
    return found


def parquet_of(columns: Columns) -> bytes:
    """A Parquet file with these columns."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    stream = BytesIO()
    parquet.write_table(pa.table({name: _array(values) for name, values in columns.items()}), stream)
    return stream.getvalue()


def columns_of(content: bytes) -> Columns:
    """The columns of a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    found: Columns = parquet.read_table(pa.BufferReader(content)).to_pydict()
    return found


@dataclass(slots=True)
class Period:
    """Rows that become one file: captured consecutively on one day."""

    day: str
    name: str
    parts: list[Columns] = field(default_factory=list)

    @property
    def count(self) -> int:
        """The number of rows."""
        return sum(map(length, self.parts))


def _array(values: Sequence[Any]) -> pa.Array:
    """A column as an array. Values that Arrow cannot store are kept as JSON text: no request may stop others' captures.

    These are values without a common type, numbers of any size, text that is not Unicode, and mappings.
    """
    import pyarrow as pa

    known = [_known(value) for value in values]
    try:
        found = pa.array(known)
    except (pa.ArrowException, OverflowError, UnicodeError):
        found = None
    if found is None or (pa.types.is_nested(found.type) and not _is_flat_list(found.type)):
        found = pa.array([None if value is None else _as_json(value) for value in known])
    return found


def _is_flat_list(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return pa.types.is_list(kind) and not pa.types.is_nested(kind.value_type)


def _as_json(value: Any) -> str:
    try:
        return json.dumps(value, default=str)
    except RecursionError:
        return '"nested too deeply to be kept"'


def _known(value: Any) -> Any:
    found = value.item() if hasattr(value, "item") else value
    return None if isinstance(found, float) and found != found else found
