"""The YAML writer. Renders plain data in block style, using a single function for all scalars.

YAML 1.1 readers (PyYAML and older Go libraries) and YAML 1.2 readers get exactly the same data. Lists start in the
column of their key, as in kubectl's output. Keys keep their order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from math import isfinite

from modelyard.patterns import pattern
from modelyard.stack import Value
from modelyard.writers.templates import Style, Syntax, Templates

_LONGEST_KEY = 1000
"""The maximum length of an implicit key in characters. Longer keys are written after a question mark."""

_PLAIN = pattern(r"(?:-{0,2}[A-Za-z_]|[0-9/])(?:[\w./@+=%,()-]|:(?=[\w/.-])| (?=[\w/(+=-]))*", re.ASCII)
"""Matches strings that all readers take as plain: they begin like a word, path, option or quantity, and contain neither
`: ` nor ` #`.
"""

_NUMBER_OR_DATE = pattern(r"[0-9][0-9a-fA-FxXoOtTzZ_.:,+ -]*")
"""Matches the characters in any reader's numbers (in any base, including 60), dates and times, and some other strings.
"""

_WORDS = frozenset(
    f"{sign}{word}"
    for sign in ("", "-")
    for word in ("y", "n", "yes", "no", "on", "off", "true", "false", "null", "inf", "infinity", "nan")
)
"""Words, in lower case, that some YAML readers interpret as a boolean, null or a number."""

UNSEEN = (
    "\x00-\x08\x0b-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f"
    "\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Characters that editors hide, reorder or show as line breaks. The list is fixed, because Python's varies by version.
"""

_LISTS = (list, tuple)  # not every Sequence, because bytes and ranges are not data
NUMBERS: frozenset[type[object]] = frozenset({int, float, bool, type(None)})
"""The classes of most other scalars. They are tested before `Mapping`, because an abstract class is slow to check."""

