"""A note about a change in a copy, and access to the entries of a validated spec."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias, cast

from modelyard.records import record
from modelyard.source import Json

Entry: TypeAlias = "dict[str, Json]"


@record
class Note:
    """An address in the spec, such as `pipelines.retrain`, and how the copy differs there."""

    address: str
    text: str


def entries(spec: Entry, section: str) -> Iterator[tuple[str, Entry]]:
    """Yield the name and content of each entry in a section. Changes to an entry change the copy."""
    yield from [(name, value) for name, value in mapping(spec.get(section)).items() if isinstance(value, dict)]


def mapping(value: Json) -> Entry:
    """Return a mapping, or an empty one for any other value."""
    return value if isinstance(value, dict) else {}


def texts(value: Json) -> list[str]:
    """Return the strings in a list."""
    return [entry for entry in value if isinstance(entry, str)] if isinstance(value, list) else []


def section(spec: Entry, name: str) -> Entry:
    """Return a section, creating it if it does not exist."""
    return cast("Entry", spec.setdefault(name, {}))


def unused(spec: Entry, name: str, preferred: str) -> str:
    """Return the preferred name, with a number appended if another entry in the section already has it."""
    taken = mapping(spec.get(name))
    names = (preferred, *(f"{preferred}-{number}" for number in range(2, len(taken) + 3)))
    return next(candidate for candidate in names if candidate not in taken)
