"""Values that may be missing where a test cannot go on without them."""

from __future__ import annotations

from typing import TypeVar

Value = TypeVar("Value")


def present(found: Value | None) -> Value:
    """The value itself; the test fails where there is none."""
    if found is None:
        raise AssertionError("nothing was found")
    return found
