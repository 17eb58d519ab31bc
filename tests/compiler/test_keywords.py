"""Tests that schema keywords for single values mean the same in our validator as in jsonschema-rs."""

from __future__ import annotations

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.keywords import FITS, has_type, matches, repeated, same
from modelyard.source import Json

VALUES: list[Json] = [
    None,
    True,
    False,
    0,
    1,
    -1,
    1.0,
    1.5,
    2**53,
    "",
    "a",
    "abc\n",
    "10",
    [],
    [1],
    [1, 1],
    [1, True],
    {},
    {"a": 1},
]
ARGUMENTS: dict[str, list[Json]] = {
    "type": ["object", "array", "string", "number", "integer", "boolean", "null", ["integer", "null"]],
    "const": [1, True, "a", [1], {"a": 1.0}],
    "enum": [[1, "a"], [False, None]],
    "pattern": ["^[a-z]+$", "^(a|10)$", "b"],
    "minimum": [1, 1.5],
    "maximum": [1, 0.5],
    "exclusiveMinimum": [1],
    "exclusiveMaximum": [1],
    "minLength": [1, 2],
    "maxLength": [0, 1],
    "minItems": [1],
    "maxItems": [1],
    "minProperties": [1],
    "maxProperties": [0],
    "uniqueItems": [True, False],
}


@pytest.mark.parametrize("keyword", FITS)
def test_keywords_agree_with_the_validator(keyword: str) -> None:
    """Our checks agree with jsonschema-rs for every value and argument."""
    for argument in ARGUMENTS[keyword]:
        validator = jsonschema_rs.Draft202012Validator({keyword: argument})
        for value in VALUES:
            assert FITS[keyword](value, argument) == validator.is_valid(value), (keyword, argument, value)


def test_a_dollar_matches_only_the_end_of_the_text() -> None:
    """Python's `$` would also match before a final line break. An escaped `$` is a literal dollar sign."""
    assert not matches("abc\n", "^[a-z]+$")
    assert matches("a$", r"^a\$$")
    assert not matches("١", r"^\d$")


@pytest.mark.parametrize(("value", "name"), [(2.0, "integer"), (True, "boolean"), (1, "number")])
def test_types_are_those_of_json_schema(value: Json, name: str) -> None:
    """2.0 is an integer, and booleans are not numbers."""
    assert has_type(value, name)
    assert not has_type(value, "string")
    assert not has_type(True, "integer")


@given(
    st.lists(st.sampled_from([1, 1.0, True, "1", None, 0, False]) | st.lists(st.sampled_from([1, True]), max_size=1))
)
def test_repeated_returns_the_position_of_the_second_item(items: list[Json]) -> None:
    """The position of the second of two equal items is returned."""
    at = repeated(items)
    before = [
        position
        for position in range(len(items))
        if any(same(items[position], earlier) for earlier in items[:position])
    ]

    assert at == (before[0] if before else None)
