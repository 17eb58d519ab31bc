"""Tests that completions are offered for every field that refers to a name in the spec."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

import pytest

from modelyard.editor.names import SOURCES, Names, address_of, source_of
from modelyard.shape import Schema, definition, schema_of
from modelyard.source import Json
from tests.schemas.walk import SYSTEM

_OF_NAMES = {"#/$defs/name", "#/$defs/alias", "#/$defs/modelReference", "#/$defs/compute"}
_ADDRESS = r"\.[a-z]"
_OWN = {"inference.*.pool"}
"""Names that are defined where they are used and are therefore not references."""


def _paths(schema: Schema, path: tuple[str, ...] = (), depth: int = 0) -> Iterator[tuple[str, Schema]]:
    """Yield every subschema with its path. References are followed, but yielded unresolved."""
    yield ".".join(path), schema
    if depth > 12 or schema.get("$ref") == "#/$defs/parameterValue":
        return
    for part in _parts(schema):
        for name, child in schema_of(part.get("properties")).items():
            yield from _paths(schema_of(child), (*path, name), depth + 1)
        for keyword in ("additionalProperties", "items"):
            if isinstance(part.get(keyword), dict):
                yield from _paths(schema_of(part[keyword]), (*path, "*"), depth + 1)


def _parts(schema: Schema) -> Iterator[Schema]:
    """Yield a schema, the definitions it refers to, and the branches of its alternatives."""
    yield schema
    if isinstance(schema.get("$ref"), str):
        yield from _parts(definition(SYSTEM, str(schema["$ref"])))
    for keyword in ("then", "else"):
        if isinstance(schema.get(keyword), dict):
            yield from _parts(schema_of(schema[keyword]))


PLACES = sorted(
    {
        path
        for path, schema in _paths(SYSTEM)
        if schema.get("$ref") in _OF_NAMES or _ADDRESS in str(schema.get("pattern", ""))
    }
    - _OWN
)


def test_the_schema_has_places_for_names() -> None:
    assert len(PLACES) > 30


@pytest.mark.parametrize("path", [path for path in PLACES if not path.startswith(("moved", "environments"))])
def test_every_place_for_a_name_has_a_source(path: str) -> None:
    steps = tuple(0 if step == "*" else step for step in path.split("."))

    assert source_of(steps) is not None, path


@pytest.mark.parametrize("pattern", SOURCES)
def test_every_source_is_a_place_in_the_schema(pattern: str) -> None:
    assert any(fnmatchcase(path, pattern) for path, _ in _paths(SYSTEM))


def test_names_defined_in_environments_are_found() -> None:
    spec: dict[str, Json] = {"data": {"a": {}}, "environments": {"dev": {"data": {"b": {}}}, "prod": None}}

    assert Names.of(spec, {"data": {"c": {}}}).at("data") == ["a", "c", "b"]


@pytest.mark.parametrize(
    ("path", "text", "address"),
    [
        ("pipelines.train.model", "churn", "models.churn"),
        ("inference.i.variants.v.model", "churn@champion", "models.churn"),
        ("monitors.m.watch", "inference.score", "inference.score"),
        ("monitors.m.watch", "score", None),
        ("pipelines.p.promoteTo", "champion", None),
        ("metadata.name", "churn", None),
    ],
)
def test_a_name_is_resolved_to_its_entry(path: str, text: str, address: str | None) -> None:
    assert address_of(tuple(path.split(".")), text) == address
