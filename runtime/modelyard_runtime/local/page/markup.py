"""Builds HTML. Text is escaped unless these functions created it as markup."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

_VOID = frozenset({"input", "link", "meta", "br"})


class Markup(str):
    """Text that is already HTML."""

    __slots__ = ()


def text(content: str) -> Markup:
    """Escape text, replacing line breaks and invisible characters that could affect how nearby text is displayed."""
    return Markup(escape("".join(letter if letter.isprintable() else " " for letter in content), quote=True))


def tag(element: str, /, *children: str, **attributes: str | None) -> Markup:
    """Return an element. `class_` sets `class`, `data_key` sets `data-key`, and None omits an attribute."""
    attribute_text = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    start = f"<{element}{attribute_text}>"
    return Markup(start if element in _VOID else f"{start}{join(children)}</{element}>")


def join(parts: Iterable[str]) -> Markup:
    """Join markup and text. The text is escaped."""
    return Markup("".join(part if isinstance(part, Markup) else text(part) for part in parts))


def table(head: Iterable[str], rows: Iterable[Iterable[str]], kind: str = "figures") -> Markup:
    """Return a table that scrolls if it's wider than the page. On narrow pages, cells in a `log` are stacked."""
    first = tag("tr", *(tag("th", cell, scope="col") for cell in head))
    body = [tag("tr", *(tag("td", cell) for cell in row)) for row in rows]
    return tag("div", tag("table", tag("thead", first), tag("tbody", *body)), class_=f"wide {kind}")
