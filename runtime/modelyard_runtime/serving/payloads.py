"""What a request carries: rows for a model, checked against its signature before they meet the rows of others."""

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

_LONGEST_NUMBER = 400  # digits; no type of a column holds as many


def rows_of(body: bytes) -> Rows:
    """The rows of a request: `{"instances": [{"column": value}]}`, or a form that MLflow's own server takes."""
    found = parsed(body)
    split = found.get("dataframe_split")
    records = found.get("instances", found.get("dataframe_records"))
    if isinstance(split, dict):
        rows = _split(split)
    elif isinstance(records, list) and set(map(type, records)) <= {dict}:
        rows = Rows(records)
    else:
        raise BadRequest(f"the body must hold {FORMS}, as rows of named columns")
    if not len(rows):
        raise BadRequest("the request holds no row")
    bounded(len(rows))
    return rows


def bounded(count: int) -> None:
    """Refuse more rows than are taken at once."""
    if count > MOST_ROWS:
        raise BadRequest(f"the request holds {count} rows; {MOST_ROWS} are taken at once", 413)


def parsed(body: bytes) -> dict[str, Any]:
    """The JSON object that a body is."""
    from pydantic_core import from_json

    try:
        found = from_json(body)  # Ray Serve brings it; it takes half the time of Python's own
    except ValueError:
        found = _strictly(body)
    if not isinstance(found, dict):
        raise BadRequest(f"the body must be a JSON object with {FORMS}")
    return found


def _strictly(body: bytes) -> Any:
    """What Python's own parser makes of a body: it also takes UTF-16, and says what is wrong with the others."""
    try:
        try:
            return json.loads(body)
        except (json.JSONDecodeError, UnicodeDecodeError):
            raise
        except ValueError:  # a whole number with more digits than Python reads
            return json.loads(body, parse_int=_whole)
    except (ValueError, RecursionError) as problem:
        raise BadRequest(f"the body is no JSON: {problem}", 400) from None


def fitted(rows: Rows | pd.DataFrame, columns: Iterable[Column]) -> pd.DataFrame:
    """The columns of the signature, in its order and types, and no others; without a signature all."""
    return Checker(columns).frame(rows if isinstance(rows, Rows) else FrameRows(rows))


def _split(split: dict[str, Any]) -> Rows:
    names, records = _list(split.get("columns")), _list(split.get("data"))
    if not all(isinstance(name, str) for name in names):
        raise BadRequest("the columns of dataframe_split must be texts")
    places = {name: place for place, name in enumerate(names)}
    if len(places) < len(names):
        raise BadRequest("the request names a column twice")
    if set(map(type, records)) - {list} or set(map(len, records)) - {len(names)}:
        raise BadRequest(f"the rows are of unequal shape: each of `data` must be a list of {len(names)} values")
    return Rows(records, places)


def _list(found: Any) -> list[Any]:
    if not isinstance(found, list):
        raise BadRequest("dataframe_split must hold lists `columns` and `data`")
    return found


def _whole(digits: str) -> float:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else inf
