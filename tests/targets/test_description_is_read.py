"""Nothing is told to a workload that its runtime does not read."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import modelyard_schemas
from modelyard.source import Json

SCHEMA = Path(modelyard_schemas.__path__[0]) / "v1alpha1" / "workload.schema.json"


def declared(schema: Json) -> Iterator[str]:
    """The name of every field that a description may have, at any depth."""
    if isinstance(schema, list):
        for one in schema:
            yield from declared(one)
    if isinstance(schema, dict):
        own = schema.get("properties")
        if isinstance(own, dict):
            yield from own
        for key, one in schema.items():
            yield from declared(list(one.values()) if key == "properties" and isinstance(one, dict) else one)


def texts_of_the_runtime() -> frozenset[str]:
    """Every text that its code has: a field is read by its name."""
    spec = find_spec("modelyard_runtime")
    assert spec is not None
    assert spec.origin is not None
    trees = (ast.parse(path.read_text("utf-8")) for path in Path(spec.origin).parent.rglob("*.py"))
    values = (node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return frozenset(value for value in values if isinstance(value, str))


def test_every_field_of_a_description_has_a_reader() -> None:
    """A field without one is either missing in what is made of it, or does not belong there."""
    fields = set(declared(json.loads(SCHEMA.read_text("utf-8"))))

    assert len(fields) > 100
    assert sorted(fields - texts_of_the_runtime()) == []
