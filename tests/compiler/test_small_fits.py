"""Tests that our validator for small documents accepts exactly what jsonschema-rs accepts."""

from __future__ import annotations

from pathlib import Path
from typing import Final, cast

import pytest

import modelyard_schemas
from modelyard.load import load
from modelyard.shape import Schema
from modelyard.source import Json
from modelyard.validate import rust_fits
from modelyard.validate.small import SmallFits

ROOT: Final = Path(__file__).parents[2]
SYSTEM: Final = cast("Schema", modelyard_schemas.load("system"))

OPEN: Final[Schema] = {"properties": {"a": {"type": "integer"}}, "required": ["a"]}
CHOICE: Final[Schema] = {
    "properties": {"kind": {"type": "string"}},
    "if": {"properties": {"kind": {"const": "big"}, "extra": {}}, "required": ["kind"]},
    "then": {"properties": {"size": {"type": "integer"}}, "required": ["size"]},
    "else": {"properties": {"name": {"type": "string"}}},
}
SCHEMAS: Final[dict[str, Schema]] = {
    "closed": {**OPEN, "additionalProperties": False},
    "typed": {**OPEN, "additionalProperties": {"type": "string"}},
    "closed beside a reference": {"$ref": "#/$defs/open", "unevaluatedProperties": False},
    "closed beside a closed reference": {"$ref": "#/$defs/closed", "unevaluatedProperties": False},
    "closed beside a reference to a part that is closed": {"$ref": "#/$defs/shut", "unevaluatedProperties": False},
    "closed beside a condition": {**CHOICE, "unevaluatedProperties": False},
    "typed beside a condition": {**CHOICE, "unevaluatedProperties": {"type": "integer"}},
    "closed beside a reference with a condition": {"$ref": "#/$defs/choice", "unevaluatedProperties": False},
    "without then": {"if": {"type": "string"}, "else": {"type": "integer"}},
    "names": {"propertyNames": {"pattern": "^[a-z]$"}, "additionalProperties": True},
    "items": {"items": {"$ref": "#/$defs/open"}, "uniqueItems": True, "maxItems": 2},
    "dependent": {"dependentRequired": {"a": ["size", "kind"]}, "minProperties": 1},
    "nothing": {"properties": {"a": False}},
}
DEFINITIONS: Final[Schema] = {
    "open": OPEN,
    "choice": CHOICE,
    "closed": {**OPEN, "additionalProperties": {"type": "integer"}},
    "shut": {"$ref": "#/$defs/choice", "unevaluatedProperties": {"type": "string"}},
}
VALUES: Final[list[Json]] = [
    None, True, 1, 1.0, 1.5, "a", "big", [], {}, {"a": 1}, {"a": 1.0}, {"a": True}, {"a": "1"}, {"a": 1, "b": 2},
    {"a": 1, "b": "c"}, {"kind": "big"}, {"kind": "big", "size": 1}, {"kind": "big", "size": "1"},
    {"kind": "big", "size": 1, "extra": 1}, {"kind": "big", "size": 1, "name": "n"}, {"kind": "small", "name": "n"},
    {"kind": "small", "size": 1}, {"kind": "small", "extra": 1}, {"kind": 1}, {"size": 1}, {"a": 1, "size": 1},
    {"a": 1, "size": 1, "kind": "big"}, {"A": 1}, {"a\n": 1}, [{"a": 1}], [{"a": 1}, {"a": 1.0}], [{"a": 1}, {"a": 2}],
    [{"a": 1}, {"a": 2}, {"a": 3}], [1, True], [1],
]  # fmt: skip


@pytest.mark.parametrize("name", SCHEMAS)
def test_keywords_agree_with_jsonschema_rs(name: str) -> None:
    schema: Schema = {**SCHEMAS[name], "$defs": DEFINITIONS}
    small, rust = SmallFits(schema), rust_fits(schema)

    verdicts = {repr(value): (small(schema, value), rust(schema, value)) for value in VALUES}

    assert {value: verdict for value, verdict in verdicts.items() if verdict[0] != verdict[1]} == {}
    assert len(set(verdicts.values())) == 2  # some values fit, and some do not


def test_specs_of_this_repository_agree_with_jsonschema_rs() -> None:
    """Both validators agree on this repository's wrong specs and examples, as written."""
    small, rust = SmallFits(SYSTEM), rust_fits(SYSTEM)
    files = [*ROOT.glob("examples/*/system.yaml"), *ROOT.glob("tests/failing/*/system.yaml")]
    documents = {path: load(path.read_bytes(), str(path))[0] for path in files}
    values = {path: document.value for path, document in documents.items() if document is not None}

    differ = [path for path, value in values.items() if small(SYSTEM, value) != rust(SYSTEM, value)]

    assert len(values) > 100
    assert differ == []


def test_equal_mappings_are_checked_separately() -> None:
    """Valid mappings are cached by identity and schema, so equal mappings or other schemas are checked again."""
    integer: Schema = {"properties": {"a": {"type": "integer"}}}
    string: Schema = {"properties": {"a": {"type": "string"}}}
    small, value = SmallFits({}), cast("dict[str, Json]", {"a": 1})

    assert small(integer, value)
    assert small(integer, value)
    assert not small(string, value)
    assert not small(integer, {"a": True})
