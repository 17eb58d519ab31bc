"""Render diagnostics for people and machines, as text, JSON, SARIF and GitHub annotations."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeAlias

from modelyard.diagnostics.base import Diagnostic, Severity, explain_command, in_order
from modelyard.printing.annotations import annotation
from modelyard.printing.redact import MASK, redacted
from modelyard.printing.terminal import Cell, cells, clipped, visible, width
from modelyard.records import replace
from modelyard.source import Lines, SourceFile, Span

_COLOURS: Final = {Severity.ERROR: "\x1b[1;31m", Severity.WARNING: "\x1b[1;33m"}
_BOLD: Final = "\x1b[1m"
_FAINT: Final = "\x1b[34m"
_RESET: Final = "\x1b[0m"

_WIDEST: Final = 110
"""The maximum width of a quoted spec line if the terminal's width is unknown."""

_NARROWEST: Final = 30
_FRAME: Final = 5
"""The columns that a quoted line's frame takes up on a terminal: a bar with spaces, and a mark at each end that is cut.
"""

_AROUND: Final = 400
"""The number of characters to read before and after a span in a line, far more than fit on a screen."""

_REPETITIONS: Final = 10
"""The number of warnings with the same code that are shown in full."""

Texts: TypeAlias = Mapping[str, Lines]
"""The lines of each file, by path."""


def render(
    diagnostics: Iterable[Diagnostic],
    sources: Iterable[SourceFile],
    form: str = "text",
    colour: bool = False,
    columns: int | None = None,
    providers: Iterable[str] = (),
) -> str:
    """Render all diagnostics in order. Text output is empty if there are none.

    `sources` holds the files that spans refer to. `colour` and `columns` describe the terminal for text output.
    `providers` lists packages with providers' diagnostics, whose pages are included in SARIF.
    """
    if form == "text":
        return _text(in_order(diagnostics), tuple(sources), colour, columns)
    if form == "sarif":
        from modelyard.printing.sarif import sarif

        return sarif(in_order(diagnostics), providers)
    return FORMS[form](in_order(diagnostics))


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """Count errors and warnings, e.g. `2 errors, 1 warning`, or return "" if there are none."""
    severities = [diagnostic.severity for diagnostic in diagnostics]
    counts = [(severities.count(severity), severity.value) for severity in Severity]
    return ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts if count)


# --- text

Paint: TypeAlias = Callable[[str, str], str]


def _text(
    diagnostics: tuple[Diagnostic, ...], sources: tuple[SourceFile, ...], colour: bool, columns: int | None
) -> str:
    if not diagnostics:
        return ""
    lines = {source.path: source.lines() for source in sources}
    secrets = _secrets(diagnostics)
    shown, repeated = _without_repetition(diagnostics)
    blocks = [_block(diagnostic, lines, secrets, _painter(colour), columns) for diagnostic in shown]
    blocks += [f"{_repetition(code, more, _painter(colour))}\n" for code, more in repeated.items()]
    return "\n".join((*blocks, f"{summary(diagnostics)}\n"))


def _without_repetition(
    diagnostics: tuple[Diagnostic, ...],
) -> tuple[list[Diagnostic], dict[str, list[Diagnostic]]]:
    """Split off all but the first few warnings of each code, by code. All other diagnostics stay."""
    counts: dict[str, int] = {}
    shown: list[Diagnostic] = []
    repeated: dict[str, list[Diagnostic]] = {}
    for diagnostic in diagnostics:
        code = diagnostic.code
        counts[code] = counts.get(code, 0) + 1
        if diagnostic.severity is Severity.WARNING and counts[code] > _REPETITIONS:
            repeated.setdefault(code, []).append(diagnostic)
        else:
            shown.append(diagnostic)
    return shown, repeated


def _repetition(code: str, more: list[Diagnostic], paint: Paint) -> str:
    spans = [diagnostic.span for diagnostic in more if diagnostic.span is not None]
    files = {span.file: None for span in spans}
    between = f"on line {spans[0].line}" if len(spans) == 1 else f"from line {spans[0].line} to {spans[-1].line}"
    places = f", {between}" if len(files) == 1 else ""
    head = paint(_COLOURS[Severity.WARNING], f"warning[{code}]")
    return f"{head}{paint(_BOLD, f': and {len(more)} more like it{places}')}\n  = --format json lists all of them"


def _painter(colour: bool) -> Paint:
    return (lambda code, text: f"{code}{text}{_RESET}") if colour else (lambda _, text: text)


