"""Validates calls against botocore's models before they are made: members, enumerations, lengths, patterns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from botocore.model import Shape


def faults(shape: Shape | None, value: Any) -> list[str]:
    """Return the violations of an operation's input model, each with its path."""
    return list(_of(shape, value, "")) if shape is not None else []


def _of(shape: Any, value: Any, at: str) -> Iterator[str]:
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        for name in shape.required_members:
            if name not in value:
                yield f"{at or 'the call'} needs {name}"
        for name, each in value.items():
            if name not in shape.members:
                yield f"{at or 'the call'} knows no {name}; it knows {', '.join(shape.members)}"
            elif each is not None:
                yield from _of(shape.members[name], each, f"{at}.{name}".lstrip("."))
    elif kind == "list" and isinstance(value, list):
        yield from _sized(shape, len(value), at, "entries")
        for position, each in enumerate(value):
            yield from _of(shape.member, each, f"{at}[{position}]")
    elif kind == "map" and isinstance(value, dict):
        for key, each in value.items():
            yield from _of(shape.key, key, f"the key {key!r} of {at}")
            yield from _of(shape.value, each, f"{at}[{key!r}]")
    elif kind == "string" and isinstance(value, str):
        yield from _text(shape, value, at)
    elif kind in ("integer", "long") and isinstance(value, int):
        yield from _sized(shape, value, at, "")


def _text(shape: Any, value: str, at: str) -> Iterator[str]:
    yield from _sized(shape, len(value), at, "characters")
    if shape.enum and value not in shape.enum:
        yield f"{at} is {value!r}, which is none of {', '.join(shape.enum[:20])}"
    expression = _pattern(shape.metadata.get("pattern", ""))
    if expression and not expression.fullmatch(value):
        yield f"{at} is {value!r}, which does not match {expression.pattern}"


def _sized(shape: Any, size: int, at: str, unit: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if (least is not None and size < least) or (most is not None and size > most):
        yield f"{at} has {size} {unit}".rstrip() + f", allowed are {least} to {most}"


@lru_cache
def _pattern(text: str) -> re.Pattern[str] | None:
    """Compile a pattern from the models, which target Java. Returns None if Python doesn't support it."""
    try:
        return re.compile(text) if text else None
    except re.error:
        return None
