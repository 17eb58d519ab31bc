"""Minimum and maximum monthly cost of a placement's machines."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.plan import Plan, SystemPool
from modelyard.target import Cost
from modelyard.units import money_text
from modelyard_targets.cloud import cost as machines
from modelyard_targets.cloud.existing import adopts
from modelyard_targets.gcp.machines import offerings
from modelyard_targets.gcp.pools import system_nodes
from modelyard_targets.kube.existing import budget as existing
from modelyard_targets.machines.prices import HOURS_OF_A_MONTH

CURRENCY = "USD"


def cost(plan: Plan, placement: str) -> Cost | None:
    """Return the minimum and maximum monthly cost, or None if there is no cluster.

    Of an adopted cluster, the machines that the spec describes count, and nothing else.
    """
    if not plan.has_cluster(placement) or adopts(plan, placement):
        return existing.cost(plan, placement)
    return Cost(monthly_low(plan, placement), monthly_high(plan, placement))


def monthly_low(plan: Plan, placement: str) -> float:
    """Return the monthly price with all endpoints at their smallest and no pipeline running."""
    return machines.monthly_low(offerings(), plan, placement, system_nodes(plan, placement).least, 0.0)


def monthly_high(plan: Plan, placement: str) -> float:
    """Return the monthly price with all endpoints at their largest and every run lasting until its timeout."""
    nodes = system_nodes(plan, placement, rollouts=False).most
    return machines.monthly_high(offerings(), plan, placement, nodes, 0.0)


def cost_rows(plan: Plan, placement: str) -> Iterator[tuple[str, str]]:
    """Yield the README's cost rows: minimum, maximum, and price sources."""
    low, high = (
        money_text(amount, CURRENCY) for amount in (monthly_low(plan, placement), monthly_high(plan, placement))
    )
    yield "machines cost in any case", f"{low} a month: endpoints at their smallest, and the cluster itself"
    yield (
        "machines cost at most",
        f"{high} a month: endpoints at their largest all the time, every run until its timeout",
    )
    for pool in plan.of(SystemPool, placement):
        nodes, machine = system_nodes(plan, placement).least, pool.value.hardware.machine
        own = money_text(nodes * machines.system_hourly(plan, placement) * HOURS_OF_A_MONTH, CURRENCY)
        yield "of these, the system pool", f"{own} a month: {nodes} nodes of {machine}, always running"
    yield from machines.price_rows(offerings(), plan, placement)
