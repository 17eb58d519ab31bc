"""Render a picture as a Mermaid flowchart, which GitHub and GitLab can display."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from modelyard.drawing.picture import Arrow, Box, Picture, Shape, plain
from modelyard.patterns import pattern

_BRACKETS: Final[Mapping[Shape, tuple[str, str]]] = {
    Shape.BOX: ("[", "]"),
    Shape.CYLINDER: ("[(", ")]"),
    Shape.STADIUM: ("([", "])"),
    Shape.DOUBLE: ("[[", "]]"),
    Shape.HEXAGON: ("{{", "}}"),
    Shape.FLAG: (">", "]"),
    Shape.SLANTED: ("[/", "/]"),
}
_RAW: Final = pattern(r"(?<=[0-9A-Za-z])(?:[-_./@](?=[0-9A-Za-z])|,(?= )|%(?!%))")
_ADDRESS: Final = pattern(r"(?i)www\.|@.*\.")


def mermaid(picture: Picture) -> str:
    """Render a left-to-right flowchart, with a subgraph for each group."""
    lines = ["flowchart LR", *(f"  {_node(box)}" for box in picture.boxes if not box.group)]
    for group, label in picture.groups:
        lines.append(f'  subgraph {group}["{mermaid_text(label)}"]')
        lines += [f"    {_node(box)}" for box in picture.boxes if box.group == group]
        lines.append("  end")
    lines += [f"  {_edge(arrow)}" for arrow in picture.arrows]
    return "\n".join(lines) + "\n"


def _node(box: Box) -> str:
    left, right = _BRACKETS[box.shape]
    return f'{box.id}{left}"{"<br/>".join(map(mermaid_text, box.lines))}"{right}'


def _edge(arrow: Arrow) -> str:
    line = "-.->" if arrow.dashed else "-->"
    text = f'|"{mermaid_text(arrow.text)}"|' if arrow.text else ""
    return f"{arrow.source} {line}{text} {arrow.sink}"


def mermaid_text(text: str) -> str:
    """Escape text for a quoted label.

    Mermaid interprets labels as Markdown and HTML, and turns addresses into links. Therefore, all characters except
    letters, digits, spaces and some characters within words become character references.
    """
    text = plain(text)
    raw = frozenset[int]() if _ADDRESS.search(text) else frozenset(match.start() for match in _RAW.finditer(text))
    return "".join(_letters(text, raw))


def _letters(text: str, raw: frozenset[int]) -> Iterator[str]:
    for at, letter in enumerate(text):
        yield letter if letter.isalnum() or letter == " " or at in raw else f"#{ord(letter)};"
