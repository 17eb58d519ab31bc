"""Render the spec with overlays, variables and defaults applied, and the origin of each value."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.records import record
from modelyard.shape import Schema, Shape, definition, schema_of, texts
from modelyard.source import Document, Json, Path
from modelyard.validate.faults import Faults
from modelyard.writers.yaml_text import scalar

WITHOUT = "x-default-without"
"""The schema keyword that names a field whose presence disables the default."""


@record
class Line:
    """A line of YAML and the origin of its value, or "" if the line only starts a mapping or list."""

    text: str
    origin: str


def rendered(document: Document, root: Schema) -> tuple[Line, ...]:
    """Render a validated document, one value per line."""
    writer = _Writer(document, root, Faults(root))
    return tuple(writer.mapping(document.value, (), [root], ""))


@record
class _Writer:
    document: Document
    root: Schema
    judge: Faults

    def mapping(self, value: dict[str, Json], path: Path, schemas: list[Schema], indent: str) -> Iterator[Line]:
        shape = self.judge.shape(schemas, value)
        for key, below in value.items():
            yield from self._entry(f"{indent}{scalar(key)}:", below, (*path, key), shape.children(key), indent)
        for key, default in self._defaults(shape, value):
            if default == {}:
                yield from self._absent(f"{indent}{scalar(key)}:", path, shape.children(key), indent)
            else:
                yield Line(f"{indent}{scalar(key)}: {_flow(default)}", "default")

    def _absent(self, head: str, path: Path, schemas: list[Schema], indent: str) -> Iterator[Line]:
        """Render the defaults of the fields of a mapping that is not in the spec."""
        lines = list(self.mapping({}, path, schemas, indent + "  "))
        if lines:
            yield Line(head, "")
            yield from lines

    def _entry(self, head: str, value: Json, path: Path, schemas: list[Schema], indent: str) -> Iterator[Line]:
        if isinstance(value, dict) and value:
            yield Line(head, "")
            yield from self.mapping(value, path, schemas, indent + "  ")
        elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
            yield Line(head, "")
            shape = self.judge.shape(schemas, value)
            items = [schema_of(schema["items"]) for schema in shape.schemas if "items" in schema]
            for at, item in enumerate(value):
                yield from self._item(item, (*path, at), items, indent)
        else:
            yield Line(f"{head} {_flow(value)}", self._origin(path))

    def _item(self, item: Json, path: Path, schemas: list[Schema], indent: str) -> Iterator[Line]:
        if not isinstance(item, dict) or not item:
            yield Line(f"{indent}- {_flow(item)}", self._origin(path))
            return
        first, *rest = self.mapping(item, path, schemas, indent + "  ")
        yield Line(f"{indent}- {first.text[len(indent) + 2 :]}", first.origin)
        yield from rest

    def _defaults(self, shape: Shape, value: dict[str, Json]) -> Iterator[tuple[str, Json]]:
        listed = set(value)
        for fields in shape.fields():
            for key, entry in fields.items():
                default = self._default(schema_of(entry))
                if key not in listed and default is not None and _may_be_written(key, schema_of(entry), shape, value):
                    listed.add(key)
                    yield key, default

    def _default(self, schema: Schema) -> Json:
        if "default" in schema:
            return schema["default"]
        reference = schema.get("$ref")
        return self._default(definition(self.root, reference)) if isinstance(reference, str) else None

    def _origin(self, path: Path) -> str:
        span = self.document.value_span(path)
        return f"{span.file}:{span.line}"


def _may_be_written(key: str, entry: Schema, shape: Shape, value: dict[str, Json]) -> bool:
    """Return whether a field's default may be written, given the fields that it requires and excludes."""
    required = [name for schema in shape.schemas for name in texts(schema_of(schema.get("dependentRequired")).get(key))]
    return value.keys() >= set(required) and entry.get(WITHOUT) not in value


def _flow(value: Json) -> str:
    """Render a value on one line, using brackets, in a form that both YAML and JSON readers accept."""
    if isinstance(value, list):
        return f"[{', '.join(_within_brackets(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_within_brackets(key)}: {_within_brackets(item)}' for key, item in value.items())}}}"
    return scalar(value)


def _within_brackets(value: Json) -> str:
    if isinstance(value, dict | list):
        return _flow(value)
    text = scalar(value)
    unquoted = isinstance(value, str) and text[:1] not in {'"', "'"}
    return f'"{text}"' if unquoted and any(mark in text for mark in ",[]{}") else text
