"""A diagram's content, independent of any notation: boxes, arrows between boxes, and groups of boxes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final

from modelyard.patterns import pattern
from modelyard.records import record

_UNSAFE: Final = pattern(r"[^a-z0-9]+")


class Shape(StrEnum):
    """The outline of a box."""

    BOX = "box"
    CYLINDER = "cylinder"
    STADIUM = "stadium"
    DOUBLE = "double"
    HEXAGON = "hexagon"
    FLAG = "flag"
    SLANTED = "slanted"


@record
class Box:
    """A box in a diagram. `kind` is meant for programs, and `details` holds the lines below the name."""

    id: str
    shape: Shape
    kind: str
    name: str
    details: tuple[str, ...] = ()
    group: str = ""  # a group's ID

    @property
    def lines(self) -> tuple[str, ...]:
        """The name, followed by the lines below it."""
        return (self.name, *self.details)


@record
class Arrow:
    """An arrow between two boxes, which are given by ID.

    `feedback` marks an effect on an earlier box, e.g. a monitor starting a pipeline. The layout ignores such arrows.
    """

    source: str
    sink: str
    text: str = ""
    dashed: bool = False
    feedback: bool = False


@record
class Picture:
    """A whole diagram. `groups` lists pairs of ID and label in display order."""

    title: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    groups: tuple[tuple[str, str], ...] = ()


class Ids:
    """Creates unique box IDs from a kind and a name, using letters, digits and underscores.

    IDs depend on names rather than positions, so adding a box doesn't change the output lines of others.
    """

    def __init__(self) -> None:
        self._ids: dict[tuple[str, str], str] = {}
        self._taken: set[str] = set()

    def of(self, kind: str, name: str) -> str:
        """Return the ID for the given kind and name. Every call returns the same ID."""
        known = self._ids.get((kind, name))
        if known is not None:
            return known
        base = f"{kind}_{_UNSAFE.sub('_', name.lower()).strip('_')}"
        new_id = next(each for each in _numbered(base) if each not in self._taken)
        self._taken.add(new_id)
        self._ids[kind, name] = new_id
        return new_id


def _numbered(base: str) -> Iterator[str]:
    yield base
    at = 2
    while True:
        yield f"{base}__{at}"
        at += 1


def between_boxes(boxes: Iterable[Box], arrows: Iterable[Arrow]) -> tuple[Arrow, ...]:
    """Return the arrows whose ends are both in the picture, without duplicates."""
    ids = {box.id for box in boxes}
    return tuple(dict.fromkeys(arrow for arrow in arrows if arrow.source in ids and arrow.sink in ids))


def plain(text: str) -> str:
    """Return the text on one line, replacing invisible characters that could affect how other text displays."""
    return text if text.isprintable() else "".join(letter if letter.isprintable() else "�" for letter in text)
