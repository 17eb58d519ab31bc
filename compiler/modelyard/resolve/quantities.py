"""Read quantities, reporting invalid values and using a fallback instead so that resolving can continue."""

from __future__ import annotations

from typing import TypeVar

from modelyard import units
from modelyard.diagnostics import resolve as problems
from modelyard.nodes import Node, NotValidatedError, number, text
from modelyard.resolve.scope import Scope
from modelyard.source import Json, Path
from modelyard.spec import Range

_T = TypeVar("_T")


def seconds(scope: Scope, node: Node, key: str, path: Path) -> int | None:
    """Return a duration in seconds, or None if the field is absent."""
    value = text(node, key)
    if not value:
        return None
    return _read(
        scope, units.duration_s(value), 0, value, "a duration of whole seconds such as 30s, 15m, 6h or 7y", path, key
    )


def seconds_or(scope: Scope, node: Node, key: str, path: Path, default: int) -> int:
    """Return a duration in seconds, or the default."""
    result = seconds(scope, node, key, path)
    return default if result is None else result


def milliseconds_or(scope: Scope, node: Node, key: str, path: Path, default: int) -> int:
    """Return a duration in milliseconds, or the default."""
    value = text(node, key)
    if not value:
        return default
    return _read(scope, units.duration_ms(value), 0, value, "a duration such as 10ms, 2s or 1m", path, key)


def size(scope: Scope, node: Node, key: str, path: Path) -> int | None:
    """Return a size in bytes, or None if the field is absent."""
    value = text(node, key)
    if not value:
        return None
    return _read(scope, units.memory_bytes(value), 0, value, "an amount of bytes such as 512Mi, 16Gi or 1Ti", path, key)


def cpu(scope: Scope, node: Node, key: str, path: Path) -> int:
    """Return a CPU count in millicores, or 0 if the field is absent."""
    value = node.get(key)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise NotValidatedError(key)
    return _read(
        scope, units.cpu_millis(value), 0, value, "whole thousandths of a CPU, such as 4, 0.5 or 500m", path, key
    )


def part(scope: Scope, node: Node, key: str, path: Path, default: float) -> float:
    """Return a percentage as a fraction, or the default."""
    value = text(node, key)
    if not value:
        return default
    return _read(scope, units.fraction(value), 0.0, value, "a percentage from 0% to 100%", path, key)


def percent(scope: Scope, node: Node, key: str, path: Path, default: int) -> int:
    """Return a whole percentage, or the default."""
    value = text(node, key)
    if not value:
        return default
    return _read(scope, units.whole_percent(value), 0, value, "a whole percentage from 0% to 100%", path, key)


def amount(scope: Scope, node: Node, key: str, path: Path) -> tuple[float, str] | None:
    """Return an amount of money and its currency, or None if the field is absent."""
    value = text(node, key)
    if not value:
        return None
    return _read(scope, units.money(value), (0.0, ""), value, "an amount and a currency such as 18000 USD", path, key)


def range_of(value: Json, default: Range) -> Range:
    """Parse a range, given as `3` or `{min: 2, max: 8}`.

    A missing bound is taken from the default, adjusted so that min ≤ max.
    """
    if value is None:
        return default
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Range(int(value), int(value))
    if not isinstance(value, dict):
        raise NotValidatedError("range")
    low, high = number(value, "min"), number(value, "max")
    if low is None:
        low = default.minimum if high is None else min(default.minimum, high)
    if high is None:
        high = max(default.maximum, low)
    return Range(int(low), int(high))


def _read(scope: Scope, result: _T | None, fallback: _T, value: object, expected: str, path: Path, key: str) -> _T:
    if result is not None:
        return result
    span = scope.document.value_span((*path, key))
    scope.report(problems.unreadable_quantity(span, str(value), key, expected))
    return fallback
