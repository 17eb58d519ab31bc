"""Registrations compared with Bicep's types, which Microsoft generates from the descriptions of Azure's APIs.

A registration has the names of Pulumi, which takes the object `properties` of an API's body apart; `faults` finds the
place of each value, and what the types say against it: properties that the API does not know or that only Azure sets,
values that no list of values has, wrong types, patterns and bounds, and what is required.

The types are those of the API version that the installed SDK uses for a resource. They are not part of the repository:
`$MODELYARD_BICEP_TYPES` names a checkout of https://github.com/Azure/bicep-types-az.
"""

from __future__ import annotations

import inspect
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias, cast

from tests.stacks.azure.arm import RESOURCES, Arm
from tests.stacks.programs import Registration

Type: TypeAlias = dict[str, Any]

VARIABLE = "MODELYARD_BICEP_TYPES"
_REQUIRED, _READ_ONLY = 1, 2
_VERSION = re.compile(r"Uses Azure REST API version ([0-9]{4}-[0-9]{2}-[0-9]{2}(?:-preview)?)")
_SECRET = "4dabf18193072939515e22adb298388d"
_SUFFIX = "0a1b2c3d"
"""What Pulumi appends to a resource's name where the program gives none."""

_OF_THE_ENVELOPE = frozenset({"id", "type", "apiVersion"})


@dataclass(frozen=True, slots=True)
class Types:
    """The types of one provider of resources in one version."""

    all: list[Type]

    def resolved(self, reference: Mapping[str, str]) -> Type:
        """Return the type that a reference such as `#/12` means."""
        return self.all[int(reference["$ref"].removeprefix("#/"))]


def faults(registration: Registration) -> list[str]:
    """Return what is wrong with a registration of an Azure resource, each with its path in the API's body."""
    arm = RESOURCES.get(registration["type"])
    if arm is None:
        return [f"{registration['type']} is compared with no type"]
    types = types_of(arm.kind.partition("/")[0], version_of(registration["type"]))
    body = _body(types, arm, version_of(registration["type"]))
    given = _plain(registration["inputs"])
    name = given.get(arm.name) or f"{registration['name']}{_SUFFIX}"
    sent = {"name": name, **{key: value for key, value in given.items() if key != arm.name and key not in arm.path}}
    return sorted(_of_object(_renamed(sent, "", arm), body, "", types))


@cache
def version_of(type_: str) -> str:
    """Return the version of the API that the SDK uses for a type of resource, from the comments of its source."""
    _, module, name = type_.split(":")
    resource = getattr(import_module(f"pulumi_azure_native.{module}"), name)
    matched = _VERSION.search(inspect.getsource(inspect.getmodule(resource) or resource))
    assert matched is not None, type_
    return matched[1]


@cache
def types_of(provider: str, version: str) -> Types:
    """Return the types of a provider, such as Microsoft.Storage, in a version."""
    places = Path(os.environ[VARIABLE]).glob(f"generated/*/{provider.lower()}/{version}/types.json")
    merged = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(places)]
    assert merged, f"{provider} {version}"
    return Types(merged[0]) if len(merged) == 1 else Types(_concatenated(merged))


def _concatenated(files: list[list[Type]]) -> list[Type]:
    """Return the types of several files as one list, with their references moved."""
    everything: list[Type] = []
    for types in files:
        everything += _moved(types, by=len(everything))
    return everything


def _moved(types: list[Type], *, by: int) -> list[Type]:
    def moved(match: re.Match[str]) -> str:
        return f'"#/{int(match[1]) + by}"'

    renumbered: list[Type] = json.loads(re.sub(r'"#/(\d+)"', moved, json.dumps(types)))
    return renumbered


def _body(types: Types, arm: Arm, version: str) -> Type:
    wanted = f"{arm.kind}@{version}".lower()
    (resource,) = (each for each in types.all if each["$type"] == "ResourceType" and each["name"].lower() == wanted)
    return types.resolved(resource["body"])


def _plain(value: Any) -> Any:
    """Unwrap secrets, and numbers that the protocol knows as floating-point only."""
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
        sent = arm.reshaped(inner, _renamed(entry, inner, arm))
        body[arm.renames.get(inner, key)] = sent
    return body


