"""Tests the minimum and maximum cost of a system, and the report if it exceeds its budget."""

from __future__ import annotations

import pytest

from modelyard.plan import Hardware, NodePool, Plan, SystemPool
from modelyard_targets.aws.budget import cost_rows, endpoints_monthly, monthly_high, monthly_low
from modelyard_targets.aws.machines import offerings
from modelyard_targets.aws.pools import pool_nodes, system_nodes
from modelyard_targets.cloud.cost import prices_of
from modelyard_targets.cloud.pools import nodes_for
from tests.targets.aws.infrastructure import LEADS, arguments, changed, made, plan_of, refused

OWNER = "email: growth@acme.example}"


SMALLER = ("  small: {cpu: 1, memory: 2Gi}", "  small: {cpu: 500m, memory: 1Gi}")
"""A change that makes the class so small that several Pods fit on one node."""


def hardware_of(plan: Plan, compute: str) -> Hardware:
    """Return a compute class's hardware."""
    pools = (one.value for one in plan.on("main") if isinstance(one.value, NodePool))
    return next(pool.hardware for pool in pools if pool.compute == compute)


def budget(said: str) -> str:
    return changed((OWNER, f"{OWNER}, budget: {{{said}}}"))


def high(*changes: tuple[str, str]) -> float:
    return monthly_high(plan_of(changed(*changes)), "main")


def test_more_replicas_cost_more() -> None:
    assert high(("    compute: small\n", "    compute: small\n    replicas: {min: 1, max: 9}\n")) > high()


def test_minimum_cost_counts_the_minimum_nodes() -> None:
    """The minimum cost counts whole nodes, as `min_nodes` in the emitted program does."""
    plan = plan_of(changed(SMALLER))
    hardware = hardware_of(plan, "small")
    (system,) = plan.of(SystemPool, "main")
    always = system_nodes(plan, "main").least * (system.value.hardware.price_hourly or 0)

    assert nodes_for(offerings(), hardware, 2) == 1
    assert pool_nodes(plan, "main")["small", 0].least == 1
    assert monthly_low(plan, "main") == pytest.approx((always + (hardware.price_hourly or 0)) * 730)


def test_cost_includes_network_endpoints() -> None:
    """An enterprise with secrets, a database and an elastic class pays for ten endpoints in each of three zones.

    A small system pays for none.
    """
    large = changed(("metadata:", "profile: {industry: other, size: enterprise}\nmetadata:"))
    plan = plan_of(large)

    assert len(arguments(made(large)["Network leads-main"])["endpoints"]) == 10
    assert endpoints_monthly(plan, "main") == pytest.approx(10 * 3 * 0.01 * 730)
    assert endpoints_monthly(plan_of(), "main") == 0
    rows = dict(cost_rows(plan, "main"))
    assert (
        rows["of this minimum, network endpoints"]
        == "219 USD a month: 10 services in 3 zones, at the price of us-east-1"
    )


def test_system_pool_has_its_own_cost_row() -> None:
    """The README lists the cost of the system pool separately, because it belongs to no compute class."""
    plan = plan_of()
    (pool,) = plan.of(SystemPool, "main")
    nodes, machine = system_nodes(plan, "main").least, pool.value.hardware.machine
    monthly = f"{nodes * (pool.value.hardware.price_hourly or 0) * 730:.2f}"
    rows = dict(cost_rows(plan, "main"))

    assert (
        rows["of this minimum, the system pool"] == f"{monthly} USD a month: {nodes} nodes of {machine}, always running"
    )


def test_endpoints_of_one_class_share_its_nodes() -> None:
    """A second endpoint does not increase the minimum cost if its Pod fits on the same node."""
    second = "  other: {variants: {only: {model: churn@champion}}, compute: small}\n"
    one, two = (plan_of(changed(SMALLER) + more) for more in ("", second))

    assert system_nodes(one, "main").least == system_nodes(two, "main").least
    assert monthly_low(one, "main") == monthly_low(two, "main")


def test_cost_of_a_run_depends_on_its_timeout() -> None:
    assert high(("    timeout: 2h\n", "    timeout: 4h\n")) > high()


def test_cost_of_a_run_is_at_most_a_month() -> None:
    assert high(("    timeout: 2h\n", "    timeout: 24h\n")) == high(("    timeout: 2h\n", "    timeout: 30h\n"))


def test_prices_have_a_source_and_a_date() -> None:
    assert all(price.source and price.date for price in prices_of(offerings(), plan_of(), "main"))
    assert prices_of(offerings(), plan_of(), "main")


def test_exceeded_budget_warns_or_blocks() -> None:
    assert refused(budget("monthly: 100 USD")) == [
        f"W0513 governance: {{owner: {{team: growth, {OWNER}, budget: {{monthly: 100 USD}}}}"
    ]
    assert refused(budget("monthly: 100 USD, onExceed: block"))[0].startswith("E0513 ")
    assert refused(budget("monthly: 100000 USD, onExceed: block")) == []


def test_maximum_cost_never_blocks() -> None:
    """A budget between minimum and maximum cost causes only a warning, even with `onExceed: block`."""
    low, high = (of(plan_of(), "main") for of in (monthly_low, monthly_high))
    between = (low + high) / 2

    assert low < between < high
    assert refused(budget(f"monthly: {between:.0f} USD, onExceed: block"))[0].startswith("W0516 ")


def test_budget_is_created_in_the_account() -> None:
    call = arguments(made(budget("monthly: 99999.50 USD"))["Budget leads-main"])

    assert (call["monthly_usd"], call["system"], call["emails"]) == (100000, "leads", ["growth@acme.example"])
    assert not [name for name in made(LEADS) if name.startswith("Budget")]
