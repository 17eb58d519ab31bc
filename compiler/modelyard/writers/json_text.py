"""The JSON writer, used for embedded JSON such as dashboards and for machine-readable files.

The output is indented by two spaces so that a change affects only one line in a diff, and keys keep their order.
Letters of any script are printed as is. Invisible characters are escaped, so the text is also safe in a YAML block.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from json.encoder import encode_basestring

from modelyard.patterns import pattern
from modelyard.stack import Value
from modelyard.writers.templates import Style, Syntax, Templates
from modelyard.writers.yaml_text import NUMBERS, SURROGATE, UNSEEN, word

_UNSEEN = pattern(f"[{UNSEEN}]")


def json_text(value: Value) -> str:
    """Render a value as indented JSON, without a trailing newline.

    Raises ValueError for NaN, infinity and lone surrogates, and TypeError for anything that isn't plain data.
    """
    return _json(value, "\n")


def repeated_json_text(value: Value) -> str:
    """Return the same text as `json_text`. This is fast for values with the same structure."""
    return _TEMPLATES.write(value)


def _json(value: Value, newline: str) -> str:
    """Render a value. `newline` is a line break followed by the indentation of the value's first line."""
    if isinstance(value, str):
        return _string(value)
    deeper = newline + "  "
    if isinstance(value, (list, tuple)):
        if not value:
            return "[]"
        return "[" + deeper + f",{deeper}".join([_json(item, deeper) for item in value]) + newline + "]"
    if value.__class__ not in NUMBERS and isinstance(value, (dict, Mapping)):
        if not value:
            return "{}"
        entries = [
            f"{_string(key)}: {_string(item) if isinstance(item, str) else _json(item, deeper)}"  # most values are text
            for key, item in value.items()
        ]
        return "{" + deeper + f",{deeper}".join(entries) + newline + "}"
    return word(value, float.__repr__)


@lru_cache(maxsize=8192)
def _string(text: object) -> str:
    if not isinstance(text, str):
        raise TypeError(f"a key is text, not {type(text).__name__}")
    return _quoted(text)


def _quoted(text: str) -> str:
    quoted = encode_basestring(text)
    if quoted.isascii() and quoted.isprintable():
        return quoted
    return _UNSEEN.sub(_escape, quoted) if _UNSEEN.search(quoted) else quoted


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    if SURROGATE.match(character):
        raise ValueError("a lone surrogate is not text")
    code = ord(character)
    if code < 0x10000:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"


_TEMPLATES = Templates(Syntax(json_text, lambda text: (Style.LINE, _quoted(text))))
