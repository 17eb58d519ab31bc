"""Tests that every field's `x-review` in the schema says what a change to it means to a reviewer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final, cast

import pytest

import modelyard_schemas
from modelyard.review.meaning import ABOUT, parsed
from modelyard.source import Json
from tests.schemas.walk import fields

FIELDS: Final = fields()


@pytest.mark.parametrize("pointer", FIELDS)
def test_every_field_is_rated(pointer: str) -> None:
    """A new field needs `"x-review": "ABOUT"` or `"ABOUT: ORDER"`, as documented in modelyard.review.meaning."""
    rating = FIELDS[pointer].get("x-review")

    assert isinstance(rating, str), f"{pointer} has no x-review"
    assert parsed(rating).about in ABOUT


def test_orders_of_values_name_values_of_the_field() -> None:
    """An order such as `cluster<internal<public` lists all of the field's allowed values."""
    for pointer, schema in FIELDS.items():
        order = parsed(str(schema["x-review"])).values
        allowed = schema.get("enum", order)
        assert isinstance(allowed, list | tuple)
        if schema.get("type") != "boolean" and order and "enum" in schema:
            assert {str(value) for value in allowed} == set(order), pointer


def test_fields_without_a_value_have_a_meaning() -> None:
    """An optional ordered number or list declares what its absence means."""
    undeclared = [
        f"{name}: {schema['x-review']}"
        for owner in _schemas(json.loads(modelyard_schemas.text()))
        for name, schema in _properties(owner).items()
        if name not in cast("list[str]", owner.get("required", [])) and "default" not in schema and _is_bound(schema)
        if not parsed(str(schema["x-review"])).absent
    ]

    assert undeclared == []


def _schemas(part: Json) -> Iterator[dict[str, Json]]:
    if isinstance(part, dict):
        yield part
    for child in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _schemas(child)


def _properties(owner: dict[str, Json]) -> dict[str, dict[str, Json]]:
    known = owner.get("properties")
    return (
        {name: schema for name, schema in known.items() if isinstance(schema, dict)} if isinstance(known, dict) else {}
    )


def _is_bound(schema: dict[str, Json]) -> bool:
    rating = schema.get("x-review")
    if not isinstance(rating, str) or schema.get("type") == "object":  # entries are individually added or removed
        return False
    return bool(parsed(rating).direction)


@pytest.mark.parametrize(
    "rating",
    ["", "nonsense", "gate: sideways", "gate:less", "gate: a", "gate: less, more", "gate: absent maybe"],
)
def test_unknown_ratings_are_refused(rating: str) -> None:
    with pytest.raises(ValueError, match="x-review"):
        parsed(rating)


def test_ratings_decide_nothing_that_is_compiled() -> None:
    """The schema digest in the lock stays the same if ratings change."""
    schema = json.loads(modelyard_schemas.text())

    assert json.loads(modelyard_schemas.decisive()) == _without(schema)
    assert "x-review" not in modelyard_schemas.decisive()


def _without(part: Json) -> Json:
    if isinstance(part, list):
        return [_without(child) for child in part]
    if isinstance(part, dict):
        return {key: _without(child) for key, child in part.items() if key != "x-review"}
    return part
