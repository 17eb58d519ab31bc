"""Every diagnostic: one constructor per code, which holds its wording."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from modelyard.diagnostics.base import (
    Diagnostic,
    Severity,
    has_errors,
    in_order,
    nearest,
    nearest_name,
    quote,
    shorten,
)

__all__ = [
    "Diagnostic",
    "Severity",
    "codes",
    "has_errors",
    "in_order",
    "nearest",
    "nearest_name",
    "quote",
    "shorten",
]


def codes() -> Mapping[str, Callable[..., Diagnostic]]:
    """Every code in order, with the constructor whose docstring is its page in docs/errors.md."""
    from modelyard.diagnostics.table import CODES

    return CODES
