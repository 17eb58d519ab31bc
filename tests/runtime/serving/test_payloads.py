"""Tests how a request's rows are converted to the types in the model's signature, or refused."""

from __future__ import annotations

import json
import time
import timeit
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from modelyard_runtime.models.checker import Checker
from modelyard_runtime.registry.client import Column
from modelyard_runtime.serving.payloads import BadRequest, fitted, rows_of

COLUMNS = (Column("amount", "double", True), Column("country", "string", True), Column("age", "long", False))


def ask(content: Any) -> Any:
    """Return the rows of a request, converted to the types of the columns above."""
    return fitted(rows_of(json.dumps(content).encode()), COLUMNS)


@pytest.mark.parametrize(
    "content",
    [
        {"instances": [{"country": "ch", "amount": 3, "id": 9}]},
        {"dataframe_records": [{"amount": 3.0, "country": "ch"}]},
        {"dataframe_split": {"columns": ["country", "amount"], "data": [["ch", 3]]}},
    ],
)
def test_three_request_formats_give_the_same_rows(content: Any) -> None:
    """Columns are reordered and converted to match the signature, and unknown columns are dropped."""
    rows = ask(content)

    assert list(rows.columns) == ["amount", "country"]
    assert rows.iloc[0].tolist() == [3.0, "ch"]
    assert rows["amount"].dtype == "float64"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ([], "must be a JSON object"),
        ({}, "must contain instances"),
        ({"instances": []}, "no row"),
        ({"instances": [[1, 2]]}, "rows of named columns"),
        ({"instances": [{"amount": 1}]}, "column 'country' is missing"),
        ({"instances": [{"amount": "1", "country": "ch"}]}, "column 'amount' must contain numbers"),
        ({"instances": [{"amount": 1, "country": 5}]}, "column 'country' must contain texts"),
        ({"instances": [{"amount": 1, "country": "ch", "age": 1.5}]}, "column 'age' must contain whole numbers"),
        ({"dataframe_split": {"columns": ["amount"], "data": [[1, 2]]}}, "differ in length"),
        ({"dataframe_split": {"columns": ["amount", "amount"], "data": [[1, 2]]}}, "names a column twice"),
    ],
)
def test_invalid_rows_are_refused(content: Any, why: str) -> None:
    with pytest.raises(BadRequest, match=why):
        ask(content)


def test_missing_numbers_are_valid_and_invalid_json_is_refused() -> None:
    """Missing numbers are valid because models are trained on rows with missing values."""
    assert ask({"instances": [{"amount": None, "country": None}]})["amount"].isna().all()
    with pytest.raises(BadRequest, match="not JSON") as refusal:
        rows_of(b"{")
    assert refusal.value.status == 400


@pytest.mark.parametrize("row", [{"amount": 3}, {"amount": 3, "country": None}])
def test_missing_texts_are_none(row: dict[str, Any]) -> None:
    """Missing strings are None, as in training. NaN would be a category the model has never seen."""
    rows = ask({"instances": [row, {"amount": 4, "country": "ch"}]})

    assert list(rows["country"]) == [None, "ch"]


def test_an_optional_column_may_be_absent_from_all_rows() -> None:
    """The model receives all its columns, and the absent column contains nulls."""
    columns = (Column("amount", "double", False), Column("country", "string", False))

    rows = fitted(rows_of(b'{"instances": [{"id": 1}]}'), columns)

    assert list(rows.columns) == ["amount", "country"]
    assert rows["amount"].dtype == "float64"
    assert rows["amount"].isna().all()
    assert rows["country"].iloc[0] is None


def test_deeply_nested_json_is_a_bad_request() -> None:
    with pytest.raises(BadRequest) as refused:
        rows_of(b"[" * 100_000)

    assert refused.value.status == 400


LARGE = "1" + "0" * 399
KINDS = tuple(Column(kind, kind, False) for kind in ("double", "float", "long", "integer"))


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        ("double", LARGE),
        ("double", "9" * 5000),
        ("double", "1e999"),
        ("double", "-Infinity"),
        ("float", LARGE),
        ("float", "1e39"),
        ("float", "1e308"),
        ("long", LARGE),
        ("long", "9" * 5000),
        ("long", str(2**63)),
        ("long", str(-(2**63) - 1)),
        ("long", "1e300"),
        ("integer", str(2**31)),
        ("integer", str(-(2**31) - 1)),
        ("integer", "1e308"),
        ("integer", LARGE),
    ],
)
def test_error_for_a_number_out_of_range_names_the_column(kind: str, sent: str, rows: int) -> None:
    """The error names the column in every body format, even if all other values are valid."""
    row = f'{{"{kind}": 1}}, ' * (rows - 1) + f'{{"{kind}": {sent}}}'
    split = "[1], " * (rows - 1) + f"[{sent}]"
    for body in (
        f'{{"instances": [{row}]}}',
        f'{{"dataframe_split": {{"columns": ["{kind}"], "data": [{split}]}}}}',
    ):
        with pytest.raises(BadRequest, match=f"column '{kind}' (contains .* out of range|must contain)") as refused:
            fitted(rows_of(body.encode()), [column for column in KINDS if column.kind == kind])
        assert refused.value.status == 422


