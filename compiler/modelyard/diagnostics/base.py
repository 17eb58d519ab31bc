"""The type of all diagnostics, and the order in which they are printed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from operator import attrgetter
from types import MappingProxyType
from typing import Final

from modelyard.nearest import nearest, nearest_name
from modelyard.records import record
from modelyard.source import Span

__all__ = [
    "ENTRIES",
    "Diagnostic",
    "Severity",
    "explain_command",
    "has_errors",
    "in_order",
    "joined",
    "nearest",
    "nearest_name",
    "quote",
    "shorten",
]

ENTRIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "stores": "store",
        "compute": "compute class",
        "data": "dataset",
        "models": "model",
        "pipelines": "pipeline",
        "inference": "endpoint",
        "monitors": "monitor",
        "channels": "channel",
        "overrides": "override",
        "vars": "variable",
        "lists": "list",
        "targets": "target",
    }
)
"""The word that messages use for an entry of each section."""

_LONGEST = 40


class Severity(StrEnum):
    """The severity of a diagnostic. Errors make a run fail, and warnings do not."""

    ERROR = "error"
    WARNING = "warning"


@record
class Diagnostic:
    """A problem in a spec: what is wrong, where it is, and how to fix it.

    `secret` marks a span whose text must not be shown. `lacks` marks an error about a missing field that environments
    may add. `meant` pairs the name at the span with the one that was probably meant. `follows` marks an error caused by
    another error.
    """

    code: str
    severity: Severity
    message: str
    span: Span | None
    hint: str = ""
    secret: bool = False
    lacks: bool = False
    meant: tuple[str, str] | None = None
    follows: bool = False


def explain_command(code: str) -> str:
    """Return the command that explains a code. Messages have no links, because the installed package has no docs."""
    return f"modelyard explain {code}"


def quote(text: object) -> str:
    """Quote a string from the user's spec, truncated to 40 characters."""
    return f"'{shorten(str(text))}'"


def shorten(text: str) -> str:
    """Truncate a string to 40 characters, with an ellipsis."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def joined(names: Iterable[str], word: str = "and") -> str:
    """Join words as in a sentence: "" for none, `a`, `a and b`, or `a, b and c`."""
    *first, last = list(names) or [""]
    return f"{', '.join(first)} {word} {last}" if first else last


_severity: Final[Callable[[Diagnostic], Severity]] = attrgetter("severity")


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Return whether any of the diagnostics is an error."""
    return Severity.ERROR in map(_severity, diagnostics)


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Sort by file, line, column and code, and remove duplicates. Diagnostics without a location come first."""
    return tuple(sorted(dict.fromkeys(diagnostics), key=_place))


def _place(diagnostic: Diagnostic) -> tuple[str, int, int, str, str]:
    span = diagnostic.span
    if span is None:
        return ("", 0, 0, diagnostic.code, diagnostic.message)
    return (span.file, span.line, span.column, diagnostic.code, diagnostic.message)
