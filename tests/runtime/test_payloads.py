"""Rows of a request are taken as they fit the model's signature, or refused with the column that does not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from modelyard_runtime.payloads import BadRequest, fitted, rows_of
from modelyard_runtime.registry import Column

COLUMNS = (Column("amount", "double", True), Column("country", "string", True), Column("age", "long", False))


def ask(content: Any) -> Any:
    """The rows of a request, fitted to the columns above."""
    return fitted(rows_of(json.dumps(content).encode()), COLUMNS)


@pytest.mark.parametrize(
    "content",
    [
        {"instances": [{"country": "ch", "amount": 3, "id": 9}]},
        {"dataframe_records": [{"amount": 3.0, "country": "ch"}]},
        {"dataframe_split": {"columns": ["country", "amount"], "data": [["ch", 3]]}},
    ],
)
def test_three_forms_of_the_same_rows(content: Any) -> None:
    """In the order and types of the signature, without what the model does not know."""
    rows = ask(content)

    assert list(rows.columns) == ["amount", "country"]
    assert rows.iloc[0].tolist() == [3.0, "ch"]
    assert rows["amount"].dtype == "float64"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ([], "must be a JSON object"),
        ({}, "must hold instances"),
        ({"instances": []}, "no row"),
        ({"instances": [[1, 2]]}, "rows of named columns"),
        ({"instances": [{"amount": 1}]}, "column 'country' is missing"),
        ({"instances": [{"amount": "1", "country": "ch"}]}, "column 'amount' must hold numbers"),
        ({"instances": [{"amount": 1, "country": 5}]}, "column 'country' must hold texts"),
        ({"instances": [{"amount": 1, "country": "ch", "age": 1.5}]}, "column 'age' must hold whole numbers"),
        ({"dataframe_split": {"columns": ["amount"], "data": [[1, 2]]}}, "unequal shape"),
        ({"dataframe_split": {"columns": ["amount", "amount"], "data": [[1, 2]]}}, "names a column twice"),
    ],
)
def test_what_does_not_fit_is_refused(content: Any, why: str) -> None:
    with pytest.raises(BadRequest, match=why):
        ask(content)


def test_a_number_may_be_missing_and_no_json_is_a_bad_request() -> None:
    """Models learn from rows with holes; a body that is no JSON is not for any model."""
    assert ask({"instances": [{"amount": None, "country": None}]})["amount"].isna().all()
    with pytest.raises(BadRequest, match="no JSON") as found:
        rows_of(b"{")
    assert found.value.status == 400


@pytest.mark.parametrize("row", [{"amount": 3}, {"amount": 3, "country": None}])
def test_no_text_is_what_a_model_learned_as_none(row: dict[str, Any]) -> None:
    """Training has None where a text is missing; NaN would be a category that the model has never seen."""
    rows = ask({"instances": [row, {"amount": 4, "country": "ch"}]})

    assert list(rows["country"]) == [None, "ch"]


def test_an_optional_column_may_be_absent_from_all_rows() -> None:
    """The model asks for its columns, and has one without values."""
    columns = (Column("amount", "double", False), Column("country", "string", False))

    rows = fitted(rows_of(b'{"instances": [{"id": 1}]}'), columns)

    assert list(rows.columns) == ["amount", "country"]
    assert rows["amount"].dtype == "float64"
    assert rows["amount"].isna().all()
    assert rows["country"].iloc[0] is None


def test_json_that_is_nested_without_end_is_a_bad_request() -> None:
    with pytest.raises(BadRequest) as refused:
        rows_of(b"[" * 100_000)

    assert refused.value.status == 400
