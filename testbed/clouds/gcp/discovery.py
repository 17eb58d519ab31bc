"""Compares registrations with Google's discovery documents, which describe the APIs behind the resources.

Registrations use Pulumi's names. `translated` returns the body of the API request, and `faults` returns the errors in
it according to the API's document: properties that are unknown, deprecated or only set by Google, values that aren't in
the list of allowed values, wrong types, formats and patterns, and missing properties that a method requires.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias, cast

from testbed.clouds.gcp.bodies import BODIES, Body

Schema: TypeAlias = dict[str, Any]

_FORMATS = {
    "google-datetime": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z",
    "google-duration": r"-?\d+(\.\d{1,9})?s",
    "int64": r"-?\d+",
    "uint64": r"\d+",
}
_BOUNDS = {"int32": (-(2**31), 2**31 - 1), "uint32": (0, 2**32 - 1), "uint16": (0, 2**16 - 1)}
_REQUIRED = re.compile(r"(Required\.|REQUIRED\.)")
_DEPRECATED = re.compile(r"(Deprecated|DEPRECATED)\b")
_SUFFIX = "-0a1b2c3"
"""The suffix that Pulumi appends to a resource's name if the program sets no name."""


def faults(registration: Mapping[str, Any]) -> list[str]:
    """Return the errors in a registration of a Google resource, each with its path in the API's body."""
    api = BODIES.get(registration["type"])
    if api is None:
        return [f"{registration['type']} is compared with no document"]
    if not api.schema:
        return []
    document = discovery(api.document)
    body = translated(registration, api)
    return sorted(_of_object(body, document["schemas"][api.schema], "", document, api))


def translated(registration: Mapping[str, Any], api: Body) -> dict[str, Any]:
    """Return a registration as the body of an API request."""
    inputs = _plain(registration["inputs"])
    if api.auto_named and "name" not in inputs:
        inputs = {**inputs, "name": f"{registration['name']}{_SUFFIX}"}
    body: dict[str, Any] = _renamed(inputs, "", api)
    return body


@cache
def discovery(name: str) -> dict[str, Any]:
    """Return a discovery document, such as `container.v1`."""
    package = find_spec("googleapiclient")
    if package is None or package.origin is None:
        raise RuntimeError("google-api-python-client is not installed")
    path = Path(package.origin).parent / "discovery_cache" / "documents" / f"{name}.json"
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def _plain(value: Any) -> Any:
    """Unwrap secrets, and convert integral floats to integers, which the engine's protocol doesn't have."""
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        if "4dabf18193072939515e22adb298388d" in fields:
            return _plain(fields["value"])
        return {key: _plain(entry) for key, entry in fields.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in cast("list[object]", value)]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _renamed(value: Any, path: str, api: Body) -> Any:
    if isinstance(value, list):
        return [_renamed(entry, path, api) for entry in cast("list[object]", value)]
    if not isinstance(value, dict):
        renamed = api.values.get(path, {}).get(value, value) if isinstance(value, str) else value
        return [renamed] if path in api.lists else renamed
    body: dict[str, Any] = {}
    for key, entry in cast("dict[str, object]", value).items():
        inner = f"{path}.{key}".lstrip(".")
        target = api.renames.get(inner, key)
        if target is not None:
            renamed = _renamed(entry, inner, api)
            _put(body, target.split(".") if inner in api.renames else [key], renamed)
    return body


def _put(body: dict[str, Any], path: list[str], value: Any) -> None:
    *parents, last = path
    for parent in parents:
        body = body.setdefault(parent, {})
    merged = isinstance(value, dict) and isinstance(body.get(last), dict)
    body[last] = {**body[last], **value} if merged else value


def _of_object(
    value: Mapping[str, Any], schema: Schema, path: str, document: dict[str, Any], api: Body
) -> Iterator[str]:
    properties: dict[str, Schema] = schema.get("properties", {})
    for key, entry in value.items():
        inner = f"{path}.{key}".lstrip(".")
        if key in properties:
            yield from _of_property(entry, properties[key], inner, document, api)
        elif "additionalProperties" in schema:
            yield from _of_value(entry, schema["additionalProperties"], inner, document, api)
        else:
            yield f"{inner}: the API knows no such property"
    for key, inner_schema in properties.items():
        inner = f"{path}.{key}".lstrip(".")
        if key not in value and inner not in api.elsewhere and _is_required(inner_schema, api):
            yield f"{inner}: the API requires it"


