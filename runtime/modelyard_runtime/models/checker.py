"""Checks rows against a model's signature and converts them to arrays. Each version has one checker.

On the fast path, a single pass over the rows builds one array for all columns of a type without checking individual
values in Python. Rows that don't fit take the slow path, which goes column by column to find the invalid value.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain
from math import inf, isfinite, nan
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Protocol

from modelyard_runtime.models.frame_columns import whole_column
from modelyard_runtime.registry.client import Column

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Array = npt.NDArray[Any]

_MOST_SHOWN = 40


class BadRequest(Exception):
    """The request is invalid. `status` is the HTTP status."""

    def __init__(self, message: str, status: int = 422) -> None:
        super().__init__(message)
        self.status = status


class Source(Protocol):
    """Rows whose column types are unknown."""

    def __len__(self) -> int: ...

    @property
    def index(self) -> pd.Index:
        """Return the index of the frame that is created from the rows."""
        ...

    def values(self, name: str) -> list[Any] | None:
        """Return a column, using NaN for rows without a value, or None if no row has the column."""
        ...

    def frame(self) -> pd.DataFrame:
        """Return the rows as a data frame with all of their columns."""
        ...


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a request, either as mappings, or as lists where `places` holds the index of each column."""

    records: list[Any]
    places: Mapping[str, int] | None = None

    def __len__(self) -> int:
        return len(self.records)

    @property
    def index(self) -> pd.Index:
        import pandas as pd

        return pd.RangeIndex(len(self.records))

    def values(self, name: str) -> list[Any] | None:
        if self.places is None:
            present = any(name in record for record in self.records)
            return [record.get(name, nan) for record in self.records] if present else None
        place = self.places.get(name)
        return None if place is None else [record[place] for record in self.records]

    def frame(self) -> pd.DataFrame:
        import pandas as pd

        columns = None if self.places is None else list(self.places)
        return pd.DataFrame(self.records, columns=columns, dtype=object).infer_objects()


@dataclass(frozen=True, slots=True)
class FrameRows:
    """Rows from a file. Non-finite values count as missing, as in training."""

    of: pd.DataFrame

    def __len__(self) -> int:
        return len(self.of)

    @property
    def index(self) -> pd.Index:
        return self.of.index

    def values(self, name: str) -> list[Any] | None:
        if name not in self.of.columns:
            return None
        cells = self.of[name].astype(object).tolist()
        return [None if isinstance(cell, float) and not isfinite(cell) else cell for cell in cells]

    def array(self, name: str, kind: str) -> Array | None:
        """Return a column as an array if its type guarantees that all values fit, or None if they must be checked."""
        return whole_column(self.of[name], kind) if name in self.of.columns else None

    def frame(self) -> pd.DataFrame:
        return self.of.infer_objects()


class Checker:
    """Converts rows to the columns and types that a model version expects."""

    def __init__(self, columns: Iterable[Column]) -> None:
        import pandas as pd

        self.columns = tuple(columns)
        self._index = pd.Index([column.name for column in self.columns])
        self._required = {column.name for column in self.columns if column.required}
        self._omitted = {column.name for column in self.columns if not _may_be_absent(column)}
        self._blocks = _blocks_of(self.columns)

    @property
    def complete(self) -> bool:
        """Return whether the signature declares the type of every column, in which case no other checks are needed."""
        return bool(self._blocks)

    def frame(self, rows: Source) -> pd.DataFrame:
        """Convert rows to the signature's columns, in the same order and with the same types.

        Without a signature, all columns are kept.
        """
        if not self.columns:
            return rows.frame()
        if self._blocks and isinstance(rows, Rows):
            arrays = self._arrays(rows)
            if arrays is not None:
                return self._joined(arrays, len(rows))
        return self._one_by_one(rows)

    def _arrays(self, rows: Rows) -> list[Array] | None:
        """Return an array per block, or None if a value doesn't fit or a column is missing."""
        if rows.places is not None:
            places = rows.places
            if not all(name in places for block in self._blocks for name in block.names):
                return None
            return _all(block.array(rows.records, [places[name] for name in block.names]) for block in self._blocks)
        try:
            return _all(block.array(rows.records, block.names) for block in self._blocks)
        except KeyError:  # a row lacks a value for the column
            present = set[str]().union(*rows.records)
            if not self._required | self._omitted <= present:
                return None
            return _all(block.array(rows.records, block.names, allow_missing=True) for block in self._blocks)

    def _joined(self, arrays: list[Array], length: int) -> pd.DataFrame:
        import pandas as pd
        from pandas.api.internals import create_dataframe_from_blocks

        parts = [(array.T, block.places) for array, block in zip(arrays, self._blocks, strict=True)]
        frame: pd.DataFrame = create_dataframe_from_blocks(parts, index=pd.RangeIndex(length), columns=self._index)
        return frame

    def _one_by_one(self, rows: Source) -> pd.DataFrame:
        import pandas as pd

        fit: dict[str, Any] = {}
        for column in self.columns:
            array = rows.array(column.name, column.kind) if isinstance(rows, FrameRows) else None
            if array is not None:
                fit[column.name] = pd.Series(array, rows.index, dtype=array.dtype)
                continue
            values = rows.values(column.name)
            if values is not None:
                fit[column.name] = _typed(values, column, rows.index)
            elif column.required:
                raise BadRequest(f"column {column.name!r} is missing; the model needs {_listed(self.columns)}")
            elif _may_be_absent(column):
                fit[column.name] = _typed([None] * len(rows), column, rows.index)
        return pd.DataFrame(fit, index=rows.index)


