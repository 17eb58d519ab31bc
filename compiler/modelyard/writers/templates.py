"""Write many values of the same structure quickly, for example the manifests of a thousand models.

Python's C encoder for JSON walks a value faster than Python code can. It passes every string to a function that returns
the string in the writer's syntax. What remains around the strings is the value's structure. When a structure occurs for
the second time, the ordinary writer writes it with a placeholder for each string. The text between the placeholders is
the template for all further values of that structure.

All text comes from the ordinary writer, so the result is the same. The only difference is that a key that is not a
string, which type checkers reject, may become one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from enum import StrEnum
from itertools import count
from typing import TYPE_CHECKING, Final, cast

from modelyard.patterns import pattern
from modelyard.records import record
from modelyard.stack import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SLOT: Final = "\x03"  # never occurs in a string, because writers escape control characters
_MOST_STRINGS: Final = 8192
_MOST_TEMPLATES: Final = 512
_LONG: Final = 1001

_PLACEHOLDER: Final = pattern(r'"?_[0-9]+_+"?|\|-\n( *)_\n *_')
"""Matches the placeholders of `_outlined` as any writer writes them, with the indentation of a block."""


class Style(StrEnum):
    """How a string is written: on one line, on one line of more than 1000 characters, or as a block of lines.

    The style can change the text around the string.
    """

    LINE = ""
    LONG_LINE = "?"
    BLOCK = "|"


@record
class Syntax:
    """A writer. `write` writes a value. `string` writes a string on one line, and returns it after its style.

    A string in the style of a block is returned as it is, and `block` writes it with the given indentation.
    """

    write: Callable[[Value], str]
    string: Callable[[str], tuple[Style, str]]
    block: Callable[[str, str], str] = lambda text, _indent: text


@record
class _Template:
    """The text between the strings, and the indentation of each string that is a block, by its position."""

    pieces: tuple[str, ...]
    blocks: tuple[tuple[int, str], ...]


class Templates:
    """Writes values, and remembers the structures of those that it has written."""

    def __init__(self, syntax: Syntax) -> None:
        self._syntax = syntax
        self._templates: dict[str, _Template | None] = {}
        self._encode = _encoder(_Strings(syntax).__getitem__)

    def write(self, value: Value) -> str:
        """Return the same text as the ordinary writer. From the third value of a structure on, this is faster."""
        if self._encode is None:
            return self._syntax.write(value)
        try:
            parts = "".join(self._encode(value, 0)).split(_SLOT)
        except (TypeError, ValueError):  # the ordinary writer raises an exception that explains what is wrong
            return self._syntax.write(value)
        template = self._template('"'.join(parts[::2]), value)
        if template is None:
            return self._syntax.write(value)
        parts[::2] = template.pieces
        for position, indent in template.blocks:
            parts[position] = self._syntax.block(parts[position], indent)
        return "".join(parts)

    def _template(self, structure: str, value: Value) -> _Template | None:
        """Return the template for a structure, or None if the structure is new or cannot have a template."""
        known = self._templates.get(structure)
        if known is None:
            known = _template_of(value, self._syntax) if structure in self._templates else None
            if len(self._templates) >= _MOST_TEMPLATES:
                self._templates.clear()
            self._templates[structure] = known
        return known


class _Strings(dict[str, str]):
    """Maps a string to what the encoder inserts for it: its style and, between two slots, its text.

    A block's text depends on its indentation, so the string itself is inserted.
    """

    def __init__(self, syntax: Syntax) -> None:
        super().__init__()
        self._string = syntax.string

    def __missing__(self, text: str) -> str:
        style, written = self._string(text)
        inserted = "".join((style, _SLOT, written, _SLOT))
        if style is not Style.BLOCK:
            if len(self) >= _MOST_STRINGS:
                self.clear()
            self[text] = inserted
        return inserted


def _encoder(insert: Callable[[str], str]) -> Callable[[object, int], Iterable[str]] | None:
    """Return the C encoder with a function of ours for strings, or None for a Python that does not have it."""
    try:
        from _json import make_encoder
    except ImportError:
        return None
    return make_encoder(None, _as_dict, insert, None, ":", ",", False, False, False)


def _as_dict(value: object) -> dict[object, object]:
    """Convert a mapping that is not a `dict`. The encoder calls this for everything that it does not know."""
    if isinstance(value, Mapping):
        return dict(cast("Mapping[object, object]", value))
    raise TypeError


def _template_of(value: Value, syntax: Syntax) -> _Template | None:
    """Write a value with placeholders for its strings. Returns None if a key contains a line break."""
    try:
        outline = _outlined(value, syntax, map(str, count()))
    except ValueError:
        return None
    pieces = _PLACEHOLDER.split(syntax.write(outline))
    indents: list[str | None] = pieces[1::2]
    blocks = ((2 * at + 1, indent) for at, indent in enumerate(indents) if indent is not None)
    return _Template(tuple(map(sys.intern, pieces[::2])), tuple(blocks))


def _outlined(value: Value, syntax: Syntax, numbers: Iterator[str]) -> Value:
    """Copy a value with a placeholder for each string. The placeholder has the string's style."""
    if isinstance(value, str):
        return _placeholder(syntax.string(value)[0], next(numbers))
    if isinstance(value, Mapping):
        return {_key(key, syntax, numbers): _outlined(item, syntax, numbers) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_outlined(item, syntax, numbers) for item in value]
    return value


def _key(key: object, syntax: Syntax, numbers: Iterator[str]) -> str:
    """Return a key's placeholder. A key is never a block, although its line break gives it that style."""
    if not isinstance(key, str) or (style := syntax.string(key)[0]) is Style.BLOCK:
        raise ValueError
    return _placeholder(style, next(numbers))


def _placeholder(style: Style, number: str) -> str:
    if style is Style.BLOCK:
        return "_\n_"
    return f"_{number}_" if style is Style.LINE else f"_{number}_" + "_" * _LONG
