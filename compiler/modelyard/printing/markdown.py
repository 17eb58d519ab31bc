"""Insert strings from a spec into Markdown so that they remain plain text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from modelyard.patterns import pattern
from modelyard.printing.redact import redacted
from modelyard.printing.terminal import visible

_SPECIAL: Final = pattern(r"[\\`*_{}\[\]()~|!:$]")
_REFERENCE: Final = pattern(r"([@#])(?=[A-Za-z0-9])")
_WWW: Final = pattern(r"(?i)(www)\.")
_JOINER: Final = "\u2060"


def escaped(text: str) -> str:
    """Escape a string for Markdown, on one line and without markup, links, mentions or references."""
    text = visible(redacted(text)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = _SPECIAL.sub(r"\\\g<0>", text)
    return _WWW.sub(r"\1\\.", _REFERENCE.sub(rf"\\\1{_JOINER}", text))


def table_row(cells: Iterable[str]) -> str:
    """Return a Markdown table row with the given strings in its cells."""
    return f"| {' | '.join(escaped(cell) for cell in cells)} |"
