"""Render a picture as a single-file web page. Tables repeat the drawing's content for screen readers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from modelyard.drawing.picture import Picture
from modelyard.drawing.svg import svg, text

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE: Final = """\
body { font: 15px/1.5 sans-serif; margin: 2rem; color-scheme: light dark; }
figure { margin: 0 0 2rem; overflow-x: auto; }
table { border-collapse: collapse; margin-bottom: 2rem; }
th, td { border: 1px solid #9198a1; padding: .3rem .7rem; text-align: left; }
"""


def page(picture: Picture) -> str:
    """Render the page. Its content security policy forbids scripts and external resources."""
    names = {box.id: box.name for box in picture.boxes}
    boxes = ((box.name, box.kind.replace("-", " "), "; ".join(box.details)) for box in picture.boxes)
    arrows = ((names[arrow.source], arrow.text, names[arrow.sink]) for arrow in picture.arrows)
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en">',
            '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            f"<title>{text(picture.title)}</title>",
            f"<style>\n{_STYLE}</style></head>",
            f"<body>\n<h1>{text(picture.title)}</h1>",
            f"<figure>\n{svg(picture)}</figure>",
            *_table(("name", "kind", "details"), boxes),
            *_table(("from", "how", "to"), arrows),
            "</body>\n</html>\n",
        )
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"<table>\n<tr>{''.join(f'<th>{cell}</th>' for cell in head)}</tr>"
    yield from (f"<tr>{''.join(f'<td>{text(cell)}</td>' for cell in row)}</tr>" for row in rows)
    yield "</table>"