@pytest.mark.parametrize(
    ("kind", "sent"),
    [("long", 2**63 - 1), ("long", -(2**63)), ("integer", 2**31 - 1), ("float", 3.4e38), ("double", 1.7e308)],
)
def test_the_largest_numbers_of_a_type_fit(kind: str, sent: float) -> None:
    body = json.dumps({"instances": [{kind: sent}, {kind: 7}]}).encode()

    rows = fitted(rows_of(body), [column for column in KINDS if column.kind == kind])

    assert rows[kind].iloc[0] == pytest.approx(sent)
    assert rows[kind].iloc[1] == 7


@pytest.mark.parametrize("has_absent", [False, True])
def test_columns_of_all_types_in_any_order(has_absent: bool) -> None:
    """Converting all columns of one type together gives the same result as converting them one by one."""
    kinds = ("double", "string", "long", "boolean", "float", "integer", "string", "double")
    columns = tuple(Column(f"c{at}", kind, False) for at, kind in enumerate(kinds))
    values: dict[str, Any] = {"double": 1, "string": "ch", "long": 3.0, "boolean": True, "float": 2.5, "integer": -4}
    row = {f"c{at}": values[kind] for at, kind in enumerate(kinds)}
    instances = [row, {name: value for name, value in row.items() if not (has_absent and name in ("c0", "c1"))}]

    rows = fitted(rows_of(json.dumps({"instances": instances}).encode()), columns)
    slow = fitted(pd.DataFrame(instances, dtype=object), columns)

    dtypes = ["float64", "object", "int64", "bool", "float32", "int32", "object", "float64"]
    assert [str(dtype) for dtype in rows.dtypes] == dtypes
    assert rows.iloc[0].tolist() == [1.0, "ch", 3, True, 2.5, -4, "ch", 1.0]
    pd.testing.assert_frame_equal(rows, slow, check_index_type=False)


@pytest.mark.parametrize("value", [True, "1", None, 1.5, [1], {}])
def test_values_that_numpy_would_round_are_refused(value: Any) -> None:
    for rows in ([{"age": value}], [{"age": 1}, {"age": value}]):
        with pytest.raises(BadRequest, match="column 'age' must contain whole numbers"):
            fitted(rows_of(json.dumps({"instances": rows}).encode()), (Column("age", "long", True),))


def test_body_may_use_any_json_encoding() -> None:
    """If the fast parser refuses an encoding, Python's parser handles it."""
    content = json.dumps({"instances": [{"amount": 1, "country": "zürich"}]}, ensure_ascii=False)

    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32"):
        assert fitted(rows_of(content.encode(encoding)), COLUMNS)["country"].iloc[0] == "zürich"


def test_too_many_rows_are_refused() -> None:
    with pytest.raises(BadRequest, match="100001 rows") as refused:
        rows_of(b'{"instances": [' + b"{}," * 100_000 + b"{}]}")

    assert refused.value.status == 413


@pytest.mark.parametrize("data", [[[1], [1, 2]], [[1], 5], [[1], {"amount": 1}]])
def test_rows_of_unequal_shape_are_refused(data: Any) -> None:
    with pytest.raises(BadRequest, match="differ in length"):
        rows_of(json.dumps({"dataframe_split": {"columns": ["amount"], "data": data}}).encode())


@pytest.mark.parametrize("columns", [1, 100])
def test_a_wide_row_costs_hardly_more_than_a_narrow_one(columns: int) -> None:
    """A wide row costs little more than a narrow one.

    In an earlier version, 99 more columns took 20 ms. The test compares the times for both rows within one run.
    """
    signature = tuple(Column(f"c{at}", "double", True) for at in range(columns))
    body = json.dumps({"instances": [{column.name: 1.5 for column in signature}]}).encode()
    checker = Checker(signature)

    ours = _seconds(lambda: checker.frame(rows_of(body)))
    usual = _seconds(lambda: pd.DataFrame(json.loads(body)["instances"]))  # the obvious implementation

    assert ours < usual


def _seconds(what: Callable[[], object]) -> float:
    return min(timeit.repeat(what, timer=time.process_time, number=50, repeat=5))
