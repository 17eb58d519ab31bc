"""Tests whether a change makes a field looser or stricter, even if a value is unset or a list gains and loses items."""

from __future__ import annotations

import pytest

from modelyard.review.changes import Change, Direction
from modelyard.review.meaning import parsed
from modelyard.review.values import ABSENT, Leaf


def way(rating: str, before: Leaf, after: Leaf) -> Direction:
    """Return whether a change makes a field with the given rating looser or stricter."""
    return Change(("field",), before, after, parsed(rating)).way


def number(value: float) -> Leaf:
    """Return a field's value that is a number."""
    return Leaf(f"{value:g}", value)


def items(*names: str) -> Leaf:
    """Return a field's value that is a list of the given items."""
    return Leaf(f"[{', '.join(names)}]", items=names)


@pytest.mark.parametrize(
    ("rating", "value", "removed"),
    [
        ("gate: less, absent", number(1), Direction.LOOSER),
        ("retention: less, absent strictest", number(1), Direction.STRICTER),
        ("evidence: less, absent neither", number(1), Direction.OTHER),
        ("evidence: less", number(1), Direction.OTHER),
        ("promotion: added, absent", items("mon"), Direction.LOOSER),
        ("opening: added, absent empty", items("10.0.0.0/8"), Direction.STRICTER),
        ("promotion: removed, absent empty", items("2026-12-24"), Direction.LOOSER),
        ("gate: removed, absent strictest", items("auc"), Direction.STRICTER),
        ("data: phi<public, absent", Leaf("phi"), Direction.LOOSER),
    ],
)
def test_a_value_that_is_gone_goes_the_way_that_its_absence_means(rating: str, value: Leaf, removed: Direction) -> None:
    reverse = {
        Direction.LOOSER: Direction.STRICTER,
        Direction.STRICTER: Direction.LOOSER,
        Direction.OTHER: Direction.OTHER,
    }

    assert way(rating, value, ABSENT) is removed
    assert way(rating, ABSENT, value) is reverse[removed]


@pytest.mark.parametrize("direction", ["added", "removed"])
def test_a_replaced_item_is_looser_in_both_directions(direction: str) -> None:
    first, second = items("a", "b"), items("a", "c")

    assert way(f"opening: {direction}", first, second) is Direction.LOOSER
    assert way(f"opening: {direction}", second, first) is Direction.LOOSER


def test_an_empty_list_is_not_an_unset_one() -> None:
    """A stage without `checks` requires all checks, and a stage with an empty list requires none."""
    rating = "gate: removed, absent strictest"

    assert way(rating, ABSENT, items()) is Direction.LOOSER
    assert way(rating, items(), ABSENT) is Direction.STRICTER
    assert way(rating, items("auc"), items()) is Direction.LOOSER
