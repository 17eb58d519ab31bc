"""Tests that value hashes differ for different values, and don't depend on key order."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.source import Json, Span
from modelyard.spec import Range
from modelyard.value_hash import written

SCALARS = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.5, 1.5]) | st.text("a1:(;", max_size=3)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
    max_leaves=6,
)


def _same(first: Json, second: Json) -> bool:
    """Return whether two values are the same. true and 1 differ, but key order doesn't matter."""
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(_same, first, second))
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(_same(first[key], second[key]) for key in first)
    return type(first) is type(second) and bool(first == second)


@settings(max_examples=200, deadline=None)
@given(VALUES, VALUES)
def test_no_two_values_look_alike(first: Any, second: Any) -> None:
    assert (written(first) == written(second)) is _same(first, second)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.text("abc", max_size=2), SCALARS), st.randoms())
def test_the_order_of_keys_has_no_effect(value: dict[str, Any], random: Any) -> None:
    keys = list(value)
    random.shuffle(keys)

    assert written({key: value[key] for key in keys}) == written(value)


def test_places_have_no_effect_and_whole_numbers_have_one_form() -> None:
    assert written(Span("a", 1, 2, 3)) == written(Span("b", 4, 5, 6))
    assert written(Range(1, 2)) != written(Range(2, 1))
    assert written(2.0) == written(2)
    assert written(True) != written(1)
