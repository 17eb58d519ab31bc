"""Decodes a request's rows, which are checked against the model's signature before batching."""

from __future__ import annotations

import json
from collections.abc import Iterable
from math import inf
from typing import TYPE_CHECKING, Any

from modelyard_runtime.models.checker import BadRequest, Checker, FrameRows, Rows
from modelyard_runtime.registry.client import Column

if TYPE_CHECKING:
    import pandas as pd

FORMS = "instances, dataframe_records or dataframe_split"
MOST_ROWS = 100_000

_LONGEST_NUMBER = 400  # maximum number of digits, because no column type can represent more


def rows_of(body: bytes) -> Rows:
    """Decode a request's rows from `{"instances": [{"column": value}]}` or a format of MLflow's own server."""
    document = parsed(body)
    split = document.get("dataframe_split")
    records = document.get("instances", document.get("dataframe_records"))
    if isinstance(split, dict):
        rows = _split(split)
    elif isinstance(records, list) and set(map(type, records)) <= {dict}:
        rows = Rows(records)
    else:
        raise BadRequest(f"the body must contain {FORMS}, as rows of named columns")
    if not len(rows):
        raise BadRequest("the request has no rows")
    bounded(len(rows))
    return rows


def bounded(count: int) -> None:
    """Refuse a request with too many rows."""
    if count > MOST_ROWS:
        raise BadRequest(f"the request has {count} rows; the maximum is {MOST_ROWS}", 413)


def parsed(body: bytes) -> dict[str, Any]:
    """Parse a request body, which must be a JSON object."""
    from pydantic_core import from_json

    try:
        document = from_json(body)  # part of Ray Serve, and twice as fast as Python's own parser
    except ValueError:
        document = _strictly(body)
    if not isinstance(document, dict):
        raise BadRequest(f"the body must be a JSON object with {FORMS}")
    return document


def _strictly(body: bytes) -> Any:
    """Parse a body with Python's own parser, which also accepts UTF-16 and explains errors."""
    try:
        try:
            return json.loads(body)
        except (json.JSONDecodeError, UnicodeDecodeError):
            raise
        except ValueError:  # an integer has more digits than Python can parse
            return json.loads(body, parse_int=_integer)
    except (ValueError, RecursionError) as problem:
        raise BadRequest(f"the body is not JSON: {problem}", 400) from None


def fitted(rows: Rows | pd.DataFrame, columns: Iterable[Column]) -> pd.DataFrame:
    """Convert rows to the signature's columns, in the same order and with the same types.

    Without a signature, all columns are kept.
    """
    return Checker(columns).frame(rows if isinstance(rows, Rows) else FrameRows(rows))


def _split(split: dict[str, Any]) -> Rows:
    names, records = _list(split.get("columns")), _list(split.get("data"))
    if not all(isinstance(name, str) for name in names):
        raise BadRequest("the columns of dataframe_split must be strings")
    places = {name: place for place, name in enumerate(names)}
    if len(places) < len(names):
        raise BadRequest("the request names a column twice")
    if set(map(type, records)) - {list} or set(map(len, records)) - {len(names)}:
        raise BadRequest(f"the rows differ in length: each of `data` must be a list of {len(names)} values")
    return Rows(records, places)


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise BadRequest("dataframe_split must contain lists `columns` and `data`")
    return value


def _integer(digits: str) -> float:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else inf
