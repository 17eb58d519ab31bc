"""Provides a helper for optional values that must not be None in a test."""

from __future__ import annotations

from typing import TypeVar

Value = TypeVar("Value")


def present(value: Value | None) -> Value:
    """Return the value, or fail the test if it is None."""
    if value is None:
        raise AssertionError("nothing was found")
    return value
