"""Read typed values from a validated document. A value with an unexpected type is a bug in modelyard."""

from __future__ import annotations

from typing import TypeAlias

from modelyard.source import Json

Node: TypeAlias = dict[str, Json]
"""A mapping in a document."""

EMPTY: Node = {}


class NotValidatedError(TypeError):
    """Raised during `resolve` if a document contains an error that `validate` should have rejected."""


def text(node: Node, field: str, default: str = "") -> str:
    """Return the string in a field, or the default."""
    value = node.get(field, default)
    if not isinstance(value, str):
        raise NotValidatedError(field)
    return value


def flag(node: Node, field: str, default: bool) -> bool:
    """Return the boolean in a field, or the default."""
    value = node.get(field, default)
    if not isinstance(value, bool):
        raise NotValidatedError(field)
    return value


def number(node: Node, field: str) -> float | None:
    """Return the number in a field, or None."""
    value = node.get(field)
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    raise NotValidatedError(field)


def integer(node: Node, field: str, default: int) -> int:
    """Return the integer in a field, or the default. As in JSON Schema, 2.0 is an integer."""
    value = number(node, field)
    return default if value is None else int(value)


def integers(node: Node, field: str, default: tuple[int, ...]) -> tuple[int, ...]:
    """Return the list of integers in a field, or the default."""
    values = items(node, field)
    if not all(isinstance(value, int | float) for value in values):
        raise NotValidatedError(field)
    return tuple(int(value) for value in values if isinstance(value, int | float)) or default


def mapping(node: Node, field: str) -> Node:
    """Return the mapping in a field, or an empty mapping."""
    value = node.get(field, EMPTY)
    if not isinstance(value, dict):
        raise NotValidatedError(field)
    return value


def named_nodes(node: Node, field: str) -> list[tuple[str, Node]]:
    """Return the entries of a mapping whose values are mappings."""
    return [(name, as_node(entry, field)) for name, entry in mapping(node, field).items()]


def as_node(value: Json, field: str) -> Node:
    """Return the value, which must be a mapping."""
    if not isinstance(value, dict):
        raise NotValidatedError(field)
    return value


def items(node: Node, field: str) -> list[Json]:
    """Return the list in a field, or an empty list."""
    value = node.get(field)
    if value is None:
        return []
    if not isinstance(value, list):
        raise NotValidatedError(field)
    return value


def texts(node: Node, field: str) -> tuple[str, ...]:
    """Return the list of strings in a field, or an empty list."""
    values = items(node, field)
    if not all(isinstance(value, str) for value in values):
        raise NotValidatedError(field)
    return tuple(str(value) for value in values)


def pairs(node: Node, field: str) -> tuple[tuple[str, str], ...]:
    """Return the mapping of strings in a field as pairs."""
    return tuple((name, text({name: value}, name)) for name, value in mapping(node, field).items())
