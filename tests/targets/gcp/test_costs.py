"""Tests the Google Cloud cost lines, and what is reported when a system exceeds its budget."""

from __future__ import annotations

import pytest

from modelyard_targets.gcp.pools import pool_nodes, system_nodes
from tests.costing import costs_of, lines_of, nodes_at_least
from tests.targets.gcp.infrastructure import LEADS, arguments, codes, components, leads, plan_of
from tests.targets.gcp.test_check import two

OWNER = "email: growth@acme.example}"


def budget(monthly: str, more: str = "") -> str:
    return leads((OWNER, f"{OWNER}, budget: {{monthly: {monthly}{more}}}"))


def test_a_budget_covers_every_project_of_the_system() -> None:
    """The first target by name gets the budget, which covers all targets through the system's label."""
    monthly = f"{OWNER}, budget: {{monthly: 90000 USD}}"
    single = arguments(components(leads((OWNER, monthly)))["Budget leads-main"])
    several = arguments(components(two("acme-lab").replace(OWNER, monthly), "lab")["Budget leads-lab"])

    assert several == {**single, "every_project": True}


def test_the_floor_counts_the_minimum_nodes() -> None:
    plan = plan_of()
    least = system_nodes(plan, "main").least + sum(nodes.least for nodes in pool_nodes(plan, "main").values())

    assert pool_nodes(plan, "main")["small", 0].least == 1
    assert nodes_at_least(lines_of(plan)) == least


def test_more_replicas_cost_more() -> None:
    more = leads(("    compute: small\n", "    compute: small\n    replicas: {min: 1, max: 9}\n"))

    assert costs_of(plan_of(more)).ceiling > costs_of(plan_of()).ceiling


def test_cloud_nat_is_paid_for_by_machines() -> None:
    """Cloud NAT is charged per machine behind it, for up to 32 machines."""
    many = leads(("    compute: small\n", "    compute: small\n    replicas: {min: 1, max: 90}\n"))
    few, large = (
        next(entry for entry in lines_of(plan) if entry.what == "Cloud NAT") for plan in (plan_of(), plan_of(many))
    )

    assert few.quantity.floor == nodes_at_least(lines_of(plan_of())) * 730
    assert large.quantity.ceiling == 32 * 730


def test_a_standby_doubles_the_database() -> None:
    two_zones = leads(("{type: database}", "{type: database, replicas: 2}"))
    alone, with_standby = (
        sum(each.floor for each in lines_of(plan_of(text)) if each.category == "database")
        for text in (LEADS, two_zones)
    )

    assert with_standby == pytest.approx(2 * alone)


def test_budget_below_the_minimum_cost_warns_or_blocks() -> None:
    assert "W0513" in codes(budget("10 USD"))
    assert "E0513" in codes(budget("10 USD", ", onExceed: block"))
    assert not {"W0513", "E0513"} & codes(budget("90000 USD"))
