"""Tests that the schema documents every field, and that it accepts and refuses values as documented."""

from __future__ import annotations

import copy
import json
import re

import jsonschema
import jsonschema_rs
import pytest

import modelyard_schemas
from modelyard.source import Json
from tests.schemas.changes import with_value
from tests.schemas.validators import SPECS, Judge
from tests.schemas.walk import SYSTEM, alone, at, fields, filled, followed, places, schema_of, valid_specs

VALID = valid_specs()
CHOOSERS = frozenset({"type", "provider", "mode", "strategy", "via", "by", "op", "mirror"})
"""Fields whose value determines which other fields exist, so that they cannot be changed on their own."""


def test_text_and_load_give_the_same_schema() -> None:
    assert modelyard_schemas.load() == json.loads(modelyard_schemas.text("system", "v1alpha1"))
    assert SYSTEM["$id"] == "https://modelyard.dev/schemas/v1alpha1/system.schema.json"


def test_each_call_of_load_returns_a_new_schema() -> None:
    modelyard_schemas.load().clear()

    assert modelyard_schemas.load() == SYSTEM


def test_schema_is_valid_draft_2020_12() -> None:
    jsonschema.Draft202012Validator.check_schema(SYSTEM)

    assert SYSTEM["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_schema_has_no_duplicate_keys() -> None:
    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        assert len({name for name, _ in pairs}) == len(pairs), pairs
        return dict(pairs)

    json.loads(modelyard_schemas.text(), object_pairs_hook=once)


def test_the_schema_is_readable_and_small() -> None:
    """The schema is indented by two spaces per level, has no trailing spaces, and is small enough for an editor."""
    text = modelyard_schemas.text()

    assert len(text) < 190_000
    for line in text.splitlines():
        assert line == line.rstrip()
        assert (len(line) - len(line.lstrip(" "))) % 2 == 0


def test_every_reference_exists_and_every_definition_is_used() -> None:
    references = {str(schema["$ref"]) for _, schema in places() if "$ref" in schema}

    assert references == {f"#/$defs/{name}" for name in schema_of(SYSTEM["$defs"])}


@pytest.mark.parametrize("pointer", fields())
def test_every_field_has_its_own_description(pointer: str) -> None:
    description = fields()[pointer].get("description")

    assert isinstance(description, str)
    assert re.fullmatch(r"(?s)\S.{5,}\.", description), description


@pytest.mark.parametrize("pointer", [pointer for pointer, schema in places() if "pattern" in schema])
def test_patterns_are_documented_and_portable(pointer: str) -> None:
    """Patterns are anchored and use ASCII classes, without lookarounds, backreferences or shorthand classes."""
    schema = at(pointer)
    pattern = schema["pattern"]

    assert isinstance(schema.get("x-expected"), str)
    assert isinstance(pattern, str)
    assert (pattern[0], pattern[-1], pattern.count("$")) == ("^", "$", 1)
    assert pattern.isascii()
    assert not re.search(r"\(\?|\\[a-wyzA-Z0-9]", pattern)


@pytest.mark.parametrize("pointer", fields())
def test_every_scalar_field_has_two_examples(pointer: str) -> None:
    """With two examples, editors can suggest values and tests can change each field on its own."""
    schema = followed(fields()[pointer])
    if schema.get("type") in ("object", "boolean", ["object", "null"]) or "enum" in schema or "const" in schema:
        return
    examples = schema.get("examples")

    assert isinstance(examples, list)
    distinct = {json.dumps(example) for example in examples}
    assert len(distinct) == len(examples)
    assert len(distinct) >= 2 or pointer.endswith(("/space", "/patch"))


@pytest.mark.parametrize(
    "pointer", [pointer for pointer, schema in places() if "default" in schema or "examples" in schema]
)
def test_every_example_and_default_fits_its_place(pointer: str) -> None:
    schema = at(pointer)
    examples = schema.get("examples", [])
    assert isinstance(examples, list)
    judge = Judge(schema)

    for value in [*examples, *([schema["default"]] if "default" in schema else [])]:
        assert judge.places(value) == frozenset(), value


@pytest.mark.parametrize("pointer", [pointer for pointer, schema in places() if schema.get("type") == "object"])
def test_every_mapping_refuses_unknown_fields(pointer: str) -> None:
    schema = at(pointer)
    open_by_nature = "/environment/properties/" in pointer or set(schema) == {"type"}

    closed = schema.get("additionalProperties") is False or schema.get("unevaluatedProperties") is False
    is_map = (
        isinstance(schema.get("additionalProperties"), dict) and "propertyNames" in schema and "maxProperties" in schema
    )
    assert closed or is_map or open_by_nature


@pytest.mark.parametrize("pointer", [pointer for pointer, _ in places()])
def test_every_text_list_and_number_is_bounded(pointer: str) -> None:
    schema = at(pointer)
    if pointer.endswith("/if") or "enum" in schema or "const" in schema:
        return
    types = schema.get("type", [])
    types = types if isinstance(types, list) else [types]

    assert "string" not in types or "maxLength" in schema or _is_finite(str(schema.get("pattern")))
    assert "array" not in types or "maxItems" in schema
    assert (
        not {"number", "integer"} & {str(kind) for kind in types}
        or "maximum" in schema
        or pointer.endswith(
            ("/scalar", "/variable", "/parameterValue")  # users' values, which are limited when they are loaded
        )
    )


def _is_finite(pattern: str) -> bool:
    """Return whether a pattern limits a string's length. Stars and pluses in brackets are literal."""
    return not re.search(r"[*+]", re.sub(r"\\.|\[[^]]*\]", "x", pattern))


@pytest.mark.parametrize("name", VALID)
def test_valid_specs_are_valid(name: str) -> None:
    assert SPECS.places(VALID[name]) == frozenset()


def test_the_valid_specs_use_every_field() -> None:
    seen = {place for spec in VALID.values() for place, _ in filled(spec)}

    assert seen == set(fields())


@pytest.mark.parametrize("name", VALID)
def test_a_field_can_be_changed_alone(name: str) -> None:
    """Every example for a field can replace its value, regardless of other fields."""
    validator = jsonschema_rs.Draft202012Validator(SYSTEM)
    for place, path in filled(VALID[name]):
        for value in _other_values(place):
            spec = with_value(VALID[name], path, value)
            assert validator.is_valid(spec), (path, value)


def _other_values(place: str) -> list[Json]:
    schema = followed(at(place))
    if place.rpartition("/")[2] in CHOOSERS:
        return []
    if schema.get("type") == "boolean":
        return [True, False]
    values = schema.get("enum", schema.get("examples", []))
    return values if isinstance(values, list) else []


def test_ten_thousand_models_fit() -> None:
    """The limits exceed the largest system that the compiler supports."""
    spec = copy.deepcopy(VALID["fraud-detection"])
    for section, copies in (("models", 10_000), ("data", 20_000), ("pipelines", 20_000), ("monitors", 20_000)):
        template = next(iter(schema_of(spec[section]).values()))
        spec[section] = {f"n{number}": template for number in range(copies)}

    assert jsonschema_rs.Draft202012Validator(SYSTEM).is_valid(spec)


def test_secrets_are_marked() -> None:
    """Fields for secret references are marked, so that messages never repeat a secret written there by mistake."""
    for pointer, schema in places():
        if "secret://" in str(schema.get("pattern")):
            assert schema.get("x-secret") is True, pointer


def test_separate_definition_is_the_same_schema() -> None:
    assert jsonschema_rs.is_valid(alone(at("#/$defs/duration")), "45d")
    assert not jsonschema_rs.is_valid(alone(at("#/$defs/duration")), "45")
