"""Decodes JSON into frozen records, refusing missing, unknown and mistyped fields.

Fields are read from keys with the same name in camel case. For example, `registered_name` is read from
`registeredName`, and `from_` from `from`, which is a Python keyword. Fields without a default are required.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from difflib import get_close_matches
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.workload.description import Json, Section

_KINDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A part of a description. `source` is its original JSON, used for hashes that other programs compare."""

    source: Section = field(default_factory=dict[str, Json], compare=False, repr=False)


R = TypeVar("R", bound=Record)


def decode(kind: type[R], value: Json | Section, where: str = "") -> R:
    """Decode a record from JSON. `where` is the path of the value in its document, used in error messages."""
    if not isinstance(value, Mapping):
        raise _refusal(where, f"is {value!r}, but must be a mapping")
    record_fields = _fields(cast("Any", kind))
    for key in value:
        if key not in record_fields:
            near = get_close_matches(key, record_fields, 1)
            raise _refusal(_below(where, key), f"is unknown{f'; did you mean {near[0]!r}?' if near else ''}")
    missing = next((key for key, entry in record_fields.items() if entry.required and key not in value), None)
    if missing is not None:
        raise _refusal(_below(where, missing), "is missing")
    arguments = {
        entry.name: _value(entry.kind, value[key], _below(where, key))
        for key, entry in record_fields.items()
        if key in value
    }
    return kind(**arguments, source=value)


@dataclass(frozen=True, slots=True)
class _Field:
    """A record's field: its Python name, its type, and whether its key is required."""

    name: str
    kind: Any  # a type or a generic alias, which have no common type
    required: bool


@cache
def _fields(kind: type[Any]) -> dict[str, _Field]:
    """Return the fields of a record by key."""
    hints = get_type_hints(kind)
    return {
        _key(entry.name): _Field(
            entry.name, hints[entry.name], entry.default is MISSING and entry.default_factory is MISSING
        )
        for entry in fields(kind)
        if entry.name != "source"
    }


def _key(name: str) -> str:
    first, *rest = name.rstrip("_").split("_")
    return first + "".join(word.capitalize() for word in rest)


def _value(kind: Any, value: Json, where: str) -> Any:
    """Convert a value to the declared type of a field."""
    if kind is Any:
        return value
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in {Union, types.UnionType}:  # a type or None, for an optional field
        (kind,) = (item for item in arguments if item is not types.NoneType)
        return _value(kind, value, where)
    if origin is tuple:
        if not isinstance(value, list):
            raise _refusal(where, f"is {value!r}, but must be a list")
        return tuple(_value(arguments[0], item, f"{where}[{index}]") for index, item in enumerate(value))
    if origin is Mapping:
        if not isinstance(value, dict):
            raise _refusal(where, f"is {value!r}, but must be a mapping")
        return {key: _value(arguments[1], item, _below(where, key)) for key, item in value.items()}
    if isinstance(kind, type) and issubclass(kind, Record):
        return decode(kind, value, where)
    return _scalar(kind, value, where)


def _scalar(kind: type[Any], value: Json, where: str) -> Any:
    expected = int | float if kind is float else kind
    if not isinstance(value, expected) or (isinstance(value, bool) and kind is not bool):
        raise _refusal(where, f"is {value!r}, but must be {_KINDS[kind]}")
    return float(cast("float", value)) if kind is float else value


def _below(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _refusal(where: str, problem: str) -> Refusal:
    return Refusal(f"the description of the workload does not fit this runtime: {where or 'it'} {problem}")
