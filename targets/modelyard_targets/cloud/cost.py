"""Minimum and maximum monthly cost of a cloud placement's machines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from math import ceil

from modelyard.cron import parse
from modelyard.plan import Hardware, NodePool, Plan, SystemPool
from modelyard.spec import Pipeline
from modelyard_targets.cloud.offerings import Offerings, Price
from modelyard_targets.cloud.pools import nodes_for
from modelyard_targets.kube.pods.demand import Asked, demand
from modelyard_targets.machines.prices import HOURS_OF_A_MONTH


def monthly_low(offerings: Offerings, plan: Plan, placement: str, system_nodes: int, beside: float) -> float:
    """Return the monthly price with all endpoints at their smallest and no pipeline running.

    `system_nodes` is the number of nodes in the system pool, and `beside` is the placement's other monthly cost.
    """
    asked = demand(plan, placement, databases=False)
    system = system_nodes * system_hourly(plan, placement)
    always = system + _hourly(offerings, asked.always, lambda one: one.least)
    return always * HOURS_OF_A_MONTH + beside


def monthly_high(offerings: Offerings, plan: Plan, placement: str, system_nodes: int, beside: float) -> float:
    """Return the monthly price with all endpoints at their largest and every run lasting until its timeout.

    Extra Pods during a rollout exist for minutes and are not counted. Runs that are started by hand or by a monitor
    have no known frequency, so each counts once. Nodes are priced as each class's first choice, not as its fallback
    groups.
    """
    asked = demand(plan, placement, databases=False)
    cost = beside
    cost += system_nodes * system_hourly(plan, placement) * HOURS_OF_A_MONTH
    cost += _hourly(offerings, asked.always, lambda one: one.most) * HOURS_OF_A_MONTH
    for name, run in asked.runs.items():
        cost += _hourly(offerings, run, lambda one: one.most) * hours_of(plan.system.pipelines[name])
    return cost


def prices_of(offerings: Offerings, plan: Plan, placement: str) -> tuple[Price, ...]:
    """Return one price from each price source in use."""
    region = plan.system.target(placement).region
    found: dict[tuple[str, str], Price] = {}
    for hardware in _machines(plan, placement):
        price = offerings.price(hardware.machine, region, hardware.spot)
        if price is not None:
            found.setdefault((price.source, price.region), price)
    return tuple(found.values())


def price_rows(offerings: Offerings, plan: Plan, placement: str) -> Iterator[tuple[str, str]]:
    """Yield the README's rows with price sources."""
    region = plan.system.target(placement).region
    for price in prices_of(offerings, plan, placement):
        where = price.region if price.region == region else f"{price.region} if none is known for {region}"
        yield "prices", f"of {price.date}, {where}: {price.source}"


def hours_of(pipeline: Pipeline) -> float:
    """Return how many hours a pipeline runs each month if every run lasts until its timeout."""
    one = pipeline.timeout_s / 3600
    if pipeline.schedule.kind != "cron":
        return min(HOURS_OF_A_MONTH, one)
    gaps = parse(pipeline.schedule.cron).gaps_s()
    starts = ceil(HOURS_OF_A_MONTH * 3600 / gaps[0]) if gaps is not None else 0
    return min(HOURS_OF_A_MONTH, starts * one)


def system_hourly(plan: Plan, placement: str) -> float:
    """Return the hourly price of one system pool machine."""
    return sum(pool.value.hardware.price_hourly or 0.0 for pool in plan.of(SystemPool, placement))


def _machines(plan: Plan, placement: str) -> Iterator[Hardware]:
    yield from (pool.value.hardware for pool in plan.of(SystemPool, placement))
    yield from (pool.value.hardware for pool in plan.of(NodePool, placement))


def _hourly(offerings: Offerings, asked: Iterable[Asked], count: Callable[[Asked], int]) -> float:
    """Return the hourly price of the nodes for these Pods. Pods of the same compute class share nodes.

    Platform Pods are not counted, because they run on the system pool.
    """
    pods: dict[Hardware, int] = {}
    for one in asked:
        if one.hardware is not None:
            pods[one.hardware] = pods.get(one.hardware, 0) + count(one)
    return sum(
        nodes_for(offerings, hardware, number) * (hardware.price_hourly or 0.0) for hardware, number in pods.items()
    )
