"""Display untrusted text on a terminal without letting it move the cursor or misalign marks below it."""

from __future__ import annotations

import unicodedata
from typing import Final, TypeAlias

Cell: TypeAlias = "tuple[str, int]"
"""A displayed character and its width in columns."""

_TAB: Final = "    "
_BEFORE: Final = 40
_UNSEEN: Final = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_JOINER: Final = "\u200d"


def visible(text: str) -> str:
    """Put text on one line, with control characters shown as escapes such as \\x1b and \\u202e."""
    if text.isprintable():
        return text
    return "".join(_escaped(character) for character in text)


def cells(line: str) -> list[Cell]:
    """Return the displayed characters of a line. A tab becomes four spaces."""
    if line.isascii() and line.isprintable():
        return [(character, 1) for character in line]
    return [_cell(character) for character in line]


def width(line: list[Cell]) -> int:
    """Return the total width of cells in columns."""
    return sum(columns for _, columns in line)


def clipped(line: list[Cell], start: int, end: int, widest: int) -> tuple[list[Cell], int, int]:
    """Clip a line to `widest` columns around a range to mark, and return the range's new position."""
    if width(line) <= widest:
        return line, start, end
    left = max(0, start - min(_BEFORE, widest // 2)) if end > widest else 0
    right, room = left, widest
    while right < len(line) and room >= line[right][1]:
        room -= line[right][1]
        right += 1
    before: list[Cell] = [("…", 1)] if left else []
    after: list[Cell] = [("…", 1)] if right < len(line) else []
    shift = len(before) - left
    return [*before, *line[left:right], *after], start + shift, min(end, right) + shift


def _escaped(character: str) -> str:
    if character == "\n":
        return "\\n"
    if character == "\t":
        return "\\t"
    if unicodedata.category(character) not in _UNSEEN or character == _JOINER:
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _cell(character: str) -> Cell:
    if character == "\t":
        return _TAB, len(_TAB)
    text = _escaped(character)
    if len(text) > 1:
        return text, len(text)
    if unicodedata.combining(character) or character == _JOINER or unicodedata.category(character) in {"Mn", "Me"}:
        return text, 0
    return text, 2 if unicodedata.east_asian_width(character) in "WF" else 1
