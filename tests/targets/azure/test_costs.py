"""Tests the Azure cost lines, and what is reported when a system exceeds its budget."""

from __future__ import annotations

import pytest

from modelyard.costs import total
from modelyard.usage import Rows, Usage
from modelyard_targets.azure.costs import premium
from modelyard_targets.azure.pools import pool_nodes, system_nodes
from tests.costing import costs_of, line, lines_of, nodes_at_least
from tests.targets.azure.infrastructure import arguments, codes, components, leads, plan_of

OWNER = "email: growth@acme.example}"


def budget(monthly: str, more: str = "") -> str:
    return leads((OWNER, f"{OWNER}, budget: {{monthly: {monthly}{more}}}"))


def test_the_floor_counts_the_nodes_that_are_never_removed() -> None:
    """AKS's own pool always has two nodes, in addition to the system pool and classes that serve models."""
    plan = plan_of()
    least = system_nodes(plan, "main").least + sum(nodes.least for nodes in pool_nodes(plan, "main").values())

    assert pool_nodes(plan, "main")["small", 0].least == 1
    assert nodes_at_least(lines_of(plan)) == least + 2
    assert line(lines_of(plan), "AKS' own pool, Standard_D2s_v5").quantity.floor == 2 * 730


def test_more_replicas_cost_more() -> None:
    more = leads(("    compute: small\n", "    compute: small\n    replicas: {min: 1, max: 9}\n"))

    assert costs_of(plan_of(more)).ceiling > costs_of(plan_of()).ceiling


@pytest.mark.parametrize(("size", "redundancy", "unpriced"), [("small", "LRS", 0), ("enterprise", "ZRS", 1)])
def test_stored_objects_have_the_price_of_their_redundancy(size: str, redundancy: str, unpriced: int) -> None:
    """The tables don't have the price of copies in three zones, so a total with them is a lower bound."""
    text = leads(("governance:", f"profile: {{size: {size}}}\ngovernance:"))
    rows = {"clicks": Rows(2_000_000, 140)}
    lines = [each for each in lines_of(plan_of(text), usage=Usage(data=rows)) if each.component == "stores.lake"]

    assert [each.what for each in lines] == [f"stored objects ({redundancy})"]
    assert arguments(components(text)["ObjectStore lake"]).get("redundancy", "LRS") == redundancy
    assert total(lines).unpriced == unpriced


@pytest.mark.parametrize(("gib", "tier"), [(64, "P6"), (65, "P10"), (100, "P10"), (129, "P15"), (1, "P1")])
def test_disks_are_paid_for_by_the_next_size(gib: int, tier: str) -> None:
    assert premium(gib).item == f"disk-{tier}-months"


def test_a_budget_below_the_least_is_pointed_out_or_refused() -> None:
    assert "W0513" in codes(budget("10 USD"))
    assert "E0513" in codes(budget("10 USD", ", onExceed: block"))
    assert not {"W0513", "E0513"} & codes(budget("90000 USD"))
