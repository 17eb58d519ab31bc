"""Find completions at the cursor: fields, keywords, and names from the spec."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Final, TypeAlias

from modelyard.editor.cursor import Cursor
from modelyard.editor.names import KEYS, Names, in_base, source_of
from modelyard.editor.schema import environment_schema, system_schema
from modelyard.flow_text import flow
from modelyard.patterns import pattern
from modelyard.records import record
from modelyard.shape import Schema, definition, schema_of
from modelyard.source import Json, Path
from modelyard.substitution import FOR_EACH, LISTS, REPEATED, VARIABLES

Holds: TypeAlias = "Callable[[Schema, Json], bool]"
"""A function that returns whether a value matches the schema of a condition (`if`)."""

_REFERENCE: Final = pattern(r"\$\{[A-Za-z0-9_.-]*$")
_BOOLEANS: Final = ("true", "false")


@record
class Offer:
    """A completion: its kind (`field`, `word` or `name`) and its description.

    The completion replaces the last `replaces` characters before the cursor.
    """

    label: str
    text: str
    kind: str
    replaces: int
    description: str = ""


def offers(cursor: Cursor, value: Json, names: Names, is_environment: bool, holds: Holds) -> tuple[Offer, ...]:
    """Return all completions. `value` is the readable part of the document, without the word at the cursor."""
    started = _REFERENCE.search(cursor.word)
    if started is not None and not cursor.is_key:
        path = cursor.path if is_environment else in_base(cursor.path)
        texts = [text for text in _references(names, path) if text.startswith(started[0])]
        return tuple(Offer(text, text, "name", len(started[0])) for text in texts)
    root = _schema(is_environment)
    schemas = _schemas_at(root, value, cursor.path, holds)
    base = cursor.path if is_environment else in_base(cursor.path)
    completions = (
        _fields(schemas, value, cursor, base, names) if cursor.is_key else _values(schemas, cursor, base, names)
    )
    return tuple({offer.label: offer for offer in reversed([*completions])}.values())[::-1]


def _references(names: Names, path: Path) -> Iterator[str]:
    """Yield references to variables and, in an entry with `forEach`, to the columns of its list."""
    yield from (f"${{vars.{name}}}" for name in names.at(VARIABLES))
    list_name = names.first(*map(str, path[:2]), FOR_EACH) if path[:1] and path[0] in REPEATED else None
    if isinstance(list_name, str):
        rows = names.at(LISTS, list_name, "values")
        columns = dict.fromkeys(
            ("name", *(column for row in rows for column in names.at(LISTS, list_name, "values", row)))
        )
        yield from (f"${{each.{column}}}" for column in columns)


@lru_cache(maxsize=2)
def _schema(is_environment: bool) -> Schema:
    return environment_schema() if is_environment else system_schema()


def _fields(schemas: list[Schema], value: Json, cursor: Cursor, base: Path, names: Names) -> Iterator[Offer]:
    """Yield the keys that can be added to the mapping at the cursor."""
    here = schema_of(_value_at(value, cursor.path))
    replaces = len(cursor.word)
    source = source_of(base, KEYS)
    for name in source.texts(names, base) if source else ():
        if name not in here:
            yield Offer(name, f"{name}: ", "name", replaces)
    for schema in schemas:
        for name, field_schema in schema_of(schema.get("properties")).items():
            if name not in here and isinstance(field_schema, dict):
                yield Offer(name, f"{name}: ", "field", replaces, str(field_schema.get("description", "")))


def _values(schemas: list[Schema], cursor: Cursor, base: Path, names: Names) -> Iterator[Offer]:
    """Yield the strings that can be the value at the cursor."""
    replaces = len(cursor.word)
    source = source_of(base)
    for name in source.texts(names, base) if source else ():
        yield Offer(name, name, "name", replaces)
    for schema in schemas:
        choices = schema.get("enum")
        words = choices if isinstance(choices, list) else [schema["const"]] if "const" in schema else []
        for word in words:
            if word is not None:
                yield Offer(str(word), flow(word), "word", replaces, str(schema.get("description", "")))
        kinds = schema.get("type")
        if kinds == "boolean" or (isinstance(kinds, list) and "boolean" in kinds and "number" not in kinds):
            yield from (Offer(word, word, "word", replaces) for word in _BOOLEANS)
        for snippet in _snippets(schema):
            description = str(snippet.get("description", ""))
            yield Offer(str(snippet["label"]), flow(snippet["body"]), "word", replaces, description)


def _snippets(schema: Schema) -> Iterable[Schema]:
    snippets = schema.get("defaultSnippets")
    return [snippet for snippet in snippets if isinstance(snippet, dict)] if isinstance(snippets, list) else ()


def _schemas_at(root: Schema, value: Json, path: Path, holds: Holds) -> list[Schema]:
    """Return all schemas that apply at a path. They may depend on the values there and in its parents."""
    schemas = [*_applied(root, root, value, holds)]
    for step in path:
        value = _child(value, step)
        below = [child for schema in schemas for child in _below(schema, step)]
        schemas = [part for child in below for part in _applied(root, child, value, holds)]
    return schemas


def _applied(root: Schema, schema: Schema, value: Json, holds: Holds) -> Iterator[Schema]:
    yield schema
    parts: list[Json] = []
    if isinstance(schema.get("$ref"), str):
        parts.append(definition(root, str(schema["$ref"])))
    for keyword in ("allOf", "anyOf"):
        subschemas = schema.get(keyword)
        parts += subschemas if isinstance(subschemas, list) else []
    if "if" in schema:
        matches = holds(schema_of(schema["if"]), value)
        parts.append(schema.get("then" if matches else "else"))
    for part in parts:
        if isinstance(part, dict):
            yield from _applied(root, part, value, holds)


def _below(schema: Schema, step: str | int) -> Iterator[Schema]:
    known = schema_of(schema.get("properties"))
    if isinstance(step, int):
        yield schema_of(schema.get("items"))
    elif step in known:
        yield schema_of(known[step])
    elif isinstance(schema.get("additionalProperties"), dict):
        yield schema_of(schema["additionalProperties"])


def _value_at(value: Json, path: Path) -> Json:
    for step in path:
        value = _child(value, step)
    return value


def _child(value: Json, step: str | int) -> Json:
    if isinstance(value, dict):
        return value.get(str(step))
    return value[step] if isinstance(value, list) and isinstance(step, int) and step < len(value) else None
