"""Tests the budget of all targets. Exceeding it with fixed costs can be an error, otherwise only a warning."""

from __future__ import annotations

import pytest

from modelyard.budget import check_budget
from modelyard.target import Cost
from tests.plans import plan_of
from tests.specs import changed


def said(block: bool, *costs: Cost) -> list[str]:
    """Return the codes for these costs and a budget of 18000 USD."""
    more = ", onExceed: block" if block else ""
    plan = plan_of(changed("{monthly: 18000 USD}", f"{{monthly: 18000 USD{more}}}"))
    return [one.code for one in check_budget(plan, costs)]


@pytest.mark.parametrize(("block", "code"), [(False, "W0513"), (True, "E0513")])
def test_targets_share_one_budget(block: bool, code: str) -> None:
    """Two targets that are each within the budget may exceed it together."""
    half = Cost(10_000, 10_000)

    assert said(block, half) == []
    assert said(block, half, half) == [code]


def test_exceeding_the_budget_at_maximum_scale_is_a_warning() -> None:
    assert said(True, Cost(1_000, 9_000), Cost(1_000, 9_001)) == ["W0516"]
    assert said(True, Cost(1_000, 9_000), Cost(1_000, 9_000)) == []
