"""Quote names and format values for PromQL and alert templates. All names from the spec must be quoted here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from modelyard.patterns import pattern

_NAME = pattern("[a-zA-Z_][a-zA-Z0-9_]*")
_SPECIAL = pattern(r"([.\\+*?()|\[\]{}^$])")
_QUOTED = r"\\\1"
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def string(text: str) -> str:
    """Quote text as a PromQL string."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'  # most strings need no escapes
    return '"' + "".join(_ESCAPES.get(letter) or _printable(letter) for letter in text) + '"'


def _printable(letter: str) -> str:
    code = ord(letter)
    if code >= 0x20 and code != 0x7F and not 0xD800 <= code <= 0xDFFF:
        return letter
    return f"\\x{code:02x}" if code < 0x80 else "\\ufffd"


def selector(exactly: Mapping[str, str], *more: str) -> str:
    """Return a selector `{label="value",…}` for the given exact label values and additional matchers."""
    return "{" + ",".join([*(f"{_label(name)}={string(value)}" for name, value in exactly.items()), *more]) + "}"


@lru_cache(maxsize=1024)
def _label(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a label")
    return name


def one_of(label: str, values: Iterable[str]) -> str:
    """Return a matcher for a label with any of the given values."""
    pattern = "|".join(_SPECIAL.sub(_QUOTED, value) for value in values)
    return f"{label}=~{string(pattern)}"


def matching(label: str, prefix: str, pattern: str) -> str:
    """Return a matcher for label values with a literal prefix followed by a regular expression match."""
    return f"{label}=~{string(_SPECIAL.sub(_QUOTED, prefix) + pattern)}"


def template_text(text: str) -> str:
    """Escape text for an alert's labels and annotations, where Prometheus expands `{{`."""
    return text.replace("{{", '{{ "{{" }}')


def duration(seconds: int) -> str:
    """Format a duration such as `5m`, `6h` or `3d`, in the largest unit that divides it evenly."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def number(value: float) -> str:
    """Format a number for PromQL as briefly as possible, without an unnecessary exponent."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))
