"""Compute the positions and sizes of a drawing's boxes and lines, in pixels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final, TypeAlias
from unicodedata import east_asian_width

from modelyard.drawing.columns import Placed, place
from modelyard.drawing.picture import Arrow, Box, Picture, Shape
from modelyard.records import record

LINE: Final = 17
"""The distance between two lines of text."""

LID: Final = 7.0
"""Half the height of a cylinder's lid."""

SMALL_LETTER: Final = 6.4
"""The approximate width of a lower-case letter."""

_LETTER: Final = 7.4
_PADDING: Final = 18
_BETWEEN_BOXES: Final = 22
_LEAST_GAP: Final = 70
_BESIDE_LABEL: Final = 64
"""The length of an arrow that remains visible next to its label."""

_MARGIN: Final = 20
_LANE: Final = 22

Point: TypeAlias = "tuple[float, float]"


@record
class Rectangle:
    """A rectangle in a drawing, given by its upper left corner and its size."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """The vertical center."""
        return self.y + self.height / 2


@record
class Line:
    """A line through points: a curve if it runs from left to right, otherwise a line with corners."""

    arrow: Arrow
    points: tuple[Point, ...]
    label: Point
    is_curve: bool


@record
class Layout:
    """A complete drawing: the positions and sizes of its boxes and lines, and its own size."""

    boxes: tuple[tuple[Box, Rectangle], ...]
    lines: tuple[Line, ...]
    width: float
    height: float


def layout(picture: Picture) -> Layout:
    """Lay out columns from left to right, with boxes near their neighbours and backward lines below all boxes."""
    placed = place(picture)
    sizes = {box.id: _size(box) for box in picture.boxes}
    lefts, widths = _across(placed, sizes)
    tops = _down(placed, sizes)
    at = {
        box_id: Rectangle(lefts[rank], tops[box_id], widths[rank], sizes[box_id][1] if box_id in sizes else 0)
        for rank, column in enumerate(placed.columns)
        for box_id in column
    }
    bottom = max((spot.y + spot.height for spot in at.values()), default=0)
    lines = (*_forward(placed, at), *_back(placed, at, bottom))
    right = lefts[-1] + widths[-1] if lefts else 0
    boxes = tuple((box, at[box.id]) for box in picture.boxes)
    height = bottom + _LANE * len(placed.back) + _MARGIN
    return Layout(boxes, lines, right + _MARGIN + (_LANE if placed.back else 0), height)


def text_width(text: str, letter: float = _LETTER) -> float:
    """Return a string's approximate width. East Asian characters are twice as wide as other characters."""
    return letter * sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def _size(box: Box) -> tuple[float, float]:
    widest = max(text_width(box.name), *(text_width(line, SMALL_LETTER) for line in ("", *box.details)))
    lid = LID if box.shape is Shape.CYLINDER else 0
    return widest + 2 * _PADDING, LINE * len(box.lines) + _PADDING + lid


def _across(placed: Placed, sizes: Mapping[str, tuple[float, float]]) -> tuple[list[float], list[float]]:
    """Return the left edge and width of each column. The gaps are wide enough for labels."""
    widths = [max((sizes[box][0] for box in column if box in sizes), default=0) for column in placed.columns]
    gaps = [float(_LEAST_GAP)] * len(widths)
    rank = {box: at for at, column in enumerate(placed.columns) for box in column}
    for arrow, way in placed.forward:
        gaps[rank[way[0]]] = max(gaps[rank[way[0]]], text_width(arrow.text, SMALL_LETTER) + _BESIDE_LABEL)
    lefts, left = list[float](), float(_MARGIN + (_LANE if placed.back else 0))
    for width, gap in zip(widths, gaps, strict=True):
        lefts.append(left)
        left += width + gap
    return lefts, widths


def _down(placed: Placed, sizes: Mapping[str, tuple[float, float]]) -> dict[str, float]:
    """Return the top of each box and waypoint, each as close as possible to its predecessors without overlapping."""
    before: dict[str, list[str]] = {}
    for _, way in placed.forward:
        for source, sink in pairwise(way):
            before.setdefault(sink, []).append(source)
    middles: dict[str, float] = {}
    tops: dict[str, float] = {}
    for column in placed.columns:
        heights = [sizes[box][1] if box in sizes else 0.0 for box in column]
        wishes = [_mean([middles[source] for source in before.get(box, ())]) for box in column]
        for box, top, height in zip(column, _stacked(wishes, heights), heights, strict=True):
            tops[box], middles[box] = top, top + height / 2
    highest = min(tops.values(), default=0)
    return {box: top - highest + _MARGIN for box, top in tops.items()}


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _stacked(wishes: Sequence[float | None], heights: Sequence[float]) -> list[float]:
    """Return the tops of a column's boxes.

    A box is centered at its preferred middle, or else follows the box above it.
    """
    tops, free, shift, wish_count = list[float](), 0.0, 0.0, 0
    for wish, height in zip(wishes, heights, strict=True):
        top = free if wish is None or wish - height / 2 < free else wish - height / 2
        if wish is not None:
            shift, wish_count = shift + top + height / 2 - wish, wish_count + 1
        tops.append(top)
        free = top + height + _BETWEEN_BOXES
    return [top - (shift / wish_count if wish_count else 0) for top in tops]


def _forward(placed: Placed, at: Mapping[str, Rectangle]) -> Iterator[Line]:
    for arrow, way in placed.forward:
        points: list[Point] = []
        for box in way:
            spot = at[box]
            points += [(spot.x, spot.middle), (spot.x + spot.width, spot.middle)]
        inner = tuple(points[1:-1])
        (left, upper), (right, lower) = inner[0], inner[1]
        yield Line(arrow, inner, ((left + right) / 2, (upper + lower) / 2), is_curve=True)


def _back(placed: Placed, at: Mapping[str, Rectangle], bottom: float) -> Iterator[Line]:
    """Route a backward line: out to the right, along a lane of its own below all boxes, and in from the left."""
    for number, arrow in enumerate(placed.back, 1):
        source, sink = at[arrow.source], at[arrow.sink]
        lane = bottom + _LANE * number
        out = source.x + source.width + _LANE / 2 + 3 * (number % 4)
        into = sink.x - _LANE / 2 - 3 * (number % 4)
        start, end = source.y + source.height * 0.75, sink.y + sink.height * 0.75
        points = (
            (source.x + source.width, start),
            (out, start),
            (out, lane),
            (into, lane),
            (into, end),
            (sink.x, end),
        )
        yield Line(arrow, points, ((out + into) / 2, lane), is_curve=False)
