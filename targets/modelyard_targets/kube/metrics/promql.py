"""Text in PromQL and in templates of alerts: the only way in which a name of the spec gets there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from modelyard.patterns import pattern

_NAME = pattern("[a-zA-Z_][a-zA-Z0-9_]*")
_SPECIAL = pattern(r"([.\\+*?()|\[\]{}^$])")
_QUOTED = r"\\\1"
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def string(text: str) -> str:
    """A double-quoted string of PromQL that means exactly this text."""
    return '"' + "".join(_ESCAPES.get(letter) or _printable(letter) for letter in text) + '"'


def _printable(letter: str) -> str:
    code = ord(letter)
    if code >= 0x20 and code != 0x7F and not 0xD800 <= code <= 0xDFFF:
        return letter
    return f"\\x{code:02x}" if code < 0x80 else "\\ufffd"


def selector(exactly: Mapping[str, str], *more: str) -> str:
    """`{label="value",…}` of labels with exactly these values, and matchers that are written already."""
    for name in exactly:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a label")
    return "{" + ",".join([*(f"{name}={string(value)}" for name, value in exactly.items()), *more]) + "}"


def one_of(label: str, values: Iterable[str]) -> str:
    """A matcher for exactly these values of a label."""
    pattern = "|".join(_SPECIAL.sub(_QUOTED, value) for value in values)
    return f"{label}=~{string(pattern)}"


def matching(label: str, prefix: str, pattern: str) -> str:
    """A matcher for values that begin with exactly this text and go on with a pattern of ours."""
    return f"{label}=~{string(_SPECIAL.sub(_QUOTED, prefix) + pattern)}"


def template_text(text: str) -> str:
    """Text in a label or an annotation of an alert: Prometheus expands `{{` there, which then stands for itself."""
    return text.replace("{{", '{{ "{{" }}')


def duration(seconds: int) -> str:
    """A range such as `5m`, `6h` or `3d`: the largest unit that divides it."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def number(value: float) -> str:
    """A number as PromQL reads it back: as short as it can be, without an exponent where there needs to be none."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))
