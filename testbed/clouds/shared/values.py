"""Converts values between the engine's protocol and the cloud's API: plain data, names, and equality."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from google.protobuf import json_format, struct_pb2

Values: TypeAlias = dict[str, Any]
"""Data from the engine or the API. botocore's models define their shape, but Python's types do not."""

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""The engine's marker for a value that is known only after the update. Source: pulumi/sdk rpc, read 2026-11-24."""


def from_struct(struct: struct_pb2.Struct) -> Values:
    """Return plain data in which whole numbers are integers."""
    result: Values = _with_integers(json_format.MessageToDict(struct))
    return result


def to_struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """Return plain data in the protocol's format, without values that are None."""
    struct = struct_pb2.Struct()
    json_format.ParseDict({key: value for key, value in values.items() if value is not None}, struct)
    return struct


def is_unknown(value: Any) -> bool:
    """Return whether a value, or any value nested in it, is only known after the update."""
    if isinstance(value, dict):
        return any(is_unknown(each) for each in value.values())
    if isinstance(value, list):
        return any(is_unknown(each) for each in value)
    return bool(value == UNKNOWN)


def upper(value: Any) -> Any:
    """Convert property names to those of the API, which are capitalized at every depth, omitting None."""
    return _renamed(value, lambda name: name[:1].upper() + name[1:])


def lower(value: Any) -> Any:
    """Convert an API response to the provider's property names, which start in lower case at every depth."""
    return _renamed(value, lambda name: name[:1].lower() + name[1:])


def picked(values: Mapping[str, Any], *names: str) -> Values:
    """Return the named properties that are set, under the API's names."""
    result: Values = upper({name: values[name] for name in names if values.get(name) is not None})
    return result


def same(first: Any, second: Any) -> bool:
    """Return whether the cloud considers values equal: lists in any order, JSON by content, numbers as text."""
    return bool(_canonical(first) == _canonical(second))


def holds(actual: Any, expected: Any) -> bool:
    """Return whether a response contains everything that was requested, and possibly more."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return all(name in actual and holds(actual[name], value) for name, value in expected.items())
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(any(holds(each, want) for each in actual) for want in expected)
    return same(actual, expected)


def settled(declared: Any, requested: Any, response: Any) -> Any:
    """Return the declared property if the API returned the requested value, or the response otherwise."""
    return declared if holds(response, requested) else lower(response)


def tag_list(tags: Mapping[str, str] | None) -> list[Values]:
    """Return tags in the format of most API calls."""
    return [{"Key": key, "Value": value} for key, value in (tags or {}).items()]


def tag_map(tags: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    """Return tags in the provider's format, accepting both of the API's spellings (`Key` and `key`).

    Tags set by AWS are omitted.
    """
    by_key = {tag["Key" if "Key" in tag else "key"]: tag["Value" if "Value" in tag else "value"] for tag in tags or ()}
    return {key: value for key, value in by_key.items() if not key.startswith("aws:")}


def _with_integers(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _with_integers(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_with_integers(each) for each in value]
    return value


def _renamed(value: Any, rename: Any) -> Any:
    if isinstance(value, dict):
        return {rename(key): _renamed(each, rename) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_renamed(each, rename) for each in value]
    return value


def _canonical(value: Any) -> Any:
    if isinstance(value, str):
        if value[:1] in ("{", "["):
            try:
                return _canonical(json.loads(value))
            except ValueError:
                return value
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(int(value)) if value == int(value) else str(value)
    if isinstance(value, dict):
        return {key: _canonical(each) for key, each in value.items() if each not in (None, [], {})}
    if isinstance(value, list):
        return sorted((_canonical(each) for each in value), key=lambda each: json.dumps(each, sort_keys=True))
    return value
