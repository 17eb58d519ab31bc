"""Minimum and maximum monthly cost of a placement's machines and VPC endpoints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.plan import Plan, SystemPool
from modelyard.target import Cost
from modelyard.units import money_text
from modelyard_targets.aws.foundation import endpoints_of, zones_of
from modelyard_targets.aws.machines import offerings
from modelyard_targets.aws.options import vpc_of
from modelyard_targets.aws.pools import system_nodes
from modelyard_targets.cloud import cost as machines
from modelyard_targets.cloud.existing import adopts
from modelyard_targets.kube.existing import budget as existing
from modelyard_targets.kube.placement.placed import target_of
from modelyard_targets.machines.prices import HOURS_OF_A_MONTH

CURRENCY = "USD"

_ENDPOINT_HOURLY: Final = 0.01
"""US dollars per interface endpoint and zone in us-east-1 (aws.amazon.com/privatelink/pricing, 2026-11-25)."""


def cost(plan: Plan, placement: str) -> Cost | None:
    """Return the minimum and maximum monthly cost, or None if there is no cluster.

    Of an adopted cluster, the machines that the spec describes count, and nothing else.
    """
    if not plan.has_cluster(placement) or adopts(plan, placement):
        return existing.cost(plan, placement)
    return Cost(monthly_low(plan, placement), monthly_high(plan, placement))


def monthly_low(plan: Plan, placement: str) -> float:
    """Return the monthly price with all endpoints at their smallest and no pipeline running."""
    nodes = system_nodes(plan, placement).least
    return machines.monthly_low(offerings(), plan, placement, nodes, endpoints_monthly(plan, placement))


def monthly_high(plan: Plan, placement: str) -> float:
    """Return the monthly price with all endpoints at their largest and every run lasting until its timeout."""
    nodes = system_nodes(plan, placement, rollouts=False).most
    return machines.monthly_high(offerings(), plan, placement, nodes, endpoints_monthly(plan, placement))


def network_endpoints(plan: Plan, placement: str) -> tuple[int, int]:
    """Return how many services have an interface endpoint, and in how many zones. An adopted VPC has (0, 0)."""
    target = target_of(plan, placement)
    return (0, 0) if vpc_of(target).adopt else (len(endpoints_of(plan, placement)), zones_of(target))


def endpoints_monthly(plan: Plan, placement: str) -> float:
    """Return the monthly price of the VPC endpoints, which does not depend on traffic."""
    services, zones = network_endpoints(plan, placement)
    return services * zones * _ENDPOINT_HOURLY * HOURS_OF_A_MONTH


def cost_rows(plan: Plan, placement: str) -> Iterator[tuple[str, str]]:
    """Yield the README's cost rows: minimum, maximum, and price sources."""
    low, high = (
        money_text(amount, CURRENCY) for amount in (monthly_low(plan, placement), monthly_high(plan, placement))
    )
    services, zones = network_endpoints(plan, placement)
    what = "machines and endpoints of the network cost" if services else "machines cost"
    yield f"{what} in any case", f"{low} a month: endpoints at their smallest, and the cluster itself"
    for pool in plan.of(SystemPool, placement):
        nodes, machine = system_nodes(plan, placement).least, pool.value.hardware.machine
        own = money_text(nodes * machines.system_hourly(plan, placement) * HOURS_OF_A_MONTH, CURRENCY)
        yield "of this minimum, the system pool", f"{own} a month: {nodes} nodes of {machine}, always running"
    if services:
        own = money_text(endpoints_monthly(plan, placement), CURRENCY)
        yield (
            "of this minimum, network endpoints",
            f"{own} a month: {services} services in {zones} zones, at the price of us-east-1",
        )
    yield f"{what} at most", f"{high} a month: endpoints at their largest all the time, every run until its timeout"
    yield from machines.price_rows(offerings(), plan, placement)
