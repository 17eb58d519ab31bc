"""Find entries that were probably renamed without being declared in `moved`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from modelyard.records import replace
from modelyard.review.findings import Finding, Level
from modelyard.review.further import at_place
from modelyard.review.sides import Sides
from modelyard.review.values import plain
from modelyard.review.words import spec_text
from modelyard.spec import System

_MOVABLE: Final = ("stores", "pipelines", "inference", "monitors")
_NAMED: Final = (*_MOVABLE, "data", "models", "compute", "channels")


def renames(sides: Sides) -> Iterator[Finding]:
    """Report removed entries that have a new counterpart differing only in its names."""
    if not any(_missing(sides.before, sides.after, section) for section in _MOVABLE):
        return
    names = _changed_names(sides)
    old, new = _Text(sides.before, names), _Text(sides.after, names)
    moved = {*(sides.after.moved or {})}
    for section in _MOVABLE:
        fresh = [
            candidate
            for candidate in _missing(sides.after, sides.before, section)
            if f"{section}.{candidate}" not in moved
        ]
        for name in _missing(sides.before, sides.after, section):
            old_text = old.of(section, name)
            twin = next((other for other in fresh if new.of(section, other) == old_text), None)
            if twin is not None:
                fresh.remove(twin)
                yield _finding(section, name, twin, sides)


def _missing(system: System, other: System, section: str) -> list[str]:
    """Return the names of entries that the other system lacks."""
    known: Mapping[str, Any] = getattr(other, section)
    return [name for name in getattr(system, section) if name not in known]


def _changed_names(sides: Sides) -> set[str]:
    """Return the names of entries in any section that only one version has."""
    names = [
        {name for section in _NAMED for name in getattr(system, section)} for system in (sides.before, sides.after)
    ]
    return names[0] ^ names[1]


class _Text:
    """Writes a system's entries without the names that only one version has."""

    def __init__(self, system: System, names: set[str]) -> None:
        self._system = system
        longest_first = sorted(names, key=lambda name: (-len(name), name))
        self._has_names = bool(names)
        alternatives = "|".join(map(re.escape, longest_first))
        self._names = re.compile(rf"(?<![A-Za-z0-9])(?:{alternatives})(?![A-Za-z0-9])")

    def of(self, section: str, name: str) -> str:
        """Return an entry's fields as the spec writes them, replacing names found in only one version with "?"."""
        text = spec_text("", plain(getattr(self._system, section)[name]))
        text = text.replace(f"captures/{name}", "captures/?").replace(f"{section}-{name}", f"{section}-?")
        return self._names.sub("?", text) if self._has_names else text


def _finding(section: str, name: str, twin: str, sides: Sides) -> Finding:
    declared = f"moved: {{{section}.{twin}: {section}.{name}}}"
    why = f"if so, add `{declared}`; otherwise its resources are recreated"
    message = f"{section}.{name} seems to be renamed to {twin}, without `moved`"
    finding = at_place("R504", Level.DANGER, (section, twin), message, sides)
    return replace(finding, why=why, before=name, after=twin)
