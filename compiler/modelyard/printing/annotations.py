"""Write annotations as GitHub workflow commands, which GitHub displays next to lines in a pull request.

See "Workflow commands for GitHub Actions" at docs.github.com/actions (2026-11).
"""

from __future__ import annotations

from modelyard.printing.terminal import visible
from modelyard.source import Span


def annotation(kind: str, title: str, text: str, span: Span | None) -> str:
    """Return the command for an annotation. `kind` is error, warning or notice."""
    properties: dict[str, object] = {"title": title}
    if span:
        place = {"file": span.file, "line": span.line, "col": span.column, "endColumn": span.end_column}
        properties = {**place, **properties}
    listed = ",".join(f"{key}={_escaped(str(value), ':,')}" for key, value in properties.items())
    return f"::{kind} {listed}::{_escaped(text)}\n"


def _escaped(text: str, extra: str = "") -> str:
    """Percent-encode characters that would end the command or a property, and make control characters visible."""
    text = "".join(character if character in "\r\n" else visible(character) for character in text)
    for character in f"%\r\n{extra}":
        text = text.replace(character, f"%{ord(character):02X}")
    return text
