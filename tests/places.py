"""Returns the positions of diagnostics in a form that tests can compare."""

from __future__ import annotations

from collections.abc import Iterable

from modelyard.diagnostics import Diagnostic


def places(diagnostics: Iterable[Diagnostic]) -> list[str]:
    """Return every diagnostic as `line:column code`."""
    return [f"{one.span.line}:{one.span.column} {one.code}" if one.span else one.code for one in diagnostics]