def _of_object(value: Mapping[str, Any], schema: Type, path: str, types: Types) -> Iterator[str]:
    properties = _properties(value, schema, types)
    inside = {} if "properties" in value else _flattened(properties, types)
    # what only Azure sets may share its name with something of ours: the type of a pool, or of a role
    properties = {key: each for key, each in properties.items() if not (each["flags"] & _READ_ONLY and key in inside)}
    for key, entry in value.items():
        inner = f"{path}.{key}".lstrip(".")
        if key in properties:
            yield from _of_property(entry, properties[key], inner, types)
        elif key in inside:
            yield from _of_property(entry, inside[key], f"{path}.properties.{key}".lstrip("."), types)
        elif "additionalProperties" in schema:
            yield from _of_value(entry, types.resolved(schema["additionalProperties"]), inner, types)
        else:
            yield f"{inner}: the API knows no such property"
    known = {**inside, **properties}
    for key, described in known.items():
        is_filled = key in value or key in _OF_THE_ENVELOPE or (key == "properties" and inside.keys() & value.keys())
        if described["flags"] & _REQUIRED and not described["flags"] & _READ_ONLY and not is_filled:
            yield f"{f'{path}.{key}'.lstrip('.')}: the API requires it"


def _properties(value: Mapping[str, Any], schema: Type, types: Types) -> dict[str, Any]:
    """Return the properties of an object; an entry of its own may choose among several sets."""
    if schema["$type"] == "ObjectType":
        return dict(schema["properties"])
    chosen = schema["elements"].get(value.get(schema["discriminator"]))
    rest: dict[str, Any] = types.resolved(chosen)["properties"] if chosen else {}
    return {**schema["baseProperties"], **rest}


def _flattened(properties: Mapping[str, Any], types: Types) -> dict[str, Any]:
    """Return what is inside `properties`, which Pulumi writes beside it."""
    if "properties" not in properties:
        return {}
    inner = types.resolved(properties["properties"]["type"])
    return dict(inner["properties"]) if inner["$type"] == "ObjectType" else {}


def _of_property(entry: Any, described: Mapping[str, Any], path: str, types: Types) -> Iterator[str]:
    if described["flags"] & _READ_ONLY:
        yield f"{path}: only Azure sets it"
    yield from _of_value(entry, types.resolved(described["type"]), path, types)


def _of_value(value: Any, schema: Type, path: str, types: Types) -> Iterator[str]:
    kind = schema["$type"]
    if kind == "ArrayType":
        if not isinstance(value, list):
            yield f"{path}: a list, not {value!r}"
            return
        for entry in cast("list[object]", value):
            yield from _of_value(entry, types.resolved(schema["itemType"]), f"{path}[]", types)
    elif kind in {"ObjectType", "DiscriminatedObjectType"}:
        if not isinstance(value, dict):
            yield f"{path}: an object, not {value!r}"
            return
        yield from _of_object(cast("dict[str, object]", value), schema, path, types)
    elif kind == "UnionType":
        yield from _of_union(value, [types.resolved(each) for each in schema["elements"]], path)
    else:
        yield from _of_scalar(value, schema, path)


def _of_union(value: Any, choices: list[Type], path: str) -> Iterator[str]:
    """Compare with a list of values. Most lists are open, but a value of ours should be among those that are known."""
    known = [each["value"] for each in choices if each["$type"] == "StringLiteralType"]
    if value not in known:
        yield f"{path}: {value!r} is none of {', '.join(known)}"


def _of_scalar(value: Any, schema: Type, path: str) -> Iterator[str]:
    kind = schema["$type"]
    whole = isinstance(value, int) and not isinstance(value, bool)
    fits = {
        "AnyType": True,
        "BooleanType": isinstance(value, bool),
        "IntegerType": whole or isinstance(value, float),  # Bicep has no other numbers
        "StringLiteralType": value == schema.get("value"),
        "StringType": isinstance(value, str),
    }
    if not fits[kind]:
        yield f"{path}: {schema.get('value', kind)}, not {value!r}"
        return
    if kind == "StringType":
        length = len(value)
        if not schema.get("minLength", 0) <= length <= schema.get("maxLength", length):
            yield f"{path}: {value!r} has {length} characters"
        if "pattern" in schema and not re.search(schema["pattern"], value):
            yield f"{path}: {value!r} does not match {schema['pattern']}"
    if kind == "IntegerType" and not schema.get("minValue", value) <= value <= schema.get("maxValue", value):
        yield f"{path}: {value!r} is out of bounds"
