"""The schema of an environment, in which all fields of a spec are optional and null deletes a field.

Which fields apply may depend on a value in the base, so the fields of all branches are allowed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.shape import Schema, schema_of, texts
from modelyard.source import Json

_SUFFIX: Final = "Patch"
_BRANCHES: Final = ("then", "else")
_OF_SCALARS: Final = (
    "description", "default", "enum", "const", "pattern", "minimum", "maximum", "exclusiveMinimum", "minLength",
    "maxLength", "errorMessage", "patternErrorMessage", "defaultSnippets", "anyOf",
)  # fmt: skip
_OF_LISTS: Final = ("items", "minItems", "maxItems", "uniqueItems")


def patches(root: Schema) -> Schema:
    """Return the schema `environment` and a patch schema `NAMEPatch` for each definition. Lists are not merged."""
    definitions = schema_of(root["$defs"])
    original = schema_of(definitions["environment"])
    sections = schema_of(original["properties"])
    patcher = _Patches(definitions)
    fields = {name: patcher.patch(schema_of(schema_of(root["properties"])[name])) for name in sections}
    for name, section in fields.items():
        if schema_of(sections[name])["type"] == "object":
            section["type"] = "object"  # an environment cannot delete a required field
    patched: Schema = {
        f"{name}{_SUFFIX}": patcher.patch(schema_of(definition)) for name, definition in definitions.items()
    }
    environment: Schema = {**original, "properties": {**fields}}
    return {**patched, "environment": environment}


class _Patches:
    """Creates patch schemas from schemas that refer to the given definitions."""

    def __init__(self, definitions: Schema) -> None:
        self._definitions = definitions

    def patch(self, node: Schema) -> Schema:
        """Return the schema for patches to values that match the given schema."""
        if node.keys() <= {"$ref", "description", "default"} and "$ref" in node:
            return {**node, "$ref": f"{node['$ref']}{_SUFFIX}"}
        parts = list(self._parts(node))
        result: Schema = {}
        for part in reversed(parts):
            result |= {key: part[key] for key in (*_OF_SCALARS, *_OF_LISTS) if key in part}
        types = dict.fromkeys(next((part_types for part in parts if (part_types := _types(part))), ()))
        fields = self._fields(parts)
        if fields or any("additionalProperties" in part for part in parts):
            types["object"] = None
            additional = [schema for part in parts if isinstance(schema := part.get("additionalProperties"), dict)]
            result["properties"] = fields
            result["additionalProperties"] = self.patch(additional[0]) if additional else False
            if additional:
                result |= {key: part[key] for part in parts for key in ("propertyNames",) if key in part}
        if types:
            result["type"] = [*types, *(["null"] if "null" not in types else [])]
        choices = result.get("anyOf")
        if isinstance(choices, list):
            result["anyOf"] = [*choices, {"type": "null"}]
        return result

    def _parts(self, node: Schema) -> Iterator[Schema]:
        """Yield all schemas that may apply to the same value, outermost first."""
        yield node
        reference = node.get("$ref")
        if isinstance(reference, str):
            yield from self._parts(schema_of(self._definitions[reference.removeprefix("#/$defs/")]))
        for branch in _BRANCHES:
            if branch in node:
                yield from self._parts(schema_of(node[branch]))

    def _fields(self, parts: list[Schema]) -> Schema:
        """Merge the fields of several schemas. A field defined in more than one accepts values of any of them."""
        choices_by_name: dict[str, list[Json]] = {}
        for part in parts:
            for name, field in schema_of(part.get("properties")).items():
                if isinstance(field, dict):
                    patch = self.patch(field)
                    if patch not in choices_by_name.setdefault(name, []):
                        choices_by_name[name].append(patch)
        return {name: _any_of(choices) for name, choices in choices_by_name.items()}


def _types(node: Schema) -> tuple[str, ...]:
    declared = node.get("type")
    return (declared,) if isinstance(declared, str) else tuple(texts(declared))


def _any_of(choices: list[Json]) -> Json:
    first = schema_of(choices[0])
    if len({str(_bare(choice)) for choice in choices}) == 1:
        return first
    return {"description": first.get("description", ""), "anyOf": choices}


def _bare(choice: Json) -> Schema:
    return {key: value for key, value in schema_of(choice).items() if key != "description"}
