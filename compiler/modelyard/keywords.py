"""Implement the JSON Schema keywords that check a single value, for both validators in `modelyard.validate`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from modelyard.source import Json

_TYPES: Final[Mapping[str, tuple[object, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}


def has_type(value: Json, name: str) -> bool:
    """Return whether a value has a JSON Schema type. In JSON Schema, 2.0 is an integer, but true is not a number."""
    if name == "integer" and isinstance(value, float):
        return value.is_integer()
    return value.__class__ in _TYPES[name]


def same(left: Json, right: Json) -> bool:
    """Return whether two JSON values are equal as defined by JSON Schema: 1 equals 1.0 but not true."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(same(*pair) for pair in zip(left, right, strict=True))
    return left == right and isinstance(left, bool) == isinstance(right, bool)


def repeated(items: list[Json]) -> int | None:
    """Return the position of the first repeated item, or None if there is none."""
    scalars: set[tuple[bool, Json]] = set()
    containers: list[Json] = []
    for at, item in enumerate(items):
        if isinstance(item, dict | list):
            if any(same(item, other) for other in containers):
                return at
            containers.append(item)
        elif (isinstance(item, bool), item) in scalars:
            return at
        else:
            scalars.add((isinstance(item, bool), item))
    return None


@lru_cache(maxsize=512)
def python_pattern(pattern: str) -> str:
    """Convert a schema pattern for Python's `re`, where `$` would also match before a trailing line break.

    The pattern must not contain `$` inside brackets. Letter and digit classes match only ASCII, as in ECMA-262.
    """
    return "(?a)" + re.sub(r"(?<!\\)\$", r"\\Z", pattern)


def matches(text: str, pattern: str) -> bool:
    """Return whether a string contains a match for a schema pattern."""
    return re.search(python_pattern(pattern), text) is not None


def _type(value: Json, argument: Json) -> bool:
    if isinstance(argument, str):
        return has_type(value, argument)
    return isinstance(argument, list) and any(has_type(value, str(name)) for name in argument)


def _enum(value: Json, argument: Json) -> bool:
    return isinstance(argument, list) and any(same(value, choice) for choice in argument)


def _pattern(value: Json, argument: Json) -> bool:
    return not isinstance(value, str) or matches(value, str(argument))


def _unique(value: Json, argument: Json) -> bool:
    return argument is not True or not isinstance(value, list) or repeated(value) is None


def _number(test: Callable[[float, float], bool]) -> Callable[[Json, Json], bool]:
    def fits(value: Json, argument: Json) -> bool:
        if not isinstance(value, int | float) or isinstance(value, bool) or not isinstance(argument, int | float):
            return True
        return test(value, argument)

    return fits


def _length(kind: type, test: Callable[[float, float], bool]) -> Callable[[Json, Json], bool]:
    def fits(value: Json, argument: Json) -> bool:
        if not isinstance(value, kind) or not isinstance(value, str | list | dict) or not isinstance(argument, int):
            return True
        return test(len(value), argument)

    return fits


def _at_least(value: float, bound: float) -> bool:
    return value >= bound


def _at_most(value: float, bound: float) -> bool:
    return value <= bound


FITS: Final[Mapping[str, Callable[[Json, Json], bool]]] = MappingProxyType(
    {
        "type": _type,
        "const": same,
        "enum": _enum,
        "maxLength": _length(str, _at_most),
        "minLength": _length(str, _at_least),
        "pattern": _pattern,
        "minimum": _number(_at_least),
        "maximum": _number(_at_most),
        "exclusiveMinimum": _number(lambda value, bound: value > bound),
        "exclusiveMaximum": _number(lambda value, bound: value < bound),
        "maxItems": _length(list, _at_most),
        "minItems": _length(list, _at_least),
        "maxProperties": _length(dict, _at_most),
        "minProperties": _length(dict, _at_least),
        "uniqueItems": _unique,
    }
)
"""The check for each keyword. The first failure is reported, and values of other types pass."""
