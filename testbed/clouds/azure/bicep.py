"""Compares registrations with Bicep's types, which Microsoft generates from Azure's API descriptions.

A registration uses Pulumi's names, and Pulumi flattens the object `properties` in an API request's body. `faults` finds
where each value belongs and reports what the types don't allow there: properties that only Azure sets, values that
aren't in the list of allowed values, wrong types, violated patterns and bounds, and missing properties.

`bicep.json` is an excerpt of the types. It covers the API versions used by the installed SDK and the properties set by
the components. It is written by `python -m tools.list_azure_types`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

from testbed.clouds.azure.arm import RESOURCES, Arm

Registration: TypeAlias = dict[str, Any]

Node: TypeAlias = dict[str, Any]
"""The values that a type allows: `properties` of an object, `items` of a list, `values` or `type` of a scalar. An empty
node allows any value.
"""

TABLE: Final = Path(__file__).with_name("bicep.json")

_VERSION = re.compile(r"Uses Azure REST API version ([0-9]{4}-[0-9]{2}-[0-9]{2}(?:-preview)?)")
_SECRET = "4dabf18193072939515e22adb298388d"
_SUFFIX = "0a1b2c3d"
"""The suffix that Pulumi appends to a resource's name if the program sets no name."""


@cache
def table() -> dict[str, Node]:
    """Return the version and the body of each resource type."""
    types: dict[str, Node] = json.loads(TABLE.read_text(encoding="utf-8"))["types"]
    return types


@cache
def version_of(type_: str) -> str:
    """Return the API version the SDK uses for a resource type, based on comments in the SDK's source."""
    _, module, name = type_.split(":")
    resource = getattr(import_module(f"pulumi_azure_native.{module}"), name)
    source = Path(str(sys.modules[resource.__module__].__file__))
    matched = _VERSION.search(source.read_text(encoding="utf-8"))
    assert matched is not None, type_
    return matched[1]


def faults(registration: Registration) -> list[str]:
    """Return the errors in a registration of an Azure resource, each with its path in the request body."""
    arm = RESOURCES.get(registration["type"])
    if arm is None:
        return [f"{registration['type']} is compared with no type"]
    body = table()[registration["type"]]["body"]
    return sorted(_of_value(_shaped(sent(registration, arm), body), body, ""))


def resource_of(registration: Registration) -> dict[str, Any]:
    """Return a registration as a template resource, with its type, API version and body."""
    arm, entry = RESOURCES[registration["type"]], table()[registration["type"]]
    body: dict[str, Any] = _shaped(sent(registration, arm), entry["body"])
    kind, _, version = str(entry["kind"]).partition("@")
    inputs = registration["inputs"]
    inside = [str(inputs[name]) for name in sorted(arm.path - {"resourceGroupName", "resourceUri", "scope"})]
    return {**body, "type": kind, "apiVersion": version, "name": "/".join([*inside, str(body["name"])])}


def sent(registration: Registration, arm: Arm) -> dict[str, Any]:
    """Return a registration with the API's names, but with the object `properties` still flattened."""
    inputs = _plain(registration["inputs"])
    name = inputs.get(arm.name) or f"{registration['name']}{_SUFFIX}"
    body = {"name": name, **{key: value for key, value in inputs.items() if key != arm.name and key not in arm.path}}
    renamed: dict[str, Any] = _renamed(body, "", arm)
    return renamed


def _plain(value: Any) -> Any:
    """Unwrap secrets, and convert integral floats to integers, which the engine's protocol doesn't have."""
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        return _plain(fields["value"]) if _SECRET in fields else {key: _plain(each) for key, each in fields.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in cast("list[object]", value)]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _renamed(value: Any, path: str, arm: Arm) -> Any:
    if isinstance(value, list):
        return [_renamed(entry, path, arm) for entry in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    body: dict[str, Any] = {}
    for key, entry in cast("dict[str, object]", value).items():
        inner = f"{path}.{key}".lstrip(".")
        body[arm.renames.get(inner, key)] = arm.reshaped(inner, _renamed(entry, inner, arm))
    return body


def _shaped(value: Any, node: Node) -> Any:
    """Return a value with fields, at every depth, moved back into `properties` where the API has them."""
    if isinstance(value, list):
        return [_shaped(entry, node.get("items", {})) for entry in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, Any]", value)
    known = _chosen(fields, node).get("properties", {})
    inner = known.get("properties", {})
    if inner and "properties" not in fields:
        names = {*inner.get("properties", {}), *inner.get("readOnly", ())}
        moved = {key: each for key, each in fields.items() if key in names and key not in known}
        rest = {key: each for key, each in fields.items() if key not in moved}
        fields = {**rest, "properties": moved} if moved else rest
    return {key: _shaped(each, known.get(key, node.get("others", {}))) for key, each in fields.items()}


def _chosen(value: Mapping[str, Any], node: Node) -> Node:
    """Return the node that describes an object. If there are several, it is selected by one of the values."""
    if "by" not in node:
        return node
    chosen: Node = node["choices"].get(value.get(node["by"]), {"properties": {node["by"]: {"values": []}}})
    return chosen


def _of_value(value: Any, node: Node, path: str) -> Iterator[str]:
    if "items" in node:
        if not isinstance(value, list):
            yield f"{path}: a list, not {value!r}"
            return
        for entry in cast("list[object]", value):
            yield from _of_value(entry, node["items"], f"{path}[]")
    elif "properties" in node or "by" in node:
        if not isinstance(value, dict):
            yield f"{path}: an object, not {value!r}"
            return
        fields = cast("dict[str, Any]", value)
        yield from _of_object(fields, _chosen(fields, node), path)
    elif "values" in node:
        # most of Azure's lists are open-ended, but our values should be in them
        if value not in node["values"]:
            yield f"{path}: {value!r} is none of {', '.join(node['values'])}"
    else:
        yield from _of_scalar(value, node, path)


def _of_object(value: Mapping[str, Any], node: Node, path: str) -> Iterator[str]:
    for key, entry in value.items():
        inner = f"{path}.{key}".lstrip(".")
        if key in node["properties"]:
            yield from _of_value(entry, node["properties"][key], inner)
        elif key in node.get("readOnly", ()):
            yield f"{inner}: only Azure sets it"
        elif "others" in node:
            yield from _of_value(entry, node["others"], inner)
        else:
            yield f"{inner}: {TABLE.name} has no such property; python -m tools.list_azure_types adds those of the API"
    inside: Node = node["properties"].get("properties", {}) if "properties" not in value else {}
    required: list[str] = [*node.get("required", ()), *inside.get("required", ())]
    for key in required:
        if key not in value:
            yield f"{f'{path}.{key}'.lstrip('.')}: the API requires it"


def _of_scalar(value: Any, node: Node, path: str) -> Iterator[str]:
    fits = {
        "boolean": isinstance(value, bool),
        "integer": isinstance(value, int | float) and not isinstance(value, bool),  # Bicep has no other number type
        "string": isinstance(value, str),
    }
    kind = node.get("type")
    if kind is not None and not fits[kind]:
        yield f"{path}: {kind}, not {value!r}"
    elif kind == "string":
        text = str(value)
        length = len(text)
        if not node.get("minLength", 0) <= length <= node.get("maxLength", length):
            yield f"{path}: {value!r} has {length} characters"
        if "pattern" in node and not re.search(node["pattern"], text):
            yield f"{path}: {value!r} does not match {node['pattern']}"
    elif kind == "integer" and not node.get("minValue", value) <= value <= node.get("maxValue", value):
        yield f"{path}: {value!r} is out of bounds"
