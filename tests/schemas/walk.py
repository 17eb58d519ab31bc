"""Walks the spec's schema and yields its locations, or those of the fields in a document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema_rs

import modelyard_schemas
from modelyard.load import load
from modelyard.source import Json

Schema = dict[str, Json]

SYSTEM: Schema = json.loads(modelyard_schemas.text())

_TESTS = Path(__file__).parent.parent

_ONE = ("if", "then", "else", "items", "additionalProperties", "propertyNames")
_MANY = ("$defs", "properties")


def schema_of(value: Json) -> Schema:
    """Return a part of the schema if it is a mapping, or an empty mapping if it is not."""
    return value if isinstance(value, dict) else {}


def places(schema: Schema = SYSTEM, pointer: str = "#") -> Iterator[tuple[str, Schema]]:
    """Yield a schema and every schema nested in it, each with its JSON Pointer."""
    yield pointer, schema
    for keyword in _ONE:
        if isinstance(schema.get(keyword), dict):
            yield from places(schema_of(schema[keyword]), f"{pointer}/{keyword}")
    for keyword in _MANY:
        for name, part in schema_of(schema.get(keyword)).items():
            yield from places(schema_of(part), f"{pointer}/{keyword}/{name}")


def fields() -> dict[str, Schema]:
    """Return the schema of every spec field, keyed by its location in the full schema."""
    return {
        pointer: schema
        for pointer, schema in places()
        if pointer.split("/")[-2:-1] == ["properties"] and "/if/" not in pointer
    }


def at(pointer: str) -> Schema:
    """Return the part of the spec's schema at a JSON Pointer."""
    schema = SYSTEM
    for step in pointer.removeprefix("#").split("/")[1:]:
        schema = schema_of(schema[step])
    return schema


def followed(schema: Schema) -> Schema:
    """Return the schema with its reference resolved. Its own keywords take precedence."""
    reference = schema.get("$ref")
    return {**followed(at(reference)), **schema} if isinstance(reference, str) else schema


def alone(schema: Schema) -> Schema:
    """Return a part of the spec's schema as a standalone schema, including the definitions it refers to."""
    return {"$schema": SYSTEM["$schema"], **schema, "$defs": SYSTEM["$defs"]}


def filled(value: Json, schema: Schema = SYSTEM, pointer: str = "#") -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """Yield the fields contained in a valid value, each with its schema location and its path in the value."""
    reference = schema.get("$ref")
    if isinstance(reference, str):
        yield from filled(value, at(reference), reference)
    if "if" in schema:
        holds = jsonschema_rs.is_valid(alone(schema_of(schema["if"])), value)
        branch = "then" if holds else "else"
        yield from filled(value, schema_of(schema.get(branch)), f"{pointer}/{branch}")
    if isinstance(value, dict):
        yield from _filled_mapping(value, schema, pointer)
    elif isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            for place, path in filled(item, schema_of(schema["items"]), f"{pointer}/items"):
                yield place, (index, *path)


def _filled_mapping(value: Schema, schema: Schema, pointer: str) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    known = schema_of(schema.get("properties"))
    for name, child in value.items():
        if name in known:
            place = f"{pointer}/properties/{name}"
            yield place, (name,)
            children = filled(child, schema_of(known[name]), place)
        else:
            children = filled(child, schema_of(schema.get("additionalProperties")), f"{pointer}/additionalProperties")
        for inner, path in children:
            yield inner, (name, *path)


def valid_specs() -> dict[str, Schema]:
    """Return the specs in `valid/`, and those in `tests/fields` without variables. Together they use every field.

    Until a variable is replaced, it is no valid number.
    """
    specs = {file.stem: _document(file) for file in sorted((_TESTS / "schemas" / "valid").glob("*.yaml"))}
    for file in sorted((_TESTS / "fields").glob("*.yaml")):
        document = _document(file)
        if "${" not in json.dumps(document):
            specs[f"fields/{file.stem}"] = document
    return specs


def _document(file: Path) -> Schema:
    document, diagnostics = load(file.read_text(encoding="utf-8"), file.name)
    assert document is not None, diagnostics
    return document.value
