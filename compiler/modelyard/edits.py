"""Remove, replace or rename values in a document while keeping all spans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from modelyard.records import record, replace
from modelyard.source import Document, Json, Path, Spans

__all__ = ["Edit", "edited", "value_at"]


@record(eq=False)
class Edit:
    """A change at a path: a new value, a new key, fields to move into a mapping, or a removal."""

    value: Json = None
    name: str = ""
    adopts: tuple[str, ...] = ()
    removes: bool = False


_Tree: TypeAlias = "dict[str | int, Edit | _Tree]"
_Entry: TypeAlias = "tuple[Json, list[int]]"
"""A value, its span numbers and, if it has a key, the key's span numbers."""


def edited(document: Document, edits: Mapping[Path, Edit]) -> Document:
    """Apply all edits to a document. An edit within a value that another edit removes or replaces has no effect.

    A missing path is added to its mapping. Removed paths are recorded in `Document.aside`.
    """
    tree: _Tree = {}
    for path in sorted(edits, key=len):
        _plant(tree, path, edits[path])
    work = _Work(document.spans.copy())
    value = work.rebuilt(document.value, tree, list(document.root))
    removed = {path for path, edit in edits.items() if edit.removes}
    assert isinstance(value, dict)
    return replace(document, value=value, spans=work.spans, aside=document.aside | removed)


def value_at(document: Document, path: Path) -> Json:
    """Return the value at a path, or None if the path does not exist."""
    value: Json = document.value
    for step in path:
        value = _inside(value, step)
    return value


def _inside(value: Json, step: str | int) -> Json:
    if isinstance(step, str):
        return value.get(step) if isinstance(value, dict) else None
    return value[step] if isinstance(value, list) and step < len(value) else None


def _plant(tree: _Tree, path: Path, edit: Edit) -> None:
    for step in path[:-1]:
        below = tree.setdefault(step, {})
        if isinstance(below, Edit):
            return
        tree = below
    tree[path[-1]] = edit


@record(frozen=False)
class _Work:
    """Rebuilds containers and their spans."""

    spans: Spans

    def rebuilt(self, value: Json, tree: _Tree, place: list[int]) -> Json:
        """Apply a tree of edits to a container. `place` is the container's position in the text."""
        if not isinstance(value, dict | list):
            return value
        steps: list[str | int] = [*value] if isinstance(value, dict) else [*range(len(value))]
        children = value.values() if isinstance(value, dict) else value
        existing = {
            step: (child, numbers)
            for step, child, numbers in zip(steps, children, self.spans.entries(value), strict=True)
        }
        entries: dict[str | int, _Entry] = {}
        for step, (child, numbers) in existing.items():
            edit = tree.get(step, {})
            if not isinstance(edit, Edit):
                entries[step] = (self.rebuilt(child, edit, numbers[-3:]) if edit else child, numbers)
            elif edit.name:
                entries[edit.name] = (child, numbers)
            elif edit.adopts:
                below = {name: existing[name] for name in edit.adopts}
                entries[step] = (self._recorded([*below], below), numbers)
            elif not edit.removes:
                entries[step] = (self._placed(edit.value, numbers[-3:]), numbers)
        if isinstance(value, list):
            return self._recorded(None, entries)
        for step, edit in tree.items():
            if step not in existing and isinstance(edit, Edit) and not edit.removes:
                entries[step] = (self._placed(edit.value, place), [*place, *place])
        return self._recorded([str(step) for step in entries], entries)

    def _placed(self, value: Json, place: list[int]) -> Json:
        """Give a value that isn't in the text a position, using the same span for all its keys and values."""
        if isinstance(value, dict):
            fields = {key: (self._placed(child, place), [*place, *place]) for key, child in value.items()}
            return self._recorded([*fields], fields)
        if isinstance(value, list):
            return self._recorded(None, {at: (self._placed(child, place), place) for at, child in enumerate(value)})
        return value

    def _recorded(
        self, keys: list[str] | None, entries: Mapping[str, _Entry] | Mapping[int, _Entry] | Mapping[str | int, _Entry]
    ) -> Json:
        """Create a mapping with the given keys, or a list, and record its spans."""
        children = [child for child, _ in entries.values()]
        container = children if keys is None else dict(zip(keys, children, strict=True))
        if container:
            self.spans.record(container, [number for _, numbers in entries.values() for number in numbers])
        return container
