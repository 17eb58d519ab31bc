"""Tests that the hash of values distinguishes all values and does not depend on the order of keys."""

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


def _same(one: Json, other: Json) -> bool:
    """Return whether two values are the same. true and 1 differ, and pairs are entries of a mapping."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    return type(one) is type(other) and bool(one == other)


@settings(max_examples=200, deadline=None)
@given(VALUES, VALUES)
def test_no_two_values_look_alike(one: Any, other: Any) -> None:
    assert (written(one) == written(other)) is _same(one, other)


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
