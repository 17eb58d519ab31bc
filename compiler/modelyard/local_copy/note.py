"""What a copy changes, and access to the entries of a spec that has been validated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias, cast

from modelyard.records import record
from modelyard.source import Json

Entry: TypeAlias = "dict[str, Json]"


@record
class Note:
    """An address in the spec, such as `pipelines.retrain`, and what is different in the copy."""

    address: str
    text: str


def entries(spec: Entry, section: str) -> Iterator[tuple[str, Entry]]:
    """Yield the entries of a section with their names. Changing one changes the copy; so does removing it."""
    yield from [(name, value) for name, value in mapping(spec.get(section)).items() if isinstance(value, dict)]


def mapping(value: Json) -> Entry:
    """Return a mapping, or an empty one for any other value."""
    return value if isinstance(value, dict) else {}


def texts(value: Json) -> list[str]:
    """Return the texts of a list."""
    return [entry for entry in value if isinstance(entry, str)] if isinstance(value, list) else []


def section(spec: Entry, name: str) -> Entry:
    """Return a section, which is created if necessary."""
    return cast("Entry", spec.setdefault(name, {}))


def unused(spec: Entry, name: str, wanted: str) -> str:
    """Return the wanted name, or one with a number after it, that no entry of the section has."""
    taken = mapping(spec.get(name))
    names = (wanted, *(f"{wanted}-{number}" for number in range(2, len(taken) + 3)))
    return next(candidate for candidate in names if candidate not in taken)
