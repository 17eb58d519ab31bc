"""Render a picture in Graphviz's DOT language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from modelyard.drawing.picture import Arrow, Box, Picture, Shape, plain

_SHAPES: Final[Mapping[Shape, str]] = {
    Shape.BOX: "box",
    Shape.CYLINDER: "cylinder",
    Shape.STADIUM: "oval",
    Shape.DOUBLE: "component",
    Shape.HEXAGON: "hexagon",
    Shape.FLAG: "note",
    Shape.SLANTED: "parallelogram",
}


def dot(picture: Picture) -> str:
    """Render a left-to-right directed graph, with a cluster for each group."""
    lines = ["digraph system {", "  rankdir=LR;", '  node [fontname="sans-serif"];', '  edge [fontname="sans-serif"];']
    lines += [f"  {_node(box)}" for box in picture.boxes if not box.group]
    for group, label in picture.groups:
        lines += [f"  subgraph cluster_{group} {{", f"    label={_text(label)};"]
        lines += [f"    {_node(box)}" for box in picture.boxes if box.group == group]
        lines.append("  }")
    return "\n".join([*lines, *(f"  {_edge(arrow)}" for arrow in picture.arrows), "}"]) + "\n"


def _node(box: Box) -> str:
    return f"{box.id} [label={_text(*box.lines)}, shape={_SHAPES[box.shape]}];"


def _edge(arrow: Arrow) -> str:
    settings = {
        "label": _text(arrow.text) if arrow.text else "",
        "style": "dashed" if arrow.dashed else "",
        "constraint": "false" if arrow.feedback else "",
    }
    attributes = ", ".join(f"{name}={value}" for name, value in settings.items() if value)
    return f"{arrow.source} -> {arrow.sink}" + (f" [{attributes}]" if attributes else "") + ";"


def _text(*lines: str) -> str:
    """Quote lines as a single Graphviz string, joined by escaped line breaks."""
    return '"' + "\\n".join(plain(line).replace("\\", "\\\\").replace('"', '\\"') for line in lines) + '"'
