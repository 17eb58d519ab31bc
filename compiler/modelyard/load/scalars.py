"""Convert plain YAML scalars to JSON values according to the YAML 1.2 core schema."""

from __future__ import annotations

import math
from typing import Final

from modelyard.patterns import pattern

MAX_INTEGER: Final = 2**53
"""The largest integer that every JSON reader represents exactly."""

WORDS: Final[dict[str, None | bool]] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
NUMBER_STARTS: Final = frozenset("+-.0123456789")

_INTEGER = pattern(r"[-+]?[0-9]+\Z")
_OCTAL = pattern(r"0o[0-7]+\Z")
_HEXADECIMAL = pattern(r"0x[0-9a-fA-F]+\Z")
_FLOAT = pattern(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_INFINITE = pattern(r"[-+]?\.(?:inf|Inf|INF)\Z")
_NOT_A_NUMBER = frozenset({".nan", ".NaN", ".NAN"})
_LONGEST_INTEGER = 400


def plain_value(text: str) -> None | bool | int | float | str:
    """Return the value of an unquoted scalar: null, true, false, a number, or the string itself.

    The number may be one that specs don't allow; see `is_finite` and `MAX_INTEGER`.
    """
    if text and text[0] in NUMBER_STARTS:
        return plain_number(text)
    return WORDS.get(text, text)


def plain_number(text: str) -> int | float | str:
    """Return the number that a string represents, or the string itself."""
    if _INTEGER.match(text):
        return _integer(text)
    if _FLOAT.match(text):
        return float(text)
    if _OCTAL.match(text):
        return int(text[2:], 8)
    if _HEXADECIMAL.match(text):
        return int(text[2:], 16)
    if _INFINITE.match(text):
        return -math.inf if text[0] == "-" else math.inf
    return math.nan if text in _NOT_A_NUMBER else text


def _integer(text: str) -> int:
    """Parse an integer. Only the first 400 digits are parsed, which is enough to reject longer ones."""
    digits = text.lstrip("+-").lstrip("0") or "0"
    value = int(digits[:_LONGEST_INTEGER])
    return -value if text[0] == "-" else value
