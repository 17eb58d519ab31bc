"""Small SVG line charts, drawn here so that the page needs no library."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import isfinite

from modelyard_runtime.local.page.markup import Markup, join, tag

_WIDTH, _HEIGHT = 320.0, 120.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 8.0, 8.0, 18.0
_COLOURS = 6
MOST_LINES = _COLOURS

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """A named series of points in ascending order of x."""

    name: str
    points: tuple[Point, ...]

    @property
    def latest(self) -> float:
        """Return the last value."""
        return self.points[-1][1]


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines with shared axes. `bounds` are values the lines shouldn't cross, and `ends` are the x-axis labels."""

    title: str
    lines: tuple[Line, ...]
    bounds: tuple[float, ...]
    ends: tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Scale:
    """Maps values to coordinates in the drawing."""

    x: tuple[float, float]
    y: tuple[float, float]

    def place(self, point: Point) -> tuple[float, float]:
        across = _share(point[0], self.x) * (_WIDTH - _LEFT - _RIGHT)
        return _LEFT + across, self.height(point[1])

    def height(self, value: float) -> float:
        return _HEIGHT - _BOTTOM - _share(value, self.y) * (_HEIGHT - _TOP - _BOTTOM)


def line_of(name: str, points: Iterable[Point]) -> Line | None:
    """Return a line without non-finite values, or None if no values are left."""
    kept = tuple(point for point in points if isfinite(point[0]) and isfinite(point[1]))
    return Line(name, kept) if kept else None


def draw(chart: Chart) -> Markup:
    """Return a figure with the chart and an accessible legend of the latest values."""
    scale = _scale(chart)
    legend = [
        tag("li", tag("i", class_=f"swatch c{at}"), f"{line.name}: {line.latest:.4g}")
        for at, line in enumerate(chart.lines)
    ]
    return tag("figure", tag("figcaption", chart.title), _svg(chart, scale), tag("ul", *legend), class_="chart")


def _svg(chart: Chart, scale: _Scale) -> Markup:
    parts = [*_axes(chart, scale), *(_bound(value, scale) for value in chart.bounds)]
    parts += [part for at, line in enumerate(chart.lines) for part in _line(at, line, scale)]
    view = f"0 0 {_WIDTH:g} {_HEIGHT:g}"
    return tag("svg", join(parts), viewBox=view, role="img", aria_label=chart.title, class_="plot")


def _axes(chart: Chart, scale: _Scale) -> Iterator[Markup]:
    for value in dict.fromkeys(scale.y):
        y = scale.height(value)
        yield tag("line", x1=f"{_LEFT}", x2=f"{_WIDTH - _RIGHT}", y1=f"{y:.1f}", y2=f"{y:.1f}", class_="grid")
        yield tag("text", f"{value:.3g}", x=f"{_LEFT - 4}", y=f"{y + 3:.1f}", class_="end")
    yield tag("text", chart.ends[0], x=f"{_LEFT}", y=f"{_HEIGHT - 4}", class_="begin")
    if chart.ends[1] != chart.ends[0]:
        yield tag("text", chart.ends[1], x=f"{_WIDTH - _RIGHT}", y=f"{_HEIGHT - 4}", class_="end")


def _bound(value: float, scale: _Scale) -> Markup:
    y = f"{scale.height(value):.1f}"
    return tag("line", x1=f"{_LEFT}", x2=f"{_WIDTH - _RIGHT}", y1=y, y2=y, class_="bound")


def _line(at: int, line: Line, scale: _Scale) -> Iterator[Markup]:
    places = [scale.place(point) for point in line.points]
    if len(places) > 1:
        yield tag("polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in places), class_=f"series c{at}")
    x, y = places[-1]
    yield tag("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r="2.5", class_=f"last c{at}")


def _scale(chart: Chart) -> _Scale:
    points = [point for line in chart.lines for point in line.points]
    across = [x for x, _ in points]
    up = [y for _, y in points] + list(chart.bounds)
    return _Scale((min(across), max(across)), (min(up), max(up)))


def _share(value: float, ends: tuple[float, float]) -> float:
    """Return the relative position of a value between two ends from 0 to 1, or 0.5 if the ends are equal."""
    low, high = ends
    return (value - low) / (high - low) if high > low else 0.5
