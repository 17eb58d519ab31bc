"""Tests that the runtime's records match the schema and that every field is used."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, fields
from importlib.util import find_spec
from pathlib import Path
from types import UnionType
from typing import Any, cast, get_args, get_origin, get_type_hints

import modelyard_schemas
from modelyard_runtime.workload.decode import Record
from modelyard_runtime.workload.records import OF_TYPE, Workload

PATH = Path(modelyard_schemas.__path__[0]) / "v1alpha1" / "workload.schema.json"
SCHEMA: dict[str, Any] = json.loads(PATH.read_text("utf-8"))


def key_of(field: str) -> str:
    """Return the JSON key for a record's field."""
    first, *others = field.rstrip("_").split("_")
    return first + "".join(word.capitalize() for word in others)


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """Replace a schema's references by the definitions to which they refer."""
    if "$ref" in schema:
        return resolved(SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]])
    return resolved(schema["allOf"][0]) if "allOf" in schema else schema


def within(kind: Any, schema: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return the record type and schema of a field's value, or of its items for a list or mapping."""
    schema, arguments = resolved(schema), get_args(kind)
    if get_origin(kind) is UnionType:
        return within(arguments[0], schema)
    if get_origin(kind) is tuple:
        return within(arguments[0], schema.get("items", {}))
    if get_origin(kind) is Mapping:
        more = schema.get("additionalProperties", {})
        return within(arguments[1], cast("dict[str, Any]", more) if isinstance(more, dict) else {})
    return kind, schema


def differences(
    kind: type[Record], schema: dict[str, Any], outer: frozenset[type[Record]] = frozenset()
) -> Iterator[str]:
    """Yield the fields, at any depth, that only the record or only the schema has or requires.

    `outer` lists the record types that contain this one. A model's base is also a model and is not compared again.
    """
    declared, required = schema["properties"], set(schema.get("required", ()))
    hints = get_type_hints(kind)
    own = {key_of(field.name): field for field in fields(kind) if field.name != "source"}
    yield from (f"{kind.__name__}.{key}" for key in own.keys() ^ declared.keys())
    for key in own.keys() & declared.keys():
        is_required = own[key].default is MISSING and own[key].default_factory is MISSING
        if is_required != (key in required):
            yield f"{kind.__name__}.{key} is required by one of them"
        inner, of_inner = within(hints[own[key].name], declared[key])
        if isinstance(inner, type) and issubclass(inner, Record) and inner not in outer | {kind}:
            yield from differences(inner, of_inner, outer | {kind})


def test_records_match_the_schema() -> None:
    sections = {entry.name for kind in OF_TYPE.values() for entry in fields(kind)} - {
        entry.name for entry in fields(Workload)
    }
    assert sections == {"applications", "pipeline", "monitor", "promotions", "imports", "stages", "requests"}

    for kind in {*OF_TYPE.values()}:
        other = sections - {entry.name for entry in fields(kind)}
        declared = {key: entry for key, entry in SCHEMA["properties"].items() if key not in other}
        required = next(entry.get("required", []) for entry in SCHEMA["oneOf"] if kind in of_types(entry))
        schema = {"properties": declared, "required": [*SCHEMA["required"], *required]}
        assert sorted(differences(kind, schema)) == []


def of_types(choice: dict[str, Any]) -> set[type[Workload]]:
    """Return the record types covered by a branch of the schema."""
    type_schema = choice["properties"]["type"]
    return {OF_TYPE[name] for name in type_schema.get("enum", [type_schema.get("const")])}


def read_by_the_runtime() -> frozenset[str]:
    """Return all attribute names and strings in the runtime's code, excluding the record definitions."""
    spec = find_spec("modelyard_runtime")
    assert spec is not None
    assert spec.origin is not None
    root = Path(spec.origin).parent
    paths = (path for path in root.rglob("*.py") if "records" not in path.parts)
    nodes = [node for path in paths for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return frozenset(texts | {key_of(node.attr) for node in nodes if isinstance(node, ast.Attribute)})


def declared(schema: Any) -> Iterator[str]:
    """Yield the name of every field that a description may have, at any depth."""
    if isinstance(schema, list):
        entries = cast("Sequence[Any]", schema)
        for entry in entries:
            yield from declared(entry)
    if isinstance(schema, dict):
        fields = cast("dict[str, Any]", schema)
        own = fields.get("properties")
        yield from cast("dict[str, Any]", own) if isinstance(own, dict) else ()
        for key, entry in fields.items():
            is_properties = key == "properties" and isinstance(entry, dict)
            yield from declared(list(cast("dict[str, Any]", entry).values()) if is_properties else entry)


def test_every_description_field_is_used() -> None:
    """The runtime uses every field that a description may have."""
    described = set(declared(SCHEMA))

    assert len(described) > 100
    assert sorted(described - read_by_the_runtime()) == []
