"""Tests the direction of a change, including values that are unset and lists that gain and lose items."""

from __future__ import annotations

import pytest

from modelyard.review.changes import Change, Way
from modelyard.review.meaning import parsed
from modelyard.review.values import ABSENT, Leaf


def way(rating: str, before: Leaf, after: Leaf) -> Way:
    """Return the direction of a change of a field with this rating."""
    return Change(("field",), before, after, parsed(rating)).way


def number(value: float) -> Leaf:
    """Return a number."""
    return Leaf(f"{value:g}", value)


def items(*names: str) -> Leaf:
    """Return a list."""
    return Leaf(f"[{', '.join(names)}]", items=names)


@pytest.mark.parametrize(
    ("rating", "value", "removed"),
    [
        ("gate: less, absent", number(1), Way.LOOSER),
        ("retention: less, absent strictest", number(1), Way.STRICTER),
        ("evidence: less, absent neither", number(1), Way.OTHER),
        ("evidence: less", number(1), Way.OTHER),
        ("promotion: added, absent", items("mon"), Way.LOOSER),
        ("opening: added, absent empty", items("10.0.0.0/8"), Way.STRICTER),
        ("promotion: removed, absent empty", items("2026-12-24"), Way.LOOSER),
        ("gate: removed, absent strictest", items("auc"), Way.STRICTER),
        ("data: phi<public, absent", Leaf("phi"), Way.LOOSER),
    ],
)
def test_a_value_that_is_gone_goes_the_way_that_its_absence_means(rating: str, value: Leaf, removed: Way) -> None:
    reverse = {Way.LOOSER: Way.STRICTER, Way.STRICTER: Way.LOOSER, Way.OTHER: Way.OTHER}

    assert way(rating, value, ABSENT) is removed
    assert way(rating, ABSENT, value) is reverse[removed]


@pytest.mark.parametrize("direction", ["added", "removed"])
def test_a_replaced_item_is_looser_in_both_directions(direction: str) -> None:
    one, other = items("a", "b"), items("a", "c")

    assert way(f"opening: {direction}", one, other) is Way.LOOSER
    assert way(f"opening: {direction}", other, one) is Way.LOOSER


def test_an_empty_list_is_not_an_unset_one() -> None:
    """A stage without `checks` requires all checks, and a stage with an empty list requires none."""
    rating = "gate: removed, absent strictest"

    assert way(rating, ABSENT, items()) is Way.LOOSER
    assert way(rating, items(), ABSENT) is Way.STRICTER
    assert way(rating, items("auc"), items()) is Way.LOOSER
