"""Tests whether changes are looser or stricter, even for unset values and lists that gain and lose items."""

from __future__ import annotations

import pytest

from modelyard.records import replace
from modelyard.review.changes import Change, Direction, changes
from modelyard.review.findings import Level
from modelyard.review.judging import judged
from modelyard.review.meaning import parsed
from modelyard.review.sides import Sides
from modelyard.review.values import ABSENT, Leaf
from modelyard.source import Json
from modelyard.spec import Override, System
from tests.benchmarks.systems import ON_PREM, system
from tests.narrowing import present
from tests.reviewing import outcome_of


def way(rating: str, before: Leaf, after: Leaf) -> Direction:
    """Return whether a change makes a field with the given rating looser or stricter."""
    return Change(("field",), before, after, parsed(rating)).way


def number(value: float) -> Leaf:
    """Return a numeric field value."""
    return Leaf(f"{value:g}", value)


def items(*names: str) -> Leaf:
    """Return a field value that is a list of the given items."""
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
    """A stage without `checks` requires all checks, whereas one with an empty list requires none."""
    rating = "gate: removed, absent strictest"

    assert way(rating, ABSENT, items()) is Direction.LOOSER
    assert way(rating, items(), ABSENT) is Direction.STRICTER
    assert way(rating, items("auc"), items()) is Direction.LOOSER


@pytest.mark.parametrize(
    ("value", "other", "texts"),
    [
        (True, 1, ("true", "1")),
        (1, 1.0, ("1", "1.0")),
        (True, "true", ("true", '"true"')),
        ([1], ["1"], ("[1]", '["1"]')),
        ({"layers": [1]}, {"layers": [True]}, ("{layers: [1]}", "{layers: [true]}")),
    ],
)
def test_a_parameter_of_another_type_is_a_change(value: Json, other: Json, texts: tuple[str, str]) -> None:
    """Python considers some of these values equal, and their text would otherwise be the same."""
    plain = present(outcome_of(system(1, where=ON_PREM)).system)
    (step,) = plain.pipelines["p0"].steps

    def with_value(value: Json) -> System:
        steps = (replace(step, parameters=(("depth", value),)),)
        return replace(plain, pipelines={"p0": replace(plain.pipelines["p0"], steps=steps)})

    (change,) = changes(with_value(value), with_value(other))
    assert change.path == ("pipelines", "p0", "parameters", "depth")
    assert (change.before.text, change.after.text) == texts
    assert not list(changes(with_value(value), with_value(value)))


def test_an_override_with_a_value_of_another_type_is_judged() -> None:
    """Python considers both patches equal, and the field isn't among those known to be harmless."""
    plain = present(outcome_of(system(1, where=ON_PREM)).system)

    def with_value(value: Json) -> System:
        patch = ({"op": "add", "path": "/spec/enabled", "value": value},)
        return replace(plain, overrides=(Override("gate", "main", "Gateway", "main", patch, "a test"),))

    (finding,) = judged(Sides(with_value(True), with_value(1)))
    assert (finding.code, finding.level) == ("R901", Level.DANGER)
    sets = "sets Gateway/main: add /spec/enabled ="
    assert finding.message.startswith(f"override gate {sets} 1 and no longer {sets} true")