@dataclass(frozen=True, slots=True)
class _Kind:
    """An MLflow type, defining which values are valid and how they are converted to an array."""

    words: str
    fits: Callable[[Any], bool]
    types: frozenset[type]
    make: Callable[[list[Any]], Array | None]

    @property
    def may_be_absent(self) -> bool:
        """Return whether the type can represent missing values, like floats and text can."""
        return type(None) in self.types

    def array(self, values: list[Any]) -> Array | None:
        """Convert all values to an array, or return None if a value does not fit."""
        if not self.types.issuperset(map(type, values)):
            return None
        try:
            return self.make(values)
        except OverflowError:
            return None


@dataclass(frozen=True, slots=True)
class _Block:
    """All columns of one type."""

    kind: _Kind
    names: list[str]
    places: npt.NDArray[np.intp]

    def array(self, records: list[Any], keys: list[Any], allow_missing: bool = False) -> Array | None:
        """Return an array of records by keys. Raises KeyError if a key is missing, unless `allow_missing` is set."""
        if allow_missing:
            values = [record.get(key) for record in records for key in keys]
        elif len(keys) == 1:
            values = [record[keys[0]] for record in records]
        else:
            values = list(chain.from_iterable(map(itemgetter(*keys), records)))
        array = self.kind.array(values)
        return None if array is None else array.reshape(len(records), len(keys))


def _blocks_of(columns: tuple[Column, ...]) -> list[_Block]:
    """Group columns by type. Returns an empty list if a column's type, such as a time, has no array form."""
    import numpy as np

    if any(column.kind not in _KINDS for column in columns):
        return []
    places: dict[str, list[int]] = {}
    for place, column in enumerate(columns):
        places.setdefault(column.kind, []).append(place)
    return [
        _Block(_KINDS[kind], [columns[place].name for place in positions], np.array(positions, dtype=np.intp))
        for kind, positions in places.items()
    ]


def _all(arrays: Iterable[Array | None]) -> list[Array] | None:
    complete: list[Array] = []
    for array in arrays:
        if array is None:
            return None
        complete.append(array)
    return complete


def _typed(values: list[Any], column: Column, index: pd.Index) -> Any:
    """Convert a column to its type. Raises BadRequest naming the first invalid value."""
    import pandas as pd

    if column.kind == "datetime":
        try:
            return pd.to_datetime(pd.Series(values, index, dtype=object), format="ISO8601")
        except (ValueError, TypeError, OverflowError):
            raise BadRequest(f"column {column.name!r} must contain times in ISO 8601 format") from None
    if column.kind not in _KINDS:
        return pd.Series(values, index, dtype=object).infer_objects()
    kind = _KINDS[column.kind]
    cleaned = [_plain(value) for value in values]
    array = kind.array(cleaned)
    if array is None:
        raise _refusal(cleaned, column, kind)
    return pd.Series(array, index, dtype=array.dtype)


def _plain(value: Any) -> Any:
    """Convert a value to its JSON equivalent. NaN becomes None, as frames use it for missing columns."""
    if getattr(value, "ndim", 0):
        return value
    if hasattr(value, "item"):
        value = value.item()
    return None if value != value else value


def _refusal(values: list[Any], column: Column, kind: _Kind) -> BadRequest:
    name = column.name
    for value in values:
        if value is None and kind.may_be_absent:
            continue
        if value is None or not kind.fits(value):
            return BadRequest(f"column {name!r} must contain {kind.words}, not {_formatted(value)}")
        if kind.array([value]) is None:
            return BadRequest(
                f"column {name!r} contains {_formatted(value)}, which is out of range for type {column.kind}"
            )
    return BadRequest(f"column {name!r} must contain {kind.words}")


def _formatted(value: Any) -> str:
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    text = json.dumps(value, default=str)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


def _may_be_absent(column: Column) -> bool:
    return column.kind in _KINDS and _KINDS[column.kind].may_be_absent


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and (value == value // 1 or abs(value) == inf)


def _number(value: Any) -> bool:
    return isinstance(value, int | float)  # including booleans, because models are trained on them as 1 and 0


def _reals(values: list[Any], dtype: str) -> Array | None:
    import numpy as np

    with np.errstate(over="ignore"):
        array = np.array(values, dtype=np.float64).astype(dtype, copy=False)
    return None if np.isinf(array).any() else array


def _wholes(values: list[Any], dtype: str) -> Array | None:
    import numpy as np

    if float in set(map(type, values)):
        if any(type(value) is float and not value.is_integer() for value in values):
            return None
        values = [int(value) for value in values]
    array = np.array(values, dtype=np.int64)
    limits = np.iinfo(dtype)
    return None if len(array) and (array.min() < limits.min or array.max() > limits.max) else array.astype(dtype)


def _objects(values: list[Any]) -> Array:
    import numpy as np

    return np.array(values, dtype=object)


def _truths(values: list[Any]) -> Array:
    import numpy as np

    return np.array(values, dtype=np.bool_)


_NUMBERS = frozenset[type]({float, int, bool, type(None)})

_KINDS: dict[str, _Kind] = {
    "double": _Kind("numbers", _number, _NUMBERS, partial(_reals, dtype="float64")),
    "float": _Kind("numbers", _number, _NUMBERS, partial(_reals, dtype="float32")),
    "long": _Kind("whole numbers", _is_whole, frozenset({int, float}), partial(_wholes, dtype="int64")),
    "integer": _Kind("whole numbers", _is_whole, frozenset({int, float}), partial(_wholes, dtype="int32")),
    "string": _Kind("texts", lambda value: isinstance(value, str), frozenset({str, type(None)}), _objects),
    "boolean": _Kind("true or false", lambda value: isinstance(value, bool), frozenset({bool}), _truths),
}


def _listed(columns: tuple[Column, ...]) -> str:
    return ", ".join(column.name for column in columns[:50])
