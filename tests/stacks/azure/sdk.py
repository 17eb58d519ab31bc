"""Compares registrations with the installed Azure SDK's properties and their known values.

The SDK accepts any string where the API has a list of values, so only Azure would detect a misspelled value. The SDK's
lists come from the same API descriptions as Bicep's types, but through a different generator. They would share Pulumi's
mistakes, and they include neither patterns nor bounds. They are always available, while Bicep's types must be fetched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cache
from importlib import import_module
from typing import Any, Union, cast, get_args, get_origin

from tests.stacks.programs import Registration

_types: Any = import_module("pulumi._types")  # without it, the names of properties are not available at run time
_SECRET = "4dabf18193072939515e22adb298388d"


def faults(registration: Registration) -> list[str]:
    """Return the paths of properties and values in a registration that the SDK doesn't know."""
    _, module_name, name = registration["type"].split(":")
    module = import_module(f"pulumi_azure_native.{module_name}")
    # if the API has a type with the resource's name, its arguments have the shorter name
    arguments = getattr(module, f"{name}InitArgs", None) or getattr(module, f"{name}Args")
    return list(_of_object(registration["inputs"], arguments, ""))


def _of_object(value: Mapping[str, Any], arguments: type, path: str) -> Iterator[str]:
    hints = _hints(arguments)
    for key, entry in value.items():
        inner = f"{path}.{key}".lstrip(".")
        if key not in hints:
            yield f"{inner}: the SDK knows no such property"
        else:
            yield from _of_value(entry, list(_alternatives(hints[key])), inner)


@cache
def _hints(arguments: type) -> Mapping[str, Any]:
    """Return the types of an object's properties. The SDK stores types as strings and evaluates them at each call."""
    hints: Mapping[str, Any] = _types.input_type_types(arguments)
    return hints


def _of_value(value: Any, alternatives: list[Any], path: str) -> Iterator[str]:
    if isinstance(value, list):
        (items,) = (get_args(each)[0] for each in alternatives if _is_list(each))
        for entry in cast("list[object]", value):
            yield from _of_value(entry, list(_alternatives(items)), f"{path}[]")
    elif isinstance(value, dict):
        yield from _of_mapping(cast("dict[str, Any]", value), alternatives, path)
    else:
        known = [member.value for each in alternatives if _is_enum(each) for member in each]
        if known and value not in known:
            yield f"{path}: {value!r} is none of {', '.join(map(str, known))}"


def _of_mapping(value: dict[str, Any], alternatives: list[Any], path: str) -> Iterator[str]:
    if _SECRET in value:
        return
    objects = [each for each in alternatives if isinstance(each, type) and _types.is_input_type(each)]
    if objects:
        # if several types are allowed, an object that fits any of them is accepted
        yield from min((list(_of_object(value, each, path)) for each in objects), key=len)
        return
    (entries,) = (get_args(each)[1] for each in alternatives if get_origin(each) in {Mapping, dict})
    for key, entry in value.items():
        yield from _of_value(entry, list(_alternatives(entries)), f"{path}.{key}")


def _alternatives(hint: Any) -> Iterator[Any]:
    """Yield a value's alternative types, excluding awaitables and outputs."""
    origin = get_origin(hint)
    if origin is Union:
        for each in get_args(hint):
            yield from _alternatives(each)
    elif getattr(origin, "__name__", "") not in {"Awaitable", "Output"}:
        yield hint


def _is_list(hint: Any) -> bool:
    return getattr(get_origin(hint), "__name__", "") in {"Sequence", "list"}


def _is_enum(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Enum)
