"""What a request carries: rows for a model, checked against its signature before they meet the rows of others."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from modelyard_runtime.datasets import finite
from modelyard_runtime.registry import Column

if TYPE_CHECKING:
    import pandas as pd

FORMS = "instances, dataframe_records or dataframe_split"
MOST_ROWS = 100_000


class BadRequest(Exception):
    """The request cannot be answered as it is; `status` is that of HTTP."""

    def __init__(self, message: str, status: int = 422) -> None:
        super().__init__(message)
        self.status = status


def rows_of(body: bytes) -> pd.DataFrame:
    """The rows of a request: `{"instances": [{"column": value}]}`, or a form that MLflow's own server takes."""
    import pandas as pd

    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as problem:
        raise BadRequest(f"the body is no JSON: {problem}", 400) from None
    if not isinstance(found, dict):
        raise BadRequest(f"the body must be a JSON object with {FORMS}")
    split = found.get("dataframe_split")
    records = found.get("instances", found.get("dataframe_records"))
    try:
        if isinstance(split, dict):
            frame = pd.DataFrame(_lists(split.get("data")), columns=_lists(split.get("columns")), dtype=object)
        elif isinstance(records, list) and all(isinstance(one, dict) for one in records):
            frame = pd.DataFrame(records, dtype=object)
        else:
            raise BadRequest(f"the body must hold {FORMS}, as rows of named columns")
    except ValueError as problem:
        raise BadRequest(f"the rows are of unequal shape: {problem}") from None
    if not len(frame):
        raise BadRequest("the request holds no row")
    if len(frame) > MOST_ROWS:
        raise BadRequest(f"the request holds {len(frame)} rows; {MOST_ROWS} are taken at once", 413)
    if not frame.columns.is_unique:
        raise BadRequest("the request names a column twice")
    return frame


def fitted(frame: pd.DataFrame, columns: Iterable[Column]) -> pd.DataFrame:
    """The columns of the signature, in its order and types, and no others; without a signature all."""
    import pandas as pd

    wanted = tuple(columns)
    if not wanted:
        return frame.infer_objects()
    fit: dict[str, Any] = {}
    for column in wanted:
        if column.name in frame.columns:
            fit[column.name] = _typed(frame[column.name], column)
        elif column.required:
            raise BadRequest(f"column {column.name!r} is missing; the model needs {_listed(wanted)}")
        elif column.kind in _KINDS and _may_be_absent(column):
            fit[column.name] = _typed(pd.Series(None, frame.index, dtype=object), column)
    return pd.DataFrame(fit, index=frame.index)


def _typed(values: pd.Series, column: Column) -> Any:
    import pandas as pd

    if column.kind == "datetime":
        try:
            return pd.to_datetime(values, format="ISO8601")
        except (ValueError, TypeError):
            raise BadRequest(f"column {column.name!r} must hold times as in ISO 8601") from None
    if column.kind not in _KINDS:
        return values.infer_objects()
    fits, words, dtype = _KINDS[column.kind]
    empty = _may_be_absent(column)
    for value in values:
        absent = value is None or value != value  # NaN is what pandas puts where a row lacks the column
        if absent and empty:
            continue
        if absent or not fits(value):
            raise BadRequest(
                f"column {column.name!r} must hold {words}, not {json.dumps(None if absent else value)[:40]}"
            )
    if dtype == "object":  # no text is None in what models learn from, and NaN would be one more category
        return values.astype(object).where(values.notna(), None)
    return finite(values.astype(dtype)) if dtype.startswith("float") else values.astype(dtype)


def _may_be_absent(column: Column) -> bool:
    """Whether a type has something for no value: numbers with a fraction and texts have, others do not."""
    return _KINDS[column.kind][2] in {"float64", "float32", "object"}


def _whole(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and float(value).is_integer()


def _number(value: Any) -> bool:
    return isinstance(value, int | float)  # true and false too: models learn from them as 1 and 0


_KINDS: dict[str, tuple[Callable[[Any], bool], str, str]] = {
    "double": (_number, "numbers", "float64"),
    "float": (_number, "numbers", "float32"),
    "long": (_whole, "whole numbers", "int64"),
    "integer": (_whole, "whole numbers", "int32"),
    "string": (lambda value: isinstance(value, str), "texts", "object"),
    "boolean": (lambda value: isinstance(value, bool), "true or false", "bool"),
}


def _lists(found: Any) -> list[Any]:
    if not isinstance(found, list):
        raise BadRequest("dataframe_split must hold lists `columns` and `data`")
    return found


def _listed(columns: tuple[Column, ...]) -> str:
    return ", ".join(column.name for column in columns[:50])
