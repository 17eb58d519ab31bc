"""Find where a spec uses site values, and how serious changing such a value can be."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.review.changes import rating_of
from modelyard.review.findings import Level
from modelyard.review.meaning import parsed
from modelyard.review.rules.meanings import looser_level
from modelyard.sites.binding import filled, has_markers
from modelyard.sites.groups import Group
from modelyard.source import Json, Path
from modelyard.stages import Outcome


def fields_using(outcome: Outcome, group: Group, column: str) -> tuple[Path, ...]:
    """Return the paths of the fields that contain a column's marker."""
    if outcome.bound is None or outcome.document is None or group.name not in outcome.bound.bindings:
        return ()
    marked = outcome.bound.bindings[group.name].marked
    paths: list[Path] = []
    for path, text in _texts(outcome.document.value, ()):
        columns: set[str] = set()

        def note(_: str, used: tuple[str, ...], columns: set[str] = columns) -> str:
            columns.update(used)
            return ""

        filled(text, {marked.group: marked}, note)
        if column in columns:
            paths.append(path)
    return tuple(paths)


def worst_level(fields: tuple[Path, ...]) -> Level:
    """Return the level of the worst change that loosens one of the given fields, but at least REVIEW.

    The actual direction isn't considered, because the values of several sites can change in different directions, and
    strings such as address ranges have no order.
    """
    levels = (looser_level(parsed(rating_of(tuple(map(str, path)))).about) for path in fields)
    return max((Level.REVIEW, *levels))


def _texts(value: Json, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        if has_markers(value):
            yield path, value
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield from _texts(entry, (*path, key))
    elif isinstance(value, list):
        for entry in value:  # list items have the meaning of the list
            yield from _texts(entry, path)
