"""Diagnostics for people and machines: text, JSON, SARIF and GitHub annotations."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeAlias

from modelyard.diagnostics.base import Diagnostic, Severity, in_order
from modelyard.printing.redact import MASK, redacted
from modelyard.printing.terminal import Cell, cells, clipped, visible, width
from modelyard.records import replace
from modelyard.source import Lines, SourceFile, Span

_COLOURS: Final = {Severity.ERROR: "\x1b[1;31m", Severity.WARNING: "\x1b[1;33m"}
_BOLD: Final = "\x1b[1m"
_FAINT: Final = "\x1b[34m"
_PLAIN: Final = "\x1b[0m"

_AROUND: Final = 400
"""How many characters of a line before and after the place are read; a screen shows far fewer."""

Texts: TypeAlias = Mapping[str, Lines]
"""The lines of each file by path."""


def render(
    diagnostics: Iterable[Diagnostic], sources: Iterable[SourceFile], form: str = "text", colour: bool = False
) -> str:
    """All diagnostics in one of `FORMS`, in order; an empty text if there is nothing to print for people.

    `sources` are the files that the spans point into; colour is for terminals and affects text only.
    """
    return FORMS[form](in_order(diagnostics), tuple(sources), colour)


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """How many errors and warnings there are, such as `2 errors, 1 warning`; empty if there are none."""
    severities = [found.severity for found in diagnostics]
    counts = [(severities.count(severity), severity.value) for severity in Severity]
    return ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts if count)


# --- text


def _text(diagnostics: tuple[Diagnostic, ...], sources: tuple[SourceFile, ...], colour: bool) -> str:
    lines = {source.path: source.lines() for source in sources}
    secrets = _secrets(diagnostics)
    blocks = [_block(found, lines, secrets, _painter(colour)) for found in diagnostics]
    return "\n".join((*blocks, f"{summary(diagnostics)}\n")) if blocks else ""


Paint: TypeAlias = Callable[[str, str], str]


def _painter(colour: bool) -> Paint:
    return (lambda code, text: f"{code}{text}{_PLAIN}") if colour else (lambda _, text: text)


def _block(found: Diagnostic, lines: Texts, secrets: Secrets, paint: Paint) -> str:
    head = paint(_COLOURS[found.severity], f"{found.severity}[{found.code}]")
    head += paint(_BOLD, f": {visible(redacted(found.message))}")
    page = f"= docs/errors.md#{found.code.lower()}"
    hint = visible(redacted(found.hint))
    span = found.span
    if span is None:
        rows = [head, *([f"  = {hint}"] if hint else []), f"  {page}"]
        return "\n".join((*rows, ""))
    gutter = " " * (len(str(span.line)) + 1)
    place = f"{visible(span.file)}:{span.line}:{span.column}"
    rows = [head, f"{gutter}{paint(_FAINT, '-->')} {place}"]
    if span.file in lines and span.line <= len(lines[span.file]):
        line, span = _masked(lines[span.file][span.line - 1], span, secrets)
        text, marks = _excerpt(line, span)
        bar = paint(_FAINT, "|")
        rows.append(f"{gutter} {bar}")
        rows.append(f"{paint(_FAINT, f' {span.line} |')} {text}".rstrip())
        rows.append(f"{gutter} {bar} {marks[0]}{paint(_COLOURS[found.severity], f'{marks[1]} {hint}'.rstrip())}")
    elif hint:
        rows.append(f"{gutter} = {hint}")
    return "\n".join((*rows, f"{gutter} {page}", ""))


Secrets: TypeAlias = Mapping[tuple[str, int], Sequence[Span]]
"""By file and line, the parts that must not be shown."""


def _secrets(diagnostics: Iterable[Diagnostic]) -> Secrets:
    result: dict[tuple[str, int], list[Span]] = {}
    for found in diagnostics:
        if found.secret and found.span:
            result.setdefault((found.span.file, found.span.line), []).append(found.span)
    return result


def _masked(line: str, span: Span, secrets: Secrets) -> tuple[str, Span]:
    """The part of a line around a span, with secrets hidden, and the span within it."""
    for secret in sorted(secrets.get((span.file, span.line), ()), key=lambda one: -one.column):
        line, span = _hidden(line, span, secret)
    left = max(0, span.column - _AROUND)
    part = redacted(line[left : span.column + _AROUND])
    return part, replace(span, column=span.column - left, end_column=span.end_column - left)


def _hidden(line: str, span: Span, secret: Span) -> tuple[str, Span]:
    """The line with one secret hidden; a secret whose end is on another line hides the rest of this one."""
    is_short = secret.end_column <= secret.column + 1
    end = len(line) + 1 if is_short else min(secret.end_column, len(line) + 1)
    line = line[: secret.column - 1] + MASK + line[end - 1 :]
    shift = len(MASK) - (end - secret.column)
    if span.column >= end:
        return line, replace(span, column=span.column + shift, end_column=span.end_column + shift)
    if span.end_column > secret.column:
        column = min(span.column, secret.column)
        return line, replace(span, column=column, end_column=max(secret.column + len(MASK), span.end_column + shift))
    return line, span


def _excerpt(line: str, span: Span) -> tuple[str, tuple[str, str]]:
    """The visible part of a line, and below it the space and the marks that underline the span."""
    shown: list[Cell] = cells(line)
    start = min(span.column - 1, len(shown))
    end = max(start, min(span.end_column - 1, len(shown)))
    shown, start, end = clipped(shown, start, end)
    text = "".join(piece for piece, _ in shown)
    return text, (" " * width(shown[:start]), "^" * max(1, width(shown[start:end])))


# --- for machines


def _json(diagnostics: tuple[Diagnostic, ...], _sources: tuple[SourceFile, ...], _colour: bool) -> str:
    found = [_plain(diagnostic) for diagnostic in diagnostics]
    return json.dumps({"summary": summary(diagnostics), "diagnostics": found}, indent=2) + "\n"


def _plain(found: Diagnostic) -> dict[str, object]:
    span = found.span
    return {
        "code": found.code,
        "severity": found.severity.value,
        "message": redacted(found.message),
        "hint": redacted(found.hint),
        "file": span.file if span else None,
        "line": span.line if span else None,
        "column": span.column if span else None,
        "endColumn": span.end_column if span else None,
        "help": f"docs/errors.md#{found.code.lower()}",
    }


def _github(diagnostics: tuple[Diagnostic, ...], _sources: tuple[SourceFile, ...], _colour: bool) -> str:
    return "".join(_annotation(found) for found in diagnostics)


def _annotation(found: Diagnostic) -> str:
    """A workflow command, see docs.github.com/actions, Workflow commands for GitHub Actions (2026-11)."""
    properties: dict[str, object] = {"title": found.code}
    if found.span:
        span = found.span
        place = {"file": span.file, "line": span.line, "col": span.column, "endColumn": span.end_column}
        properties = {**place, **properties}
    listed = ",".join(f"{key}={_escaped(str(value), ':,')}" for key, value in properties.items())
    text = "\n".join(part for part in (redacted(found.message), redacted(found.hint)) if part)
    return f"::{found.severity} {listed}::{_escaped(text)}\n"


def _escaped(text: str, more: str = "") -> str:
    """Percent-escapes characters that would end the command or a property, and makes control characters visible."""
    text = "".join(character if character in "\r\n" else visible(character) for character in text)
    for character in f"%\r\n{more}":
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def _sarif(diagnostics: tuple[Diagnostic, ...], _sources: tuple[SourceFile, ...], _colour: bool) -> str:
    from modelyard.printing.sarif import sarif

    return sarif(diagnostics)


FORMS: Final[Mapping[str, Callable[[tuple[Diagnostic, ...], tuple[SourceFile, ...], bool], str]]] = MappingProxyType(
    {"text": _text, "json": _json, "sarif": _sarif, "github": _github}
)
"""The renderer of each format by name."""
