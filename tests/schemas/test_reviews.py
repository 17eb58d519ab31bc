"""Tests that every field of the schema declares what a change of it means to a reviewer, as `x-review`."""

from __future__ import annotations

import json
from typing import Final

import pytest

import modelyard_schemas
from modelyard.review.meaning import ABOUT, parsed
from modelyard.source import Json
from tests.schemas.walk import fields

FIELDS: Final = fields()


@pytest.mark.parametrize("pointer", FIELDS)
def test_every_field_is_rated(pointer: str) -> None:
    """A new field needs `"x-review": "ABOUT"` or `"ABOUT: ORDER"`, as modelyard.review.meaning documents them."""
    rating = FIELDS[pointer].get("x-review")

    assert isinstance(rating, str), f"{pointer} has no x-review"
    assert parsed(rating).about in ABOUT


def test_orders_of_values_name_values_of_the_field() -> None:
    """An order such as `cluster<internal<public` lists all values that the field allows."""
    for pointer, schema in FIELDS.items():
        order = parsed(str(schema["x-review"])).values
        allowed = schema.get("enum", order)
        assert isinstance(allowed, list | tuple)
        if schema.get("type") != "boolean" and order and "enum" in schema:
            assert {str(value) for value in allowed} == set(order), pointer


@pytest.mark.parametrize("rating", ["", "nonsense", "gate: sideways", "gate:less", "gate: a", "gate: less, more"])
def test_unknown_ratings_are_refused(rating: str) -> None:
    with pytest.raises(ValueError, match="x-review"):
        parsed(rating)


def test_ratings_decide_nothing_that_is_compiled() -> None:
    """The lock's digest of the schema is the same with other ratings."""
    schema = json.loads(modelyard_schemas.text())

    assert json.loads(modelyard_schemas.decisive()) == _without(schema)
    assert "x-review" not in modelyard_schemas.decisive()


def _without(part: Json) -> Json:
    if isinstance(part, list):
        return [_without(one) for one in part]
    if isinstance(part, dict):
        return {key: _without(one) for key, one in part.items() if key != "x-review"}
    return part
