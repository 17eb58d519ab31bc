"""Returns the positions of diagnostics in a form that tests can compare."""

from __future__ import annotations

from collections.abc import Iterable

from modelyard.diagnostics import Diagnostic


def places(diagnostics: Iterable[Diagnostic]) -> list[str]:
    """Return every diagnostic as `line:column code`."""
    return [
        f"{diagnostic.span.line}:{diagnostic.span.column} {diagnostic.code}" if diagnostic.span else diagnostic.code
        for diagnostic in diagnostics
    ]
