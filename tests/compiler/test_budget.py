"""Tests the budget shared by all targets, where excess fixed costs can be an error, and other costs only warn."""

from __future__ import annotations

import pytest

from modelyard.budget import check_budget
from modelyard.costs import CostLine, Quantity, Rate
from modelyard.diagnostics import Diagnostic
from modelyard.records import replace
from tests.plans import plan_of
from tests.specs import changed

EURO = Rate(1.0, "EUR", "here", "a test", "2026-01-01")


def line(floor: float, expected: float, ceiling: float) -> CostLine:
    return CostLine("platform", "main:", "machines", "hours", Quantity(floor, expected, ceiling), EURO, "compute")


def reported(block: bool, *lines: CostLine) -> list[Diagnostic]:
    """Return the diagnostics for the given cost lines and a budget of 18000 USD for all targets."""
    more = ", onExceed: block" if block else ""
    plan = plan_of(changed("{monthly: 18000 USD}", f"{{monthly: 18000 USD{more}}}"))
    return list(check_budget(plan, lines))


def codes(block: bool, *lines: CostLine) -> list[str]:
    return [diagnostic.code for diagnostic in reported(block, *lines)]


@pytest.mark.parametrize(("block", "code"), [(False, "W0513"), (True, "E0513")])
def test_targets_share_one_budget(block: bool, code: str) -> None:
    """Two targets that are each within the budget may exceed it together."""
    half = line(10_000, 10_000, 10_000)

    assert codes(block, half) == []
    assert codes(block, half, half) == [code]


def test_exceeding_the_budget_at_maximum_scale_is_a_warning() -> None:
    assert codes(True, line(1_000, 1_000, 9_000), line(1_000, 1_000, 9_001)) == ["W0516"]
    assert codes(True, line(1_000, 1_000, 9_000), line(1_000, 1_000, 9_000)) == []


def test_the_message_names_the_machine_whose_price_makes_the_ceiling() -> None:
    """If there are several, it's the one with the highest ceiling, in the words of `modelyard cost`."""
    small = replace(
        line(0, 0, 100), component="inference.other", ceiling_price=EURO, ceiling_assumes="small, on demand"
    )
    large = replace(line(0, 0, 90), component="inference.scorer", ceiling_price=replace(EURO, amount=200.0))
    large = replace(large, ceiling_assumes="g5.2xlarge, on demand")
    (problem,) = reported(False, line(0, 0, 20_000), small, large)
    (plain,) = reported(False, line(0, 0, 20_000))

    assert problem.message.endswith("all month; for inference.scorer, the ceiling assumes g5.2xlarge, on demand")
    assert large.assumptions == "the ceiling assumes g5.2xlarge, on demand"
    assert plain.message.endswith("all month")


def test_exceeding_the_budget_as_expected_is_a_warning() -> None:
    assert codes(True, line(1_000, 18_001, 90_000)) == ["W0530"]


def test_nothing_to_pay_is_within_every_budget() -> None:
    assert codes(True) == []


def test_the_message_says_how_certain_the_prices_are() -> None:
    """The message says if prices are from another region, and how many cost lines have no price."""
    scaled = replace(line(20_000, 20_000, 20_000), price=replace(EURO, estimate="price of us-east-1 × 1.2"))
    unpriced = replace(line(1, 1, 1), price=None)
    (problem,) = reported(True, scaled, unpriced, line(0, 0, 0))

    assert "costs 20000 USD even if nothing is used" in problem.message
    assert problem.message.endswith("(of 3 prices, 1 estimated from another region or machine and 1 unknown)")