def _of_property(entry: Any, schema: Schema, path: str, document: dict[str, Any], api: Body) -> Iterator[str]:
    description = schema.get("description", "")
    if schema.get("readOnly") or description.startswith("Output only"):
        yield f"{path}: only Google sets it"
    if schema.get("deprecated") or _DEPRECATED.match(description):
        yield f"{path}: deprecated"
    yield from _of_value(entry, schema, path, document, api)


def _of_value(value: Any, schema: Schema, path: str, document: dict[str, Any], api: Body) -> Iterator[str]:
    if "$ref" in schema:
        schema = document["schemas"][schema["$ref"]]
    kind = schema.get("type")
    if kind == "array":
        if not isinstance(value, list):
            yield f"{path}: a list, not {value!r}"
            return
        for entry in cast("list[object]", value):
            yield from _of_value(entry, schema["items"], f"{path}[]", document, api)
        return
    if kind == "object":
        # the provider wraps single objects in lists
        only = _only(value)
        if not isinstance(only, dict):
            yield f"{path}: an object, not {value!r}"
            return
        yield from _of_object(cast("dict[str, object]", only), schema, path, document, api)
        return
    yield from _of_scalar(value, schema, path)


def _only(value: object) -> object:
    """Return the entry of a list with one entry, or the value itself."""
    if not isinstance(value, list):
        return value
    entries = cast("list[object]", value)
    return entries[0] if len(entries) == 1 else entries


def _of_scalar(value: Any, schema: Schema, path: str) -> Iterator[str]:
    kind, form = schema.get("type"), schema.get("format", "")
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    fits = {
        "any": True,
        "boolean": isinstance(value, bool),
        "integer": is_integer,
        "number": is_integer or isinstance(value, float),
        # 64-bit integers are strings in JSON, but numbers in the provider
        "string": isinstance(value, str) or (is_integer and form in {"int64", "uint64"}),
    }
    if not fits[str(kind)]:
        yield f"{path}: {kind}, not {value!r}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is none of {', '.join(schema['enum'])}"
    if form in _BOUNDS and not _BOUNDS[form][0] <= int(value) <= _BOUNDS[form][1]:
        yield f"{path}: {value!r} is out of bounds"
    for pattern in (_FORMATS.get(form), schema.get("pattern")):
        if pattern is not None and not re.fullmatch(pattern, str(value)):
            yield f"{path}: {value!r} does not match {pattern}"


def _is_required(schema: Schema, api: Body) -> bool:
    if schema.get("readOnly"):
        return False
    methods = schema.get("annotations", {}).get("required", [])
    return api.method in methods or bool(_REQUIRED.match(schema.get("description", "")))


def identifiers(registration: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the values in a registration that refer to other resources, and the pattern required by the API."""
    for path, text in _texts(_plain(registration["inputs"]), ""):
        for pattern, (document, resource, method, parameter) in _NAMED.items():
            if re.search(pattern, path):
                yield f"{path}: {text}", _parameter(document, resource, method, parameter)


_NAMED = {
    r"([kK]msKey|[kK]eyName|cryptoKeyId|encryptionKeyName)": (
        "cloudkms.v1",
        "projects.locations.keyRings.cryptoKeys",
        "get",
        "name",
    ),
    r"notificationChannels\[\]": ("monitoring.v3", "projects.notificationChannels", "get", "name"),
    r"keyRing$": ("cloudkms.v1", "projects.locations.keyRings", "get", "name"),
}
"""Patterns for the paths of properties that contain full resource names, each with the API method and parameter that
define the names' format.
"""


def _parameter(document: str, resource: str, method: str, parameter: str) -> str:
    node = discovery(document)
    for part in resource.split("."):
        node = node["resources"][part]
    pattern: str = node["methods"][method]["parameters"][parameter]["pattern"]
    return pattern


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, entry in cast("dict[str, object]", value).items():
            yield from _texts(entry, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for entry in cast("list[object]", value):
            yield from _texts(entry, f"{path}[]")
    elif isinstance(value, str):
        yield path, value
