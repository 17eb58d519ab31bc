"""What the machines of a placement cost at least and at most, and diagnostics for exceeding the budget."""

from __future__ import annotations

import pytest

from modelyard.plan import NodePool, SystemPool
from modelyard_targets.azure.budget import cluster_monthly, cost_rows, monthly_high, monthly_low
from modelyard_targets.azure.machines import offerings
from modelyard_targets.azure.pools import CLUSTER_MACHINE, pool_nodes, system_nodes
from tests.narrowing import present
from tests.targets.azure.infrastructure import codes, leads, plan_of

OWNER = "email: growth@acme.example}"
HOURS = 730


def budget(monthly: str, more: str = "") -> str:
    return leads((OWNER, f"{OWNER}, budget: {{monthly: {monthly}{more}}}"))


def test_the_least_is_the_nodes_that_are_never_taken_away() -> None:
    plan = plan_of()
    (system,) = plan.of(SystemPool, "main")
    small = next(pool.value for pool in plan.of(NodePool, "main") if pool.name == "small")
    own = present(offerings().price(CLUSTER_MACHINE, "westeurope", spot=False))
    always = system_nodes(plan, "main").least * (system.value.hardware.price_hourly or 0) + 2 * own.hourly

    assert pool_nodes(plan, "main")["small", 0].least == 1
    assert monthly_low(plan, "main") == pytest.approx((always + (small.hardware.price_hourly or 0)) * HOURS)


def test_the_pool_of_aks_costs_the_same_whatever_runs() -> None:
    plan = plan_of()

    assert 0 < cluster_monthly(plan, "main") < monthly_low(plan, "main") < monthly_high(plan, "main")


def test_more_replicas_cost_more() -> None:
    more = leads(("    compute: small\n", "    compute: small\n    replicas: {min: 1, max: 9}\n"))

    assert monthly_high(plan_of(more), "main") > monthly_high(plan_of(), "main")


def test_both_pools_that_always_run_have_rows_of_their_own() -> None:
    rows = dict(cost_rows(plan_of(), "main"))

    assert rows["of these, the system pool"].endswith("2 nodes of Standard_D2as_v6, always running")
    assert rows["of these, AKS' own pool"].endswith("2 nodes of Standard_D2s_v5, always running")


def test_a_budget_below_the_least_is_pointed_out_or_refused() -> None:
    assert "W0513" in codes(budget("10 USD"))
    assert "E0513" in codes(budget("10 USD", ", onExceed: block"))
    assert not {"W0513", "E0513"} & codes(budget("90000 USD"))
