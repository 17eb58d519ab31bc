"""Tests the minimum and maximum cost of a placement's machines, and the report if it exceeds the budget."""

from __future__ import annotations

import pytest

from modelyard.plan import NodePool, SystemPool
from modelyard_targets.gcp.budget import cost_rows, monthly_high, monthly_low
from modelyard_targets.gcp.pools import pool_nodes, system_nodes
from tests.targets.gcp.infrastructure import arguments, codes, components, leads, plan_of
from tests.targets.gcp.test_check import two

OWNER = "email: growth@acme.example}"
HOURS = 730


def budget(monthly: str, more: str = "") -> str:
    return leads((OWNER, f"{OWNER}, budget: {{monthly: {monthly}{more}}}"))


def test_a_budget_covers_every_project_of_the_system() -> None:
    """The budget is on the first target by name, and covers all targets by the system's label."""
    monthly = f"{OWNER}, budget: {{monthly: 90000 USD}}"
    one = arguments(components(leads((OWNER, monthly)))["Budget leads-main"])
    several = arguments(components(two("acme-lab").replace(OWNER, monthly), "lab")["Budget leads-lab"])

    assert several == {**one, "every_project": True}


def test_minimum_cost_counts_the_minimum_nodes() -> None:
    plan = plan_of()
    (system,) = plan.of(SystemPool, "main")
    small = next(pool.value for pool in plan.of(NodePool, "main") if pool.name == "small")
    always = system_nodes(plan, "main").least * (system.value.hardware.price_hourly or 0)

    assert pool_nodes(plan, "main")["small", 0].least == 1
    assert monthly_low(plan, "main") == pytest.approx((always + (small.hardware.price_hourly or 0)) * HOURS)


def test_more_replicas_cost_more() -> None:
    more = leads(("    compute: small\n", "    compute: small\n    replicas: {min: 1, max: 9}\n"))

    assert monthly_high(plan_of(more), "main") > monthly_high(plan_of(), "main")


def test_system_pool_has_its_own_cost_row() -> None:
    rows = dict(cost_rows(plan_of(), "main"))

    assert rows["of these, the system pool"].endswith("3 nodes of e2-standard-2, always running")


def test_budget_below_the_minimum_cost_warns_or_blocks() -> None:
    assert "W0513" in codes(budget("10 USD"))
    assert "E0513" in codes(budget("10 USD", ", onExceed: block"))
    assert not {"W0513", "E0513"} & codes(budget("90000 USD"))
