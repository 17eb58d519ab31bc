"""Tests the AWS cost lines, and what is reported when a system exceeds its budget."""

from __future__ import annotations

import pytest

from modelyard_targets.aws.pools import pool_nodes, system_nodes
from modelyard_targets.cloud.costs.rows import cost_rows
from tests.costing import costs_of, line, lines_of, nodes_at_least
from tests.narrowing import present
from tests.targets.aws.infrastructure import LEADS, arguments, calls_by_name, changed, plan_of, refused

OWNER = "email: growth@acme.example}"
ENTERPRISE = ("metadata:", "profile: {industry: other, size: enterprise}\nmetadata:")
SMALLER = ("  small: {cpu: 1, memory: 2Gi}", "  small: {cpu: 500m, memory: 1Gi}")
"""A change that makes the compute class so small that several Pods fit on one node."""


def budget(fields: str) -> str:
    return changed((OWNER, f"{OWNER}, budget: {{{fields}}}"))


def ceiling(*changes: tuple[str, str]) -> float:
    return costs_of(plan_of(changed(*changes))).ceiling


def test_more_replicas_cost_more() -> None:
    assert ceiling(("    compute: small\n", "    compute: small\n    replicas: {min: 1, max: 9}\n")) > ceiling()


def test_the_floor_counts_the_minimum_nodes() -> None:
    """The cost floor counts whole nodes with the same function that sets `min_nodes` in the emitted program."""
    plan = plan_of(changed(SMALLER))
    least = system_nodes(plan, "main").least + sum(nodes.least for nodes in pool_nodes(plan, "main").values())

    assert pool_nodes(plan, "main")["small", 0].least == 1
    assert nodes_at_least(lines_of(plan)) == least


def test_network_endpoints_depend_on_the_size() -> None:
    """Large systems pay for VPC endpoints, and small ones pay for a single NAT gateway instead of one per zone.

    An enterprise system with secrets, a database and an elastic class has ten endpoints in each of three zones.
    """
    large, small = lines_of(plan_of(changed(ENTERPRISE))), lines_of(plan_of())

    assert len(arguments(calls_by_name(changed(ENTERPRISE))["Network leads-main"])["endpoints"]) == 10
    assert line(large, "interface endpoints").quantity.floor == 10 * 3 * 730
    assert not [entry for entry in small if "interface endpoints" in entry.what]
    assert [line(lines, "public addresses of NAT").quantity.floor for lines in (small, large)] == [730, 3 * 730]


def test_endpoints_of_one_class_share_its_nodes() -> None:
    """If a second endpoint's Pod fits on the same node, the endpoints share it and the floor doesn't change."""
    second = "  other: {variants: {only: {model: churn@champion}}, compute: small}\n"
    first, second_plan = (plan_of(changed(SMALLER) + more) for more in ("", second))
    shares = {each.component: each.quantity.floor for each in lines_of(second_plan) if each.what.startswith("replicas")}

    assert system_nodes(first, "main").least == system_nodes(second_plan, "main").least
    assert costs_of(first).floor == costs_of(second_plan).floor
    assert shares["inference.other"] == 365


def test_cost_of_a_run_depends_on_its_timeout_and_retries() -> None:
    timeout = "    timeout: 2h\n"

    assert ceiling((timeout, "    timeout: 4h\n")) > ceiling()
    assert ceiling((timeout, f"{timeout}    retries: 3\n")) > ceiling()


def test_cost_of_a_run_is_at_most_a_month() -> None:
    assert ceiling(("    timeout: 2h\n", "    timeout: 24h\n")) == ceiling(("    timeout: 2h\n", "    timeout: 30h\n"))


def test_the_floor_and_the_ceiling_of_spot_have_different_prices() -> None:
    """The ceiling uses on-demand prices, an upper bound for spot prices, because spot capacity may run out."""
    spot = [entry for entry in lines_of(plan_of()) if ", spot" in entry.what]

    assert spot
    assert all(entry.ceiling_price is not None and entry.price is not None for entry in spot)
    assert all(entry.ceiling_price.amount > entry.price.amount for entry in spot if entry.ceiling_price and entry.price)
    assert all("the ceiling assumes " in entry.assumptions for entry in spot)


def test_the_ceiling_names_the_machine_of_a_more_expensive_alternative() -> None:
    gpus = '  small: {cpu: 4, memory: 16Gi, accelerators: ["L4:1", "A10G:1"]}'
    replicas = line(lines_of(plan_of(changed((SMALLER[0], gpus)))), "replicas on g6.")

    assert present(replicas.ceiling_price).amount > present(replicas.price).amount
    assert "the ceiling assumes g5." in replicas.assumptions


def test_every_line_has_a_source_and_a_date() -> None:
    prices = [entry.price for entry in lines_of(plan_of())]

    assert prices
    assert all(price is not None and price.source and price.date for price in prices)


def test_prices_of_another_region_are_scaled_and_marked() -> None:
    """NAT gateway prices are known for us-east-1 and scaled by the instance price ratio in other regions."""
    price = present(line(lines_of(plan_of()), "NAT gateways").price)

    assert price.region == "us-east-1"
    assert price.amount > 0.045
    assert "the median ratio of machine prices" in price.estimate


def test_exceeded_budget_warns_or_blocks() -> None:
    assert refused(budget("monthly: 100 USD")) == [
        f"W0513 governance: {{owner: {{team: growth, {OWNER}, budget: {{monthly: 100 USD}}}}"
    ]
    assert refused(budget("monthly: 100 USD, onExceed: block"))[0].startswith("E0513 ")
    assert refused(budget("monthly: 100000 USD, onExceed: block")) == []


def test_ceiling_never_blocks() -> None:
    """A budget between the expected cost and the ceiling causes only a warning, even with `onExceed: block`."""
    costs = costs_of(plan_of())
    between = (costs.expected + costs.ceiling) / 2

    assert costs.floor < costs.expected < between < costs.ceiling
    assert refused(budget(f"monthly: {between:.0f} USD, onExceed: block"))[0].startswith("W0516 ")


def test_expected_cost_above_the_budget_is_a_warning() -> None:
    costs = costs_of(plan_of())
    between = (costs.floor + costs.expected) / 2

    assert refused(budget(f"monthly: {between:.0f} USD, onExceed: block"))[0].startswith("W0530 ")


def test_readme_shows_the_totals_and_the_parts_of_the_floor() -> None:
    lines = lines_of(plan_of())
    rows = dict(cost_rows(lines))
    parts = [float(text.split()[0]) for what, text in rows.items() if what.startswith("of this, ")]

    assert float(rows["even if nothing is used"].split()[0]) == pytest.approx(
        sum(entry.floor for entry in lines), abs=0.01
    )
    assert sum(parts) == pytest.approx(sum(entry.floor for entry in lines), abs=0.05)
    assert "ingested logs" in rows["without a bound"]


def test_budget_is_created_in_the_account() -> None:
    call = arguments(calls_by_name(budget("monthly: 99999.50 USD"))["Budget leads-main"])

    assert (call["monthly_usd"], call["system"], call["emails"]) == (100000, "leads", ["growth@acme.example"])
    assert not [name for name in calls_by_name(LEADS) if name.startswith("Budget")]
