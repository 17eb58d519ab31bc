"""Find the cursor's path in an incomplete document, and the beginning of the current word.

A YAML parser cannot be used here, because a line is rarely valid while it is being typed. The path is derived from
indentation and brackets.
"""

from __future__ import annotations

from typing import Final

from modelyard.patterns import pattern
from modelyard.records import record
from modelyard.source import Path

_KEY: Final = pattern(r"""(?P<key>"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#:,\[\]{}"'][^#:,\[\]{}]*?)\s*:(?=\s|$)""")
_DASH: Final = pattern(r"-(?:\s+|$)")
_BLOCK_SCALAR: Final = pattern(r"[|>][-+0-9]*\s*(?:#.*)?$")


@record
class Cursor:
    """The path of the mapping or value at the cursor, and the start of the word before the cursor.

    `is_key` means that the user is typing a key of the mapping at `path`; otherwise, the user is typing the value at
    `path`. `in_flow` means that the cursor is inside brackets.
    """

    path: Path
    word: str
    is_key: bool
    in_flow: bool


@record(frozen=False)
class _Level:
    """A block mapping (with its current key) or list (with its current position), and its indentation."""

    indent: int
    step: str | int


@record(frozen=False)
class _Bracket:
    """A mapping or list in brackets, with its current key or position."""

    is_list: bool
    step: str | int | None


def cursor_at(text: str, line: int, column: int) -> Cursor:
    """Find the cursor at a line and column, both counted from 0. Columns are counted in characters."""
    lines = text.split("\n")[: line + 1]
    if len(lines) <= line:
        lines += [""] * (line + 1 - len(lines))
    lines[line] = lines[line][:column].rstrip("\r")
    scan = _Scan()
    for number, whole_line in enumerate(lines[:-1]):
        scan.line(whole_line.rstrip("\r"), number)
    return scan.last(lines[-1])


class _Scan:
    """Processes text line by line."""

    def __init__(self) -> None:
        self._levels: list[_Level] = []
        self._brackets: list[_Bracket] = []
        self._scalar_indent = -1  # indentation of a key whose string spans several lines
        self._token = ""
        self._quote = ""

    def line(self, line: str, number: int = 0) -> None:
        """Process a whole line."""
        if self._brackets:
            self._flow(f"{line}\n")
            return
        indent = len(line) - len(line.lstrip(" "))
        if not line.strip() or (self._scalar_indent >= 0 and indent > self._scalar_indent):
            return
        self._scalar_indent = -1
        rest, at = self._dashes(line[indent:], indent)
        match = _KEY.match(rest)
        if match:
            self._enter(at, _unquoted(match["key"]))
            rest = rest[match.end() :].lstrip()
            if _BLOCK_SCALAR.match(rest):
                self._scalar_indent = at
        if rest[:1] in {"{", "["}:
            self._flow(f"{rest}\n")

    def last(self, line: str) -> Cursor:
        """Process the line up to the cursor, and return the cursor."""
        if self._brackets:
            return self._in_flow(line)
        indent = len(line) - len(line.lstrip(" "))
        if self._scalar_indent >= 0 and (indent > self._scalar_indent or not line.strip()):
            return Cursor(self._path(), "", is_key=False, in_flow=False)
        rest, at = self._dashes(line[indent:], indent)
        match = _KEY.match(rest)
        if match:
            self._enter(at, _unquoted(match["key"]))
            rest = rest[match.end() :]
            if rest.lstrip()[:1] in {"{", "["}:
                return self._in_flow(rest.lstrip())
            return Cursor(self._path(), rest.lstrip(), is_key=False, in_flow=False)
        if rest[:1] in {"{", "["}:
            return self._in_flow(rest)
        self._leave(at, is_item=False)
        if line[indent:].startswith("-"):
            return Cursor(self._path(), rest, is_key=False, in_flow=False)
        return Cursor(self._path(), rest, is_key=True, in_flow=False)

    def _in_flow(self, text: str) -> Cursor:
        self._flow(text)
        path = (*self._path(), *(bracket.step for bracket in self._brackets if bracket.step is not None))
        word = self._token.lstrip()
        top = self._brackets[-1] if self._brackets else None
        return Cursor(path, word, is_key=top is not None and top.step is None, in_flow=top is not None)

    def _path(self) -> Path:
        return tuple(level.step for level in self._levels)

    def _dashes(self, rest: str, at: int) -> tuple[str, int]:
        """Return the text after any list dashes, and the column where it starts."""
        while match := _DASH.match(rest):
            self._leave(at, is_item=True)
            if self._levels and self._levels[-1].indent == at and isinstance(self._levels[-1].step, int):
                self._levels[-1].step += 1
            else:
                self._levels.append(_Level(at, 0))
            rest, at = rest[match.end() :], at + match.end()
        return rest, at

    def _enter(self, at: int, key: str) -> None:
        self._leave(at, is_item=False)
        self._levels.append(_Level(at, key))

    def _leave(self, at: int, is_item: bool) -> None:
        """Close the levels that end at this indentation. A list may have the same indentation as its key."""
        while self._levels:
            level = self._levels[-1]
            is_open = level.indent < at or (is_item and level.indent == at)
            if is_open:
                return
            self._levels.pop()

    def _flow(self, text: str) -> None:
        """Process text inside brackets until they are closed."""
        for at, mark in enumerate(text):
            following = text[at + 1 : at + 2]
            if self._quote:
                self._quote = "" if mark == self._quote else self._quote
                self._token += mark
            elif mark in "\"'" and not self._token.strip():
                self._quote = mark
                self._token += mark
            elif mark == "#" and (not self._token or self._token[-1].isspace()):
                return
            else:
                self._mark(mark, following)
                if not self._brackets:
                    return

    def _mark(self, mark: str, following: str) -> None:
        top = self._brackets[-1] if self._brackets else None
        if mark in "{[":
            self._brackets.append(_Bracket(mark == "[", 0 if mark == "[" else None))
        elif mark in "}]":
            self._brackets.pop()
        elif mark == "," and top is not None:
            top.step = top.step + 1 if isinstance(top.step, int) and top.is_list else None
        elif mark == ":" and top is not None and not top.is_list and (not following or following in " \n,}]{["):
            top.step = _unquoted(self._token.strip())
        else:
            self._token += "" if mark == "\n" else mark
            return
        self._token = ""


def _unquoted(key: str) -> str:
    return key[1:-1] if key[:1] in {'"', "'"} and key[-1:] == key[:1] else key.strip()
