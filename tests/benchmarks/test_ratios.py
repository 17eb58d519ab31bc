"""Tests how budgets, bounds and margins decide whether measured ratios pass."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.benchmarks.ratios import STORED, Expected, Ratios


def measures(*ratios: float) -> Callable[[], float]:
    """Return a fake measurement function that returns the given ratios in order."""
    results = iter(ratios)
    return lambda: next(results)


def test_a_ratio_within_its_budget_is_measured_once() -> None:
    ratios = Ratios({"a": Expected(2.0)})

    ratios.check("a", measures(1.9))

    assert ratios.measured == {"a": 1.9}


def test_a_large_ratio_is_measured_twice_at_most() -> None:
    ratios = Ratios({"a": Expected(2.0)})

    ratios.check("a", measures(2.5, 1.8))
    assert ratios.measured == {"a": 1.8}

    with pytest.raises(AssertionError, match=r"a: 2\.10, the budget is 2"):
        ratios.check("a", measures(2.5, 2.1, 1.0))


def test_an_unknown_machine_gets_a_margin() -> None:
    ratios = Ratios({"a": Expected(2.0)}, margin=1.5)

    ratios.check("a", measures(2.9))
    with pytest.raises(AssertionError, match=r"a: 3\.10, the budget is 2, and 3\.00 is allowed here"):
        ratios.check("a", measures(3.1, 3.2))


def test_no_margin_is_added_to_a_bound_that_has_one() -> None:
    ratios = Ratios({"a": Expected(2.0, stored=2.1, bound=4.0, why="busy machines")}, margin=1.5)

    ratios.check("a", measures(3.9))
    with pytest.raises(AssertionError, match=r"and 4\.00 is allowed here"):
        ratios.check("a", measures(4.1, 4.2))


def test_the_bound_applies_instead_of_an_unmet_budget() -> None:
    ratios = Ratios({"a": Expected(2.0, bound=3.0, why="measured 2.7")})

    ratios.check("a", measures(2.9))
    assert list(ratios.table())[1].split() == ["a", "2", "3", "-", "2.90", "budget", "not", "kept", "yet"]

    with pytest.raises(AssertionError, match="the bound of a budget that is not kept yet is 3"):
        ratios.check("a", measures(3.1, 3.2))


@pytest.mark.parametrize(
    ("measured", "verdict"),
    [(1.0, ""), (1.3, "worse than stored"), (0.7, "better than stored"), (2.1, "exceeded")],
)
def test_verdict_compares_with_the_stored_ratio(measured: float, verdict: str) -> None:
    assert Expected(2.0, stored=1.0, band=0.2).verdict(measured) == verdict


def test_accepting_stores_only_measured_ratios() -> None:
    text = json.dumps({"a": {"budget": 2.0, "stored": 1.0}, "b": {"budget": 3.0}})
    ratios = Ratios.read(text)
    ratios.check("a", measures(1.234))

    assert json.loads(ratios.accepted(text)) == {"a": {"budget": 2.0, "stored": 1.23}, "b": {"budget": 3.0}}


def test_every_bound_has_a_reason_and_exceeds_its_budget() -> None:
    expected = Ratios.read(STORED.read_text(encoding="utf-8")).expected

    assert expected
    for what, entry in expected.items():
        if entry.bound is not None:
            assert entry.why, what
            assert entry.bound > entry.budget, what
