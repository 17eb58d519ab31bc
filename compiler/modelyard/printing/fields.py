"""Describe schema fields by path, such as `inference.*.replicas`, for `explain`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from modelyard.flow_text import flow
from modelyard.nearest import nearest_name
from modelyard.records import record
from modelyard.shape import Schema, definition, schema_of
from modelyard.source import Json

ANY = "*"

_ALL_OF = ("allOf", "anyOf", "oneOf")
_BRANCHES = {"then": True, "else": False}


Condition: TypeAlias = "tuple[str, tuple[str, ...], bool]"
"""A field, some of its values, and whether the field has one of them or none."""

Case: TypeAlias = "tuple[Condition, ...]"
"""The conditions under which part of the schema applies, outermost first."""


@record
class Part:
    """A schema that can apply to a field, and the case in which it does."""

    schema: Schema
    case: Case = ()


@record
class Field:
    """A field of the spec: all schemas that can apply at its path, outermost first."""

    root: Schema
    parts: tuple[Part, ...]

    @property
    def schemas(self) -> tuple[Schema, ...]:
        """The schemas, without the cases in which they apply."""
        return tuple(part.schema for part in self.parts)

    def step(self, name: str, value: Json = None) -> Field | None:
        """Return the subfield with the given name, where `*` matches any name or list position, or None.

        If its value in a spec is given, schemas that do not apply to this value are left out.
        """
        parts = tuple(
            below
            for part in self.parts
            for child in _children(part.schema, name)
            for below in _parts(self.root, child, part.case, value)
        )
        return Field(self.root, parts) if parts else None

    def names(self) -> tuple[str, ...]:
        """Return the names of subfields, in the schema's order."""
        return tuple(dict.fromkeys(name for schema in self.schemas for name in schema_of(schema.get("properties"))))

    def first(self, keyword: str) -> Json:
        """Return the keyword's value in the outermost schema that has it."""
        return next((schema[keyword] for schema in self.schemas if keyword in schema), None)

    def every(self, keyword: str) -> list[Json]:
        """Return the keyword's distinct values across all schemas that have it."""
        values: list[Json] = []
        for schema in self.schemas:
            if keyword in schema and schema[keyword] not in values:
                values.append(schema[keyword])
        return values

    def by_case(self) -> Iterator[tuple[Condition | None, Field]]:
        """Yield the field as it is in each case, with the innermost condition of the case, or None if there is none."""
        cases = dict.fromkeys(part.case for part in self.parts)
        for case in cases:
            if not any(_covers(case, other) and other != case for other in cases):
                parts = tuple(part for part in self.parts if _covers(part.case, case))
                yield case[-1] if case else None, Field(self.root, parts)


def _covers(case: Case, other: Case) -> bool:
    """Return whether a case applies whenever the other one does."""
    return other[: len(case)] == case


def field(root: Schema, path: tuple[str, ...], value: Json = None) -> tuple[Field | None, str]:
    """Return the field at a path, or None with a message about the unknown field and the most similar known field.

    If a spec is given, only the schemas that apply to its values are included.
    """
    current = Field(root, tuple(_parts(root, root, (), value)))
    for at, name in enumerate(path):
        value = value.get(name) if isinstance(value, dict) else None
        below = current.step(name, value)
        if below is None:
            names = current.names()
            near = nearest_name(name, names) if names else None
            place = ".".join(path[:at]) or "the spec"
            return None, f"{place} has no field '{name}'" + (f"; did you mean '{near}'?" if near else "")
        current = below
    return current, ""


def field_lines(address: str, node: Field) -> list[str]:
    """Describe a field: its purpose, its expected values, and its subfields.

    A field that differs between cases, such as between providers, is described for each of them.
    """
    lines: list[str] = []
    for label, own in _distinct(node, _own_lines):
        title = f"{address or 'the spec'}{f', with {label}' if label else ''}"
        lines += [*([""] if lines else []), f"{title}: {own[0]}", *own[1:]]
    below = [(name, node.step(name)) for name in node.names()]
    if below:
        width = max(len(name) for name, _ in below)
        lines += ["", "fields:"]
        for name, entry in below:
            lines += _entry_lines(f"  {name:<{width}}  ", entry) if entry else []
    elif node.step(ANY) is not None:
        lines += ["", f"its entries: modelyard explain '{address}.{ANY}'"]
    return lines