_ESCAPED = pattern(f'["\\\\\t\n{UNSEEN}]')
_UNSEEN_OR_BREAK = pattern(f"[\t\n{UNSEEN}]")
_BLOCK = pattern(rf"\n*[^\s{UNSEEN}][^{UNSEEN}]*")
_BLANK_LINE_WITH_SPACES = pattern(r"^[ \t]+$", re.MULTILINE)
SURROGATE = pattern("[\ud800-\udfff]")
_SHORT_ESCAPES = {'"': '\\"', "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}


def document(value: Value) -> str:
    """Render a YAML document without `---`, ending in a newline.

    Raises ValueError for NaN, infinity and lone surrogates, and TypeError for anything that isn't plain data. Earlier
    stages reject all of these.
    """
    lines: list[str] = []
    _write(lines, value, "", "", "")
    return "\n".join(lines) + "\n"


def documents(values: Iterable[Value]) -> str:
    """Render several documents, separated by `---`. This is fast for documents with the same structure."""
    return "---\n".join(map(_TEMPLATES.write, values))


def comment(text: str) -> str:
    """Render our own text as a comment line. Raises ValueError if any part of it would end up outside the comment."""
    if _UNSEEN_OR_BREAK.search(text):
        raise ValueError("a comment is one line of visible text")
    return f"# {text}\n"


def scalar(value: Value) -> str:
    """Render a scalar on one line.

    This is the only function that chooses between plain, 'single' and "double" style.
    """
    return _text(value) if isinstance(value, str) else word(value, _float)


def word(value: Value, number: Callable[[float], str]) -> str:
    """Render a scalar other than a string. YAML and JSON use the same syntax, except for floats."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        if not isfinite(value):
            raise ValueError("nan and infinity are not plain data")
        return number(value)
    raise TypeError(f"{type(value).__name__} is not plain data")


def _line(text: str) -> str:
    visible = text.isascii() and text.isprintable()  # true of most strings, and faster than searching with patterns
    has_escapes = '"' in text or "\\" in text
    if not has_escapes and _is_plain(text):
        return str.__str__(text)
    if not visible and SURROGATE.search(text):
        raise ValueError("a lone surrogate is not text")
    if has_escapes and (visible or not _UNSEEN_OR_BREAK.search(text)):
        return "'" + text.replace("'", "''") + "'"
    return '"' + (text if visible else _ESCAPED.sub(_escape, text)) + '"'


_text = lru_cache(maxsize=8192)(_line)


def _is_plain(text: str) -> bool:
    return bool(_PLAIN.fullmatch(text)) and not _NUMBER_OR_DATE.fullmatch(text) and text.lower() not in _WORDS


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    short = _SHORT_ESCAPES.get(character)
    if short:
        return short
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _float(value: float) -> str:
    digits = float.__repr__(value)
    if "e" in digits and "." not in digits:
        return digits.replace("e", ".0e")  # YAML 1.1 requires the decimal point and reads 1e+16 as a string
    return digits


def _is_block(text: str) -> bool:
    """Return whether a literal block preserves this string, whose first line must not start with a space."""
    if "\n" not in text or not _may_be_block(text):
        return False
    ends_in_space = " \n" in text or "\t\n" in text or text[-1] in " \t"  # the search is slow, and matches are rare
    return not (ends_in_space and _BLANK_LINE_WITH_SPACES.search(text))


def _may_be_block(text: str) -> bool:
    if text.isascii() and text.replace("\n", "").isprintable():  # most strings; the pattern checks each character
        return text.lstrip("\n")[:1] not in ("", " ")
    return bool(_BLOCK.fullmatch(text))


def _block(lines: list[str], text: str, head: str, indent: str) -> None:
    chomp = "-" if not text.endswith("\n") else "+" if text.endswith("\n\n") else ""
    lines.append(f"{head}|{chomp}")
    content = text if chomp == "-" else text[:-1]
    if content.startswith("\n") or content.endswith("\n") or "\n\n" in content:
        lines.extend(indent + line if line else "" for line in content.split("\n"))
    else:
        lines.append(indent + content.replace("\n", f"\n{indent}"))  # no empty lines, which must not contain spaces


def _write(lines: list[str], value: Value, head: str, indent: str, list_indent: str) -> None:
    """Write a value after `head` (the start of a line, up to a space), on that line or the lines below it.

    On the lines below, mappings and blocks start at `indent`, and lists at `list_indent`. If `head` is empty, the value
    is the whole document.
    """
    if isinstance(value, str):
        if _is_block(value):
            _block(lines, value, head, indent or "  ")
        else:
            lines.append(head + _text(value))
    elif isinstance(value, _LISTS):
        if not value:
            lines.append(head + "[]")
            return
        if head:
            lines.append(head[:-1])
        _sequence(lines, value, list_indent, list_indent)
    elif value.__class__ not in NUMBERS and isinstance(value, (dict, Mapping)):
        if not value:
            lines.append(head + "{}")
            return
        if head:
            lines.append(head[:-1])
        _mapping(lines, value, indent, indent)
    else:
        lines.append(head + scalar(value))


def _mapping(lines: list[str], value: Mapping[str, Value], first: str, indent: str) -> None:
    """Write the entries at the given indentation. `first` is the text before the first entry."""
    deeper = indent + "  "
    lead = first
    for key, item in value.items():
        name = _text(key) if key.__class__ is str else _key(key)
        if isinstance(item, str) and "\n" not in item and len(name) <= _LONGEST_KEY:
            lines.append(f"{lead}{name}: {_text(item)}")  # the same as _write, but faster for most entries
        elif len(name) > _LONGEST_KEY:
            lines.append(f"{lead}? {name}")
            _write(lines, item, f"{indent}: ", deeper, deeper)
        else:
            _write(lines, item, f"{lead}{name}: ", deeper, indent)
        lead = indent


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a key is text, not {type(key).__name__}")
    return _text(key)


def _sequence(lines: list[str], value: Sequence[Value], first: str, indent: str) -> None:
    """Write the items at the given indentation. Nested mappings and lists start on the line of their dash."""
    deeper = indent + "  "
    lead = first
    for item in value:
        if not item or isinstance(item, str):
            _write(lines, item, f"{lead}- ", deeper, deeper)
        elif isinstance(item, _LISTS):
            _sequence(lines, item, f"{lead}- ", deeper)
        elif item.__class__ not in NUMBERS and isinstance(item, (dict, Mapping)):
            _mapping(lines, item, f"{lead}- ", deeper)
        else:
            _write(lines, item, f"{lead}- ", deeper, deeper)
        lead = indent


def _string(text: str) -> tuple[Style, str]:
    if "\n" in text and _is_block(text):
        return Style.BLOCK, text
    line = _line(text)
    return (Style.LINE if len(line) <= _LONGEST_KEY else Style.LONG_LINE), line


def _block_text(text: str, indent: str) -> str:
    lines: list[str] = []
    _block(lines, text, "", indent)
    return "\n".join(lines)


_TEMPLATES = Templates(Syntax(document, _string, _block_text))