def _block(diagnostic: Diagnostic, lines: Texts, secrets: Secrets, paint: Paint, columns: int | None) -> str:
    head = paint(_COLOURS[diagnostic.severity], f"{diagnostic.severity}[{diagnostic.code}]")
    head += paint(_BOLD, f": {visible(redacted(diagnostic.message))}")
    page = f"= {explain_command(diagnostic.code)}"
    hint = visible(redacted(diagnostic.hint))
    span = diagnostic.span
    if span is None:
        rows = [head, *(_wrapped(hint, columns, "  = ") if hint else []), f"  {page}"]
        return "\n".join((*rows, ""))
    gutter = " " * (len(str(span.line)) + 1)
    place = f"{visible(span.file)}:{span.line}:{span.column}"
    rows = [head, f"{gutter}{paint(_FAINT, '-->')} {place}"]
    if span.file in lines and span.line <= len(lines[span.file]):
        line, span = _masked(lines[span.file][span.line - 1], span, secrets)
        room = _WIDEST if columns is None else max(_NARROWEST, columns - len(gutter) - _FRAME)
        text, marks = _excerpt(line, span, min(_WIDEST, room))
        bar = paint(_FAINT, "|")
        rows.append(f"{gutter} {bar}")
        rows.append(f"{paint(_FAINT, f' {span.line} |')} {text}".rstrip())
        hint_fits = columns is None or len(gutter) + 4 + sum(map(len, marks)) + len(hint) <= columns
        marked = f"{marks[1]} {hint}".rstrip() if hint_fits else marks[1]
        rows.append(f"{gutter} {bar} {marks[0]}{paint(_COLOURS[diagnostic.severity], marked)}")
        rows += [] if hint_fits else _wrapped(hint, columns, f"{gutter} = ")
    elif hint:
        rows += _wrapped(hint, columns, f"{gutter} = ")
    return "\n".join((*rows, f"{gutter} {page}", ""))


def _wrapped(text: str, columns: int | None, start: str) -> list[str]:
    """Wrap text to the terminal's width, or not at all without a terminal."""
    if columns is None or len(start) + len(text) <= columns:
        return [f"{start}{text}"]
    from textwrap import wrap

    room = max(_NARROWEST, columns)
    return wrap(text, room, initial_indent=start, subsequent_indent=" " * len(start), break_on_hyphens=False)


Secrets: TypeAlias = Mapping[tuple[str, int], Sequence[Span]]
"""The spans that must not be displayed because they contain secrets, by file and line."""


def _secrets(diagnostics: Iterable[Diagnostic]) -> Secrets:
    result: dict[tuple[str, int], list[Span]] = {}
    for diagnostic in diagnostics:
        if diagnostic.secret and diagnostic.span:
            result.setdefault((diagnostic.span.file, diagnostic.span.line), []).append(diagnostic.span)
    return result


def _masked(line: str, span: Span, secrets: Secrets) -> tuple[str, Span]:
    """Return the part of a line around a span, with secrets hidden, and the span's position in that part."""
    for secret in sorted(secrets.get((span.file, span.line), ()), key=lambda place: -place.column):
        line, span = _hidden(line, span, secret)
    left = max(0, span.column - _AROUND)
    part = redacted(line[left : span.column + _AROUND])
    return part, replace(span, column=span.column - left, end_column=span.end_column - left)


def _hidden(line: str, span: Span, secret: Span) -> tuple[str, Span]:
    """Hide a secret in a line. If the secret continues on another line, hide the rest of this line."""
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


def _excerpt(line: str, span: Span, widest: int) -> tuple[str, tuple[str, str]]:
    """Return the part of a line that fits the width, and the spaces and marks that underline the span."""
    line_cells: list[Cell] = cells(line)
    start = min(span.column - 1, len(line_cells))
    end = max(start, min(span.end_column - 1, len(line_cells)))
    line_cells, start, end = clipped(line_cells, start, end, widest)
    text = "".join(piece for piece, _ in line_cells)
    return text, (" " * width(line_cells[:start]), "^" * max(1, width(line_cells[start:end])))


# --- machine-readable formats


def _json(diagnostics: tuple[Diagnostic, ...]) -> str:
    return json_report(diagnostics)


def json_report(diagnostics: Iterable[Diagnostic], **results: object) -> str:
    """Render diagnostics as a JSON object, together with the results of a command."""
    diagnostics = in_order(diagnostics)
    entries = [json_entry(diagnostic) for diagnostic in diagnostics]
    return json.dumps({"summary": summary(diagnostics), "diagnostics": entries, **results}, indent=2) + "\n"


def json_entry(diagnostic: Diagnostic) -> dict[str, object]:
    """Return a diagnostic as a JSON object, without anything that looks like a secret."""
    span = diagnostic.span
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "message": redacted(diagnostic.message),
        "hint": redacted(diagnostic.hint),
        "file": span.file if span else None,
        "line": span.line if span else None,
        "column": span.column if span else None,
        "endColumn": span.end_column if span else None,
        "help": explain_command(diagnostic.code),
    }


def _github(diagnostics: tuple[Diagnostic, ...]) -> str:
    return "".join(_annotation(diagnostic) for diagnostic in diagnostics)


def _annotation(diagnostic: Diagnostic) -> str:
    text = "\n".join(part for part in (redacted(diagnostic.message), redacted(diagnostic.hint)) if part)
    return annotation(diagnostic.severity.value, diagnostic.code, text, diagnostic.span)


FORMS: Final[Mapping[str, Callable[[tuple[Diagnostic, ...]], str]]] = MappingProxyType(
    {"json": _json, "github": _github}
)
"""Machine-readable formats, by name. Text and SARIF are not included, because they need more than the diagnostics."""
