"""Place the boxes of a drawing in columns, and order the boxes within each column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final, TypeAlias

from modelyard.drawing.picture import Arrow, Picture
from modelyard.records import record

_SWEEPS: Final = 4

Columns: TypeAlias = "list[list[str]]"
"""Columns from left to right, each with the IDs of its boxes and arrow waypoints from top to bottom."""


@record
class Placed:
    """A picture in columns. `forward` arrows run to the right via the given IDs, and `back` ones to the left."""

    columns: Columns
    forward: tuple[tuple[Arrow, tuple[str, ...]], ...]
    back: tuple[Arrow, ...]


def place(picture: Picture) -> Placed:
    """Place each box by its longest incoming path. Arrows get a waypoint in each column they cross."""
    boxes = [box.id for box in picture.boxes]
    candidates = [arrow for arrow in picture.arrows if not arrow.feedback and arrow.source != arrow.sink]
    forward = _without_circles(boxes, candidates)
    ranks = _ranks(boxes, forward)
    columns: Columns = [[] for _ in range(max(ranks.values(), default=-1) + 1)]
    for box in boxes:
        columns[ranks[box]].append(box)
    ways = [(arrow, _way(arrow, at, ranks, columns)) for at, arrow in enumerate(forward)]
    forward_arrows = set(forward)
    back = tuple(arrow for arrow in picture.arrows if arrow not in forward_arrows)
    return Placed(_untangled(columns, [way for _, way in ways]), tuple(ways), back)


def _without_circles(boxes: Iterable[str], arrows: Sequence[Arrow]) -> list[Arrow]:
    """Remove arrows that close a cycle, using a depth-first search through the boxes in order."""
    after: dict[str, list[Arrow]] = {}
    for arrow in arrows:
        after.setdefault(arrow.source, []).append(arrow)
    closing: set[Arrow] = set()
    visited: set[str] = set()
    for box in boxes:
        _search(box, after, visited, closing)
    return [arrow for arrow in arrows if arrow not in closing]


def _search(start: str, after: Mapping[str, Sequence[Arrow]], visited: set[str], closing: set[Arrow]) -> None:
    if start in visited:
        return
    open_boxes = {start}
    way = [(start, iter(after.get(start, ())))]
    while way:
        box, arrows = way[-1]
        arrow = next(arrows, None)
        if arrow is None:
            way.pop()
            open_boxes.discard(box)
            visited.add(box)
        elif arrow.sink in open_boxes:
            closing.add(arrow)
        elif arrow.sink not in visited:
            open_boxes.add(arrow.sink)
            way.append((arrow.sink, iter(after.get(arrow.sink, ()))))


def _ranks(boxes: Iterable[str], arrows: Iterable[Arrow]) -> dict[str, int]:
    """Return the length of the longest path that leads to each box."""
    ranks = dict.fromkeys(boxes, 0)
    after: dict[str, list[str]] = {}
    pending = dict.fromkeys(ranks, 0)
    for arrow in arrows:
        after.setdefault(arrow.source, []).append(arrow.sink)
        pending[arrow.sink] += 1
    ready = [box for box, count in pending.items() if not count]
    for box in ready:
        for sink in after.get(box, ()):
            ranks[sink] = max(ranks[sink], ranks[box] + 1)
            pending[sink] -= 1
            if not pending[sink]:
                ready.append(sink)
    return ranks


def _way(arrow: Arrow, at: int, ranks: Mapping[str, int], columns: Columns) -> tuple[str, ...]:
    way = [arrow.source]
    for rank in range(ranks[arrow.source] + 1, ranks[arrow.sink]):
        waypoint = f"{at}:{rank}"  # box IDs do not begin with a digit
        columns[rank].append(waypoint)
        way.append(waypoint)
    return (*way, arrow.sink)


def _untangled(columns: Columns, ways: Iterable[Sequence[str]]) -> Columns:
    """Sort each column by the positions of neighbouring boxes, alternating between left and right neighbours."""
    before: dict[str, list[str]] = {}
    after: dict[str, list[str]] = {}
    for way in ways:
        for source, sink in pairwise(way):
            before.setdefault(sink, []).append(source)
            after.setdefault(source, []).append(sink)
    for sweep in range(_SWEEPS):
        neighbours, ordered = (after, columns[::-1]) if sweep % 2 else (before, columns)
        for fixed, moved in pairwise(ordered):
            _reorder(moved, {box: at for at, box in enumerate(fixed)}, neighbours)
    return columns


def _reorder(column: list[str], fixed: Mapping[str, int], neighbours: Mapping[str, Sequence[str]]) -> None:
    wishes: dict[str, float] = {}
    for at, box in enumerate(column):
        places = [fixed[other] for other in neighbours.get(box, ()) if other in fixed]
        wishes[box] = sum(places) / len(places) if places else float(at)
    column.sort(key=lambda box: wishes[box])
