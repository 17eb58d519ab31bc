"""Where things were written: source files, spans, and the document that keeps both values and spans."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

Json: TypeAlias = "None | bool | int | float | str | list[Json] | dict[str, Json]"
"""What a spec is made of once it is read: JSON values, integers and finite floats only."""

Path: TypeAlias = tuple[str | int, ...]
"""The way from the root of a document to a value: keys and list positions."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one line of a file: line and columns from 1, the end column one past the last character."""

    file: str
    line: int
    column: int
    end_column: int


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file as it was given: the path in the user's own words, and its text."""

    path: str
    text: str
    lines: tuple[str, ...] = field(repr=False, default=())
