"""Compare output that contains markers with the output for a single site."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from modelyard.fleets.mapping import plain, texts_in
from modelyard.fleets.stacks import FILLED
from modelyard.records import record
from modelyard.sites.binding import DIGEST, Marked, filled, has_markers
from modelyard.stack import Project, Stack, Value

_HASHED: Final = "\0digest\0"
_HASH: Final = "[0-9a-f]{8,64}"


def first_difference(lowered: Stack, alone: Stack, marked: Mapping[int, Marked], values: Mapping[str, str]) -> str:
    """Return the first difference between a marked stack, filled in for a site, and that site's own stack.

    Hashes aren't compared, because the marked stack has placeholders where values would be hashed.
    """
    if len(lowered.projects) != len(alone.projects):
        return "the number of projects"
    filling = _Filling(marked, values)
    for project, other in zip(lowered.projects, alone.projects, strict=True):
        difference = _fixed_text(project) or filling.difference(
            dict(_parts(project)), dict(_parts(other)), project.folder
        )
        if difference:
            return difference
    return "" if list(_images(lowered)) == list(_images(alone)) else "the image"


def program_difference(first: Stack, other: Stack) -> str:
    """Return the first component that differs between the programs of two stacks, or "" if they are equal."""
    if [project.folder for project in first.projects] != [project.folder for project in other.projects]:
        return "the number of projects"
    for project, another in zip(first.projects, other.projects, strict=True):
        calls, other_calls = project.program.calls, another.program.calls
        for call, alternative in zip(calls, other_calls, strict=False):
            if plain(call) != plain(alternative):
                return call.name
        if len(calls) != len(other_calls):
            return max(calls, other_calls, key=len)[min(len(calls), len(other_calls))].name
    return "" if list(_images(first)) == list(_images(other)) else "the image"


@record
class _Filling:
    """Compares values that contain markers with a site's own values."""

    marked: Mapping[int, Marked]
    values: Mapping[str, str]

    def difference(self, value: Value, own: Value, where: str) -> str:
        """Return the first place where the values differ, or "" if they do not."""
        if isinstance(value, str):
            return "" if isinstance(own, str) and self._same(value, own) else where
        if isinstance(value, Mapping):
            return self._of_mapping(value, own, where) if isinstance(own, Mapping) else where
        if isinstance(value, Sequence):
            if not isinstance(own, Sequence) or isinstance(own, str) or len(own) != len(value):
                return where
            differences = (self.difference(child, other, where) for child, other in zip(value, own, strict=True))
            return next((each for each in differences if each), "")
        return "" if value == own and isinstance(value, bool) == isinstance(own, bool) else where

    def _of_mapping(self, value: Mapping[str, Value], own: Mapping[str, Value], where: str) -> str:
        if len(own) != len(value):
            return where
        for (key, child), (own_key, own_child) in zip(value.items(), own.items(), strict=True):
            difference = self.difference(child, own_child, f"{where}.{key}") if self._same(key, own_key) else where
            if difference:
                return difference
        return ""

    def _same(self, text: str, own: str) -> bool:
        result = filled(text, self.marked, self._fill)
        if _HASHED not in result:
            return result == own
        parts = [re.escape(part) for part in re.split(f"{_HASH}-{_HASHED}", result)]
        return re.fullmatch(f'"?{_HASH}"?'.join(parts), own) is not None  # in YAML, some hashes are quoted

    def _fill(self, kind: str, columns: tuple[str, ...]) -> str:
        return _HASHED if kind == DIGEST else self.values[columns[0]]


def _fixed_text(project: Project) -> str:
    """Return the name of the first call with a marker that no component fills in, or "" if there is none."""
    for call in project.program.calls:
        texts = (call.name,) if call.component in FILLED else tuple(texts_in(plain(call)))
        if any(has_markers(text) for text in texts):
            return call.name
    return ""


def _parts(project: Project) -> Iterator[tuple[str, Value]]:
    yield "program", tuple(plain(call) for call in project.program.calls)
    yield "settings", project.settings
    for file in project.manifests:
        yield file.name, tuple(file.documents())


def _images(stack: Stack) -> Iterator[str]:
    for text in stack.texts:
        if text.path.startswith("image/"):
            yield text.text()
