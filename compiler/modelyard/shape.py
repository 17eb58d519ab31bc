"""Find the subschemas that apply, or could apply, to the value at a path in a document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from modelyard.records import field, record
from modelyard.source import Json

Schema: TypeAlias = "dict[str, Json]"

Conditions: TypeAlias = "tuple[tuple[Schema, bool], ...]"
"""The `if` schemas that lead to a branch, each with True if the value must match it, or False if it must not."""

_NOTHING: Schema = {}


def schema_of(value: Json) -> Schema:
    """Return the schema under a keyword, or an empty schema if the keyword is `true` or missing."""
    return value if isinstance(value, dict) else _NOTHING


def texts(value: Json) -> list[str]:
    """Return a keyword's value that is a list of names."""
    return [str(item) for item in value] if isinstance(value, list) else []


@record
class Excluded:
    """A branch that doesn't apply, with the condition that excluded it.

    `held` means that the condition is true, so its `else` is excluded.
    """

    condition: Schema
    branch: Schema
    held: bool


@record(frozen=False)
class Shape:
    """All schemas that apply to a value, outermost first.

    `possible` holds branches that are undecided because of an error elsewhere. Only the names of their fields are used.
    """

    schemas: list[Schema] = field(default_factory=list[Schema])
    possible: list[Schema] = field(default_factory=list[Schema])
    excluded: list[Excluded] = field(default_factory=list[Excluded])

    def first(self, keyword: str) -> Json:
        """Return the value of a keyword in the outermost schema that has it."""
        return next((schema[keyword] for schema in self.schemas if keyword in schema), None)

    def text(self, keyword: str) -> str:
        """Return the value of a keyword as text, or "" if no schema has it."""
        value = self.first(keyword)
        return value if isinstance(value, str) else ""

    def example(self) -> Json:
        """Return a value that would fit the schema, or None if none is known."""
        examples = self.first("examples")
        constant = self.first("const")
        return examples[0] if isinstance(examples, list) and examples else constant

    @property
    def secret(self) -> bool:
        """Whether the value must not be shown."""
        return any(schema.get("x-secret") is True for schema in self.schemas)

    @property
    def closed(self) -> bool:
        """Whether only known fields are allowed."""
        return any(
            schema.get("additionalProperties") is False or schema.get("unevaluatedProperties") is False
            for schema in self.schemas
        )

    def children(self, name: str) -> list[Schema]:
        """Return the schemas of a field."""
        schemas = [schema_of(fields[name]) for fields in self.fields() if name in fields]
        if schemas:
            return schemas
        additional = (schema.get("additionalProperties") for schema in self.schemas)
        return [child for child in additional if isinstance(child, dict)]

    def fields(self) -> Iterator[Schema]:
        """Yield the `properties` that apply here."""
        for schema in self.schemas:
            yield schema_of(schema.get("properties"))

    def names(self) -> list[str]:
        """Return the names of allowed fields."""
        names = [name for fields in self.fields() for name in fields]
        return list(dict.fromkeys((*names, *branch_names(self.possible))))

    def required(self) -> list[str]:
        """Return the names of required fields."""
        return list(dict.fromkeys(name for schema in self.schemas for name in texts(schema.get("required"))))


def branch_names(branches: Iterable[Schema]) -> Iterator[str]:
    """Yield the names of fields in branches, including nested branches."""
    for branch in branches:
        yield from schema_of(branch.get("properties"))
        yield from branch_names(schema_of(branch.get(part)) for part in ("then", "else") if part in branch)


def conditions_of(name: str, excluded: Excluded, outer: Conditions = ()) -> Iterator[Conditions]:
    """Yield the conditions for each branch that allows a field, outermost first."""
    branch = excluded.branch
    conditions = (*outer, (excluded.condition, not excluded.held))
    if name in schema_of(branch.get("properties")):
        yield conditions
    if "if" in branch:
        condition = schema_of(branch["if"])
        for part, held in (("then", False), ("else", True)):
            if part in branch:
                yield from conditions_of(name, Excluded(condition, schema_of(branch[part]), held), conditions)


def allowed_in(name: str, branch: Schema) -> Schema:
    """Return a field's schema from the branch that allows it, or from a nested branch, or an empty schema."""
    fields = schema_of(branch.get("properties"))
    if name in fields:
        return schema_of(fields[name])
    nested = (allowed_in(name, schema_of(branch[part])) for part in ("then", "else") if part in branch)
    return next((schema for schema in nested if schema), _NOTHING)


def definition(root: Mapping[str, Json], reference: str) -> Schema:
    """Look up a reference within the schema, such as `#/$defs/name`."""
    node: Json = dict(root)
    for step in reference.removeprefix("#").strip("/").split("/"):
        if step:
            node = schema_of(node)[step]
    return schema_of(node)
