"""The spec schema for editors. It accepts the same documents as the compiler's but gives better completions.

It is derived from the compiler's schema (docs/decisions/0066-editor-schemas.md).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final, cast

import modelyard_schemas
from modelyard.editor.metrics import with_metrics
from modelyard.editor.patches import patches
from modelyard.editor.words import worded
from modelyard.shape import Schema, schema_of, texts
from modelyard.source import Json

_MAPPINGS: Final = ("properties", "$defs")
_SCHEMAS: Final = ("additionalProperties", "items", "then", "else")
_OF_MAPPINGS: Final = frozenset(
    {"properties", "required", "additionalProperties", "unevaluatedProperties", "dependentRequired", "propertyNames"}
)


_OF_TEXT: Final = frozenset({"pattern", "minLength", "maxLength"})


def schema_text(name: str) -> str:
    """Render the editor schema of a `system` or an `environment`, one definition per line."""
    schema = {"system": system_schema, "environment": environment_schema}[name]()
    definitions = schema_of(schema.pop("$defs"))
    head = "".join(f"  {_line(key)}: {_line(value)},\n" for key, value in schema.items())
    lines = ",\n".join(f"    {_line(key)}: {_line(value)}" for key, value in definitions.items())
    return f'{{\n{head}  "$defs": {{\n{lines}\n  }}\n}}\n'


def _line(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def system_schema() -> Schema:
    """Return the editor schema of a spec."""
    judged = cast("Schema", modelyard_schemas.load("system"))
    root = for_editors(judged)
    definitions = {**schema_of(root["$defs"]), **patches(root)}
    schema_of(schema_of(root["properties"])["environments"])["additionalProperties"] = {"$ref": "#/$defs/environment"}
    result: Schema = {**root, "title": judged["title"]}
    return _with_used_definitions(result, definitions)


def environment_schema() -> Schema:
    """Return the editor schema of a file in `environments/`."""
    root = for_editors(cast("Schema", modelyard_schemas.load("system")))
    definitions = {**schema_of(root["$defs"]), **patches(root)}
    result: Schema = {
        "$schema": root["$schema"],
        "$id": str(root["$id"]).replace("system.schema", "environment.schema"),
        "title": "MLSystem environment",
        **schema_of(definitions.pop("environment")),
    }
    return _with_used_definitions(result, definitions)


def _with_used_definitions(root: Schema, definitions: Schema) -> Schema:
    """Return the schema with only those definitions that it uses."""
    with_metrics(definitions)
    used: dict[str, None] = {}
    waiting = list(_references(root))
    while waiting:
        name = waiting.pop()
        if name not in used:
            used[name] = None
            waiting += _references(definitions[name])
    return {**root, "$defs": {name: definition for name, definition in definitions.items() if name in used}}


def _references(part: Json) -> Iterator[str]:
    if isinstance(part, list):
        for child in part:
            yield from _references(child)
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield str(part["$ref"]).removeprefix("#/$defs/")
        for keyword, child in part.items():
            if keyword != "$defs":
                yield from _references(child)


def for_editors(node: Schema) -> Schema:
    """Adapt a schema and all its subschemas for editors."""
    result = worded({key: _part(key, value) for key, value in node.items()})
    return _typed(_without_skeleton(_declared(_counted(_chosen_first(_offered(result))))))


def _part(keyword: str, value: Json) -> Json:
    if keyword in _MAPPINGS:
        return {name: for_editors(schema_of(schema)) for name, schema in schema_of(value).items()}
    if keyword == "propertyNames":  # editors would offer the string `propertyName`
        return {"doNotSuggest": True, "allOf": [worded(schema_of(value))]}
    if keyword == "if":
        return _typed(_declared(schema_of(value)))
    return for_editors(value) if keyword in _SCHEMAS and isinstance(value, dict) else value


def _offered(node: Schema) -> Schema:
    """Move a field out of a `then` branch whose `if` requires that field, so that editors offer it.

    The result accepts the same documents, because the branch applies whenever the field is present.
    """
    condition, then = schema_of(node.get("if")), schema_of(node.get("then"))
    known = schema_of(condition.get("properties"))
    fields = schema_of(then.get("properties"))
    moved: Schema = {
        name: fields[name] for name in texts(condition.get("required")) if known.get(name) is True and name in fields
    }
    if not moved:
        return node
    left: Schema = {name: field for name, field in fields.items() if name not in moved}
    properties: Schema = {**schema_of(node.get("properties")), **moved}
    return {**node, "properties": properties, "then": {**then, "properties": left}}


def _chosen_first(node: Schema) -> Schema:
    """Offer fields that depend on a required choice only once the choice is made."""
    condition = schema_of(node.get("if"))
    chosen: list[Json] = [name for name in texts(condition.get("required")) if name in texts(node.get("required"))]
    if not chosen or node.get("type") != "object":
        return node
    branches: Schema = {key: node[key] for key in ("if", "then", "else") if key in node}
    rest = {key: value for key, value in node.items() if key not in branches}
    return {
        **rest,
        "if": _typed(_declared({"required": chosen})),
        "then": branches,
        "else": _typed({"additionalProperties": True}),
    }


def _counted(node: Schema) -> Schema:
    """Move the maximum number of fields to a subschema, where a half-typed line doesn't break completion."""
    if "maxProperties" not in node or "properties" not in node:
        return node
    return _apart(node, {"maxProperties": node["maxProperties"]})


def _declared(node: Schema) -> Schema:
    """List each required field as a property, as Ajv's strict mode requires."""
    fields = schema_of(node.get("properties"))
    missing: Schema = {name: True for name in texts(node.get("required")) if name not in fields}
    return {**node, "properties": {**fields, **missing}} if missing else node


def _without_skeleton(node: Schema) -> Schema:
    """Move `required` to a subschema, because editors would otherwise offer all required fields as one snippet."""
    if "required" not in node or node.get("properties") == {}:
        return node
    return _apart(node, _declared({"required": node["required"]}))


def _apart(node: Schema, keywords: Schema) -> Schema:
    """Move some of a schema's keywords into a separate subschema."""
    rest = {key: value for key, value in node.items() if key == "properties" or key not in keywords}
    all_of = node.get("allOf")
    apart: Schema = {"type": node.get("type", "object"), **keywords}
    return {**rest, "allOf": [*(all_of if isinstance(all_of, list) else []), apart]}


def _typed(node: Schema) -> Schema:
    """Add the type (object or string), as Ajv's strict mode requires."""
    if "type" in node:
        return node
    if _OF_MAPPINGS & node.keys():
        return {"type": "object", **node}
    return {"type": "string", **node} if _OF_TEXT & node.keys() else node
