"""All diagnostics. Each code has one constructor, which contains the wording."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from modelyard.diagnostics.base import (
    Diagnostic,
    Severity,
    explain_command,
    has_errors,
    in_order,
    nearest,
    nearest_name,
    quote,
    shorten,
)
from modelyard.when_used import load_when_used

__all__ = [
    "Diagnostic",
    "Severity",
    "codes",
    "explain_command",
    "has_errors",
    "in_order",
    "nearest",
    "nearest_name",
    "quote",
    "shorten",
]

load_when_used(__name__)


def codes(providers: Iterable[str] = ()) -> Mapping[str, Callable[..., Diagnostic]]:
    """Return all codes in order, along with the constructors whose docstrings `explain` and the docs print.

    `providers` lists the packages in which providers define their own constructors.
    """
    from modelyard.diagnostics.registry import collected

    return collected((__name__, *providers))
