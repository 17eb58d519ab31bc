"""Everything that can be told about a spec: one constructor a code, and the wording of each in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from modelyard.diagnostics import load
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

_CODES: Mapping[str, Callable[..., Diagnostic]] = MappingProxyType(
    {
        "E0101": load.not_utf8,
        "E0102": load.forbidden_character,
        "E0103": load.syntax,
        "E0104": load.tab_indentation,
        "E0105": load.empty_document,
        "E0106": load.second_document,
        "E0107": load.top_level_not_a_mapping,
        "E0108": load.duplicate_key,
        "E0109": load.key_not_text,
        "E0110": load.explicit_tag,
        "E0111": load.merge_key,
        "E0112": load.number_not_finite,
        "E0113": load.integer_too_large,
        "E0114": load.file_too_large,
        "E0115": load.nested_too_deep,
        "E0116": load.too_many_values,
        "E0117": load.alias_expansion,
        "E0118": load.recursive_alias,
        "E0119": load.unknown_alias,
        "E0120": load.too_many_mistakes,
    }
)


def codes() -> Mapping[str, Callable[..., Diagnostic]]:
    """Every code in order, with the constructor whose docstring is its page in docs/errors.md."""
    return _CODES
