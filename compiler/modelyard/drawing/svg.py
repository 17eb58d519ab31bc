"""Render a picture as a single SVG file for light and dark pages, without external scripts, fonts or images."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Final

from modelyard.drawing.layout import LID, LINE, SMALL_LETTER, Layout, Line, Point, Rectangle, layout, text_width
from modelyard.drawing.picture import Box, Picture, Shape, plain

_STYLE: Final = """\
text { font: 13px sans-serif; fill: #1f2328; text-anchor: middle; }
.detail, .label { font-size: 11px; fill: #59636e; }
.box { fill: #f6f8fa; stroke: #59636e; }
.line { fill: none; stroke: #59636e; }
.head { fill: #59636e; }
.under { fill: #ffffff; }
.page { fill: #ffffff; }
.dashed { stroke-dasharray: 5 4; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; }
  .detail, .label { fill: #9198a1; }
  .box { fill: #151b23; stroke: #9198a1; }
  .line { stroke: #9198a1; }
  .head { fill: #9198a1; }
  .under { fill: #0d1117; }
  .page { fill: #0d1117; }
}
"""
_CURVE: Final = 0.5


def svg(picture: Picture) -> str:
    """Render the complete SVG file."""
    drawing = layout(picture)
    size = f'width="{_number(drawing.width)}" height="{_number(drawing.height)}"'
    view = f'viewBox="0 0 {_number(drawing.width)} {_number(drawing.height)}"'
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} {view} role="img" aria-label="{text(picture.title)}">',
            f"<title>{text(picture.title)}</title>",
            f"<style>\n{_STYLE}</style>",
            '<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
            'orient="auto-start-reverse"><path class="head" d="M0,0 L8,4 L0,8 z"/></marker></defs>',
            f'<rect class="page" {size}/>',
            *_body(drawing),
            "</svg>\n",
        )
    )


def text(content: str) -> str:
    """Escape a string from a spec for XML and HTML elements and quoted attributes."""
    return escape(plain(content), quote=True)


def _body(drawing: Layout) -> Iterator[str]:
    for line in drawing.lines:
        dashed = " dashed" if line.arrow.dashed else ""
        yield f'<path class="line{dashed}" d="{_path(line)}" marker-end="url(#head)"/>'
    for box, spot in drawing.boxes:
        yield f'<g><path class="box" d="{_outline(box.shape, spot)}"/>{"".join(_texts(box, spot))}</g>'
    for line in drawing.lines:
        if line.arrow.text:
            yield from _label(line)


def _texts(box: Box, spot: Rectangle) -> Iterator[str]:
    x = _number(spot.x + spot.width / 2)
    top = spot.middle - LINE * (len(box.lines) - 1) / 2 + (LID if box.shape is Shape.CYLINDER else 4)
    for at, line in enumerate(box.lines):
        kind = ' class="detail"' if at else ""
        yield f'<text{kind} x="{x}" y="{_number(top + LINE * at)}">{text(line)}</text>'


def _label(line: Line) -> Iterator[str]:
    """Yield an arrow's label, with a background that hides the line behind it."""
    x, y = line.label
    width = text_width(line.arrow.text, SMALL_LETTER) + 6
    position = f'x="{_number(x - width / 2)}" y="{_number(y - 8)}"'
    yield f'<rect class="under" {position} width="{_number(width)}" height="15"/>'
    yield f'<text class="label" x="{_number(x)}" y="{_number(y + 4)}">{text(line.arrow.text)}</text>'


def _path(line: Line) -> str:
    if not line.is_curve:
        return "M" + " L".join(map(_point, line.points))
    parts = [f"M{_point(line.points[0])}"]
    for at in range(1, len(line.points), 2):
        (x1, y1), (x2, y2) = line.points[at - 1], line.points[at]
        bend = (x2 - x1) * _CURVE
        parts.append(f"C{_point((x1 + bend, y1))} {_point((x2 - bend, y2))} {_point((x2, y2))}")
        if at + 1 < len(line.points):
            parts.append(f"L{_point(line.points[at + 1])}")
    return " ".join(parts)


def _outline(shape: Shape, spot: Rectangle) -> str:
    """Return the path of a box's outline."""
    x1, y1, x2, y2 = spot.x, spot.y, spot.x + spot.width, spot.y + spot.height
    middle, half = spot.middle, spot.height / 2
    match shape:
        case Shape.CYLINDER:
            side = f"A{_number(spot.width / 2)},{_number(LID)} 0 0"
            lid = f"M{_point((x1, y1 + LID))} {side},1 {_point((x2, y1 + LID))} {side},1 {_point((x1, y1 + LID))}"
            return f"{lid} V{_number(y2 - LID)} {side},0 {_point((x2, y2 - LID))} V{_number(y1 + LID)}"
        case Shape.STADIUM:
            turn = f"A{_number(half)},{_number(half)} 0 0,1"
            return (
                f"M{_point((x1 + half, y1))} H{_number(x2 - half)} {turn} {_point((x2 - half, y2))} "
                f"H{_number(x1 + half)} {turn} {_point((x1 + half, y1))} z"
            )
        case Shape.DOUBLE:
            bars = f"M{_point((x1 + 6, y1))} V{_number(y2)} M{_point((x2 - 6, y1))} V{_number(y2)}"
            return f"{_polygon((x1, y1), (x2, y1), (x2, y2), (x1, y2))} {bars}"
        case Shape.HEXAGON:
            return _polygon((x1 + 10, y1), (x2 - 10, y1), (x2, middle), (x2 - 10, y2), (x1 + 10, y2), (x1, middle))
        case Shape.FLAG:
            return _polygon((x1, y1), (x2, y1), (x2, y2), (x1, y2), (x1 + 10, middle))
        case Shape.SLANTED:
            return _polygon((x1 + 10, y1), (x2, y1), (x2 - 10, y2), (x1, y2))
        case Shape.BOX:
            return _polygon((x1, y1), (x2, y1), (x2, y2), (x1, y2))


def _polygon(*points: Point) -> str:
    return "M" + " L".join(map(_point, points)) + " z"


def _point(point: Point) -> str:
    return f"{_number(point[0])},{_number(point[1])}"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
