"""Describe schema fields by path, such as `inference.*.replicas`, for `explain`."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.flow_text import flow
from modelyard.nearest import nearest_name
from modelyard.records import record
from modelyard.shape import Schema, definition, schema_of
from modelyard.source import Json

ANY = "*"

_ALL_OF = ("allOf", "anyOf", "oneOf")
_BRANCHES = ("then", "else")


@record
class Field:
    """A field of the spec: all schemas that can apply at its path, outermost first."""

    root: Schema
    schemas: tuple[Schema, ...]

    def step(self, name: str) -> Field | None:
        """Return the subfield with the given name, where `*` matches any name or list position, or None."""
        parts = tuple(
            part for schema in self.schemas for child in _children(schema, name) for part in _parts(self.root, child)
        )
        return Field(self.root, parts) if parts else None

    def names(self) -> tuple[str, ...]:
        """Return the names of subfields, in the schema's order."""
        return tuple(dict.fromkeys(name for schema in self.schemas for name in schema_of(schema.get("properties"))))

    def first(self, keyword: str) -> Json:
        """Return the value of a schema keyword in the outermost schema that has the keyword."""
        return next((schema[keyword] for schema in self.schemas if keyword in schema), None)

    def every(self, keyword: str) -> list[Json]:
        """Return the distinct values of a schema keyword in all schemas that have the keyword."""
        values: list[Json] = []
        for schema in self.schemas:
            if keyword in schema and schema[keyword] not in values:
                values.append(schema[keyword])
        return values


def field(root: Schema, path: tuple[str, ...]) -> tuple[Field | None, str]:
    """Return the field at a path, or None with a message about the unknown field and the most similar known field."""
    current = Field(root, tuple(_parts(root, root)))
    for at, name in enumerate(path):
        below = current.step(name)
        if below is None:
            names = current.names()
            near = nearest_name(name, names) if names else None
            place = ".".join(path[:at]) or "the spec"
            return None, f"{place} has no field '{name}'" + (f"; did you mean '{near}'?" if near else "")
        current = below
    return current, ""


def field_lines(address: str, node: Field) -> list[str]:
    """Describe a field: its purpose, its expected values, and its subfields."""
    lines = [f"{address or 'the spec'}: {node.first('description') or 'a field of the spec'}"]
    for label, keyword in (("expected", "x-expected"), ("one of", "enum"), ("always", "const"), ("default", "default")):
        lines += [f"  {label}: {_value_text(value)}" for value in node.every(keyword)[:1]]
    examples = node.first("examples")
    if isinstance(examples, list) and examples:
        lines.append(f"  for example: {', '.join(_value_text(example) for example in examples[:3])}")
    below = [(name, node.step(name)) for name in node.names()]
    if below:
        width = max(len(name) for name, _ in below)
        lines += [
            "",
            "fields:",
            *(f"  {name:<{width}}  {entry.first('description') or ''}" for name, entry in below if entry),
        ]
    elif node.step(ANY) is not None:
        lines += ["", f"its entries: modelyard explain '{address}.{ANY}'"]
    return lines


def _value_text(value: Json) -> str:
    if isinstance(value, str):
        return value
    return ", ".join(map(_value_text, value)) if isinstance(value, list) else flow(value)


def _children(schema: Schema, name: str) -> Iterator[Schema]:
    properties = schema_of(schema.get("properties"))
    if name in properties:
        yield schema_of(properties[name])
        return
    free = schema.get("additionalProperties")
    if isinstance(free, dict):
        yield free
    items = schema.get("items")
    if isinstance(items, dict) and (name == ANY or name.isdigit()):
        yield items


def _parts(root: Schema, schema: Schema) -> Iterator[Schema]:
    """Yield a schema and all schemas that it includes: references, alternatives and conditional branches."""
    yield schema
    reference = schema.get("$ref")
    if isinstance(reference, str):
        yield from _parts(root, definition(root, reference))
    for keyword in _ALL_OF:
        alternatives = schema.get(keyword)
        for part in alternatives if isinstance(alternatives, list) else []:
            yield from _parts(root, schema_of(part))
    for keyword in _BRANCHES:
        if keyword in schema:
            yield from _parts(root, schema_of(schema[keyword]))