def _own_lines(node: Field) -> tuple[str, ...]:
    """Return the description of a field, and a line for each keyword that describes its values."""
    lines = [str(node.first("description") or "a field of the spec")]
    for label, keyword in (("expected", "x-expected"), ("one of", "enum"), ("always", "const"), ("default", "default")):
        lines += [f"  {label}: {_value_text(value)}" for value in node.every(keyword)[:1]]
    examples = node.first("examples")
    if isinstance(examples, list) and examples:
        lines.append(f"  for example: {', '.join(_value_text(example) for example in examples[:3])}")
    return tuple(lines)


def _entry_lines(name: str, node: Field) -> Iterator[str]:
    """Yield the line of a subfield in a list, or one for each description that it has."""
    for label, (description,) in _distinct(node, _description):
        yield f"{name}{f'with {label}: ' if label else ''}{description}".rstrip()
        name = " " * len(name)


def _description(node: Field) -> tuple[str, ...]:
    return (str(node.first("description") or ""),)


def _distinct(node: Field, describe: Callable[[Field], tuple[str, ...]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each distinct description of a field with the cases that it is for, or "" if there is only one."""
    cases: dict[tuple[str, ...], list[Condition | None]] = {}
    for condition, variant in node.by_case():
        cases.setdefault(describe(variant), []).append(condition)
    for described, conditions in cases.items():
        yield (_label(conditions) if len(cases) > 1 else ""), described


def _label(conditions: Iterable[Condition | None]) -> str:
    """Name the cases in which a description applies, such as `provider azure or gcp`."""
    values: dict[str, list[str]] = {}
    for name, texts, held in (condition for condition in conditions if condition is not None):
        values.setdefault(name, []).extend(texts if held else [f"other than {_either(texts)}"])
    return _either([f"{name} {_either(texts)}" for name, texts in values.items()]) or "anything else"


def _either(texts: Sequence[str]) -> str:
    return " or ".join([*([", ".join(texts[:-1])] if len(texts) > 1 else []), *texts[-1:]])


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


def _parts(root: Schema, schema: Schema, case: Case, value: Json) -> Iterator[Part]:
    """Yield a schema and all schemas that it includes: references, alternatives and conditional branches."""
    yield Part(schema, case)
    reference = schema.get("$ref")
    if isinstance(reference, str):
        yield from _parts(root, definition(root, reference), case, value)
    for keyword in _ALL_OF:
        alternatives = schema.get(keyword)
        for part in alternatives if isinstance(alternatives, list) else []:
            yield from _parts(root, schema_of(part), case, value)
    for keyword, held in _BRANCHES.items():
        if keyword in schema:
            condition = _condition(schema_of(schema.get("if")), held=held)
            if condition is None:
                yield from _parts(root, schema_of(schema[keyword]), case, value)
            elif _may_hold(condition, value):
                yield from _parts(root, schema_of(schema[keyword]), (*case, condition), value)


def _condition(schema: Schema, *, held: bool) -> Condition | None:
    """Return an `if` as a condition, or None if it is not about the value of a single field."""
    fields = schema_of(schema.get("properties"))
    if len(fields) != 1:
        return None
    name, allowed = next(iter(fields.items()))
    values = schema_of(allowed).get("enum", [schema_of(allowed).get("const")])
    texts = tuple(value for value in values if isinstance(value, str)) if isinstance(values, list) else ()
    return (name, texts, held) if texts else None


def _may_hold(condition: Condition, value: Json) -> bool:
    """Return whether a condition holds for a value in a spec, or may hold because the spec does not have the field."""
    name, texts, held = condition
    actual = value.get(name) if isinstance(value, dict) else None
    return actual is None or (actual in texts) == held
