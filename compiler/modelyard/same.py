"""Compare values of the typed spec. Python considers `true`, 1 and 1.0 equal, but user code and platforms may not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

AS_WRITTEN: Final[Mapping[str, frozenset[str]]] = {
    "Override": frozenset({"patch"}),
    "Parameter": frozenset({"choices"}),
    "Step": frozenset({"parameters"}),
}
"""Fields of records with JSON that is passed on as it was written. Any other number means the same as 1 and as 1.0."""

HOLDERS: Final[Mapping[str, frozenset[str]]] = {
    **AS_WRITTEN,
    "Pipeline": frozenset({"steps", "tuning"}),
    "Tuning": frozenset({"space"}),
}
"""Fields of records that contain such JSON, directly or in other records. A system's sections are compared one by one.
"""


def is_same(value: object, other: object) -> bool:
    """Return whether two values are equal and, within JSON that is passed through as written, of the same type."""
    return value is other or (value == other and _is_alike(value, other, type))


def is_same_for_platforms(value: object, other: object) -> bool:
    """Return whether two values are the same in a resource's arguments, in which Pulumi writes 1.0 as 1."""
    return value is other or (value == other and _is_alike(value, other, _is_boolean))


def _is_boolean(value: object) -> bool:
    return isinstance(value, bool)


def _is_alike(value: Any, other: Any, kind: Callable[[object], object]) -> bool:
    """Return whether equal values also have scalars of the same kind. Fields without JSON are skipped."""
    if value is other or isinstance(value, str):
        return True
    if isinstance(value, int | float):
        return kind(value) == kind(other)
    if isinstance(value, Mapping):
        entries = cast("Mapping[Any, Any]", value)  # type: ignore[redundant-cast] # for pyright, its entries are unknown
        return all(_is_alike(child, other[name], kind) for name, child in entries.items())
    if isinstance(value, tuple | list):
        items = cast("tuple[Any, ...]", value)
        return all(_is_alike(item, counterpart, kind) for item, counterpart in zip(items, other, strict=True))
    names = HOLDERS.get(type(value).__name__, ())
    return all(_is_alike(getattr(value, name), getattr(other, name), kind) for name in names)
