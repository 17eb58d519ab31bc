"""The type of all diagnostics, and the order in which they are printed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
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
        "targets": "target",
    }
)
"""What messages call an entry of each section."""

_LONGEST = 40


class Severity(StrEnum):
    """How serious a diagnostic is. An error fails the run, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@record
class Diagnostic:
    """One problem in a spec: what is wrong, where, and how to fix it.

    `secret` marks a span whose text must not be shown. `lacks` marks an error about a missing field, which a base may
    leave to its environments. `meant` is the name at the span and the name that was probably meant. `follows` marks an
    error that another error causes.
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
    """The command that explains a code. An installed package has no docs to which messages could link."""
    return f"modelyard explain {code}"


def quote(text: object) -> str:
    """Quote a string from the user's spec, truncated to 40 characters."""
    return f"'{shorten(str(text))}'"


def shorten(text: str) -> str:
    """Truncate a string to 40 characters, with an ellipsis."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any of the diagnostics is an error."""
    return any(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Sort by file, line, column and code, without duplicates. Diagnostics without a place are first."""
    return tuple(sorted(dict.fromkeys(diagnostics), key=_place))


def _place(diagnostic: Diagnostic) -> tuple[str, int, int, str, str]:
    span = diagnostic.span
    if span is None:
        return ("", 0, 0, diagnostic.code, diagnostic.message)
    return (span.file, span.line, span.column, diagnostic.code, diagnostic.message)
