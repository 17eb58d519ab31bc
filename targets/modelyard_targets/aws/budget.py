"""What the machines and the network's endpoints of a placement cost a month, at least and at most."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from math import ceil
from typing import Final

from modelyard.cron import parse
from modelyard.plan import Hardware, NodePool, Plan
from modelyard.spec import Pipeline
from modelyard.target import Cost
from modelyard.units import money_text
from modelyard_targets.aws.foundation import endpoints_of, zones_of
from modelyard_targets.aws.machines import Price, table
from modelyard_targets.aws.pools import nodes_for, system_hardware, system_nodes
from modelyard_targets.cluster.demand import Asked, demand
from modelyard_targets.cluster.placed import target_of
from modelyard_targets.cluster.prices import HOURS_OF_A_MONTH

CURRENCY = "USD"

_ENDPOINT_HOURLY: Final = 0.01
"""Of an interface endpoint in one zone, in us-east-1 (aws.amazon.com/privatelink/pricing, 2026-11-25)."""


def cost(plan: Plan, placement: str) -> Cost | None:
    """What never goes away costs, and a system at its largest; None where there is no cluster."""
    if not plan.has_cluster(placement):
        return None
    return Cost(monthly_low(plan, placement), monthly_high(plan, placement))


def monthly_low(plan: Plan, placement: str) -> float:
    """The price when endpoints of models are at their smallest all month long and nothing else runs."""
    target, asked = target_of(plan, placement), demand(plan, placement, databases=False)
    system = system_hardware(plan.system, target)
    nodes = system_nodes(plan, placement).least * (system.price_hourly or 0.0)
    always = nodes + _hourly(asked.always, lambda one: one.least)
    return always * HOURS_OF_A_MONTH + endpoints_monthly(plan, placement)


def monthly_high(plan: Plan, placement: str) -> float:
    """The price when endpoints of models are at their largest all month long, and every run takes all of its time.

    What is there twice in a rollout is so for minutes, and not counted. Of a run that is started by hand or by a
    monitor nobody knows how often it is: it counts once. Nodes are those of the first choice of each class; what other
    groups cost where these are not to be had is not in it.
    """
    target, asked = target_of(plan, placement), demand(plan, placement, databases=False)
    system = system_hardware(plan.system, target)
    cost = endpoints_monthly(plan, placement)
    cost += system_nodes(plan, placement, rollouts=False).most * (system.price_hourly or 0.0) * HOURS_OF_A_MONTH
    cost += _hourly(asked.always, lambda one: one.most) * HOURS_OF_A_MONTH
    for name, run in asked.runs.items():
        cost += _hourly(run, lambda one: one.most) * hours_of(plan.system.pipelines[name])
    return cost


def network_endpoints(plan: Plan, placement: str) -> tuple[int, int]:
    """How many services have an interface endpoint in a network that is made here, and in how many zones."""
    target = target_of(plan, placement)
    return (0, 0) if target.vpc.adopt else (len(endpoints_of(plan, placement)), zones_of(target))


def endpoints_monthly(plan: Plan, placement: str) -> float:
    """What these cost, whether anybody calls them or not."""
    services, zones = network_endpoints(plan, placement)
    return services * zones * _ENDPOINT_HOURLY * HOURS_OF_A_MONTH


def prices_of(plan: Plan, placement: str) -> tuple[Price, ...]:
    """The prices that were counted with, each source once."""
    region = target_of(plan, placement).region
    found: dict[tuple[str, str], Price] = {}
    for hardware in _machines(plan, placement):
        price = table().price(hardware.machine, region, hardware.spot)
        if price is not None:
            found.setdefault((price.source, price.region), price)
    return tuple(found.values())


def cost_rows(plan: Plan, placement: str) -> Iterator[tuple[str, str]]:
    """Rows of the README: the least and the most that is to be paid, and where the prices are from."""
    low, high = (
        money_text(amount, CURRENCY) for amount in (monthly_low(plan, placement), monthly_high(plan, placement))
    )
    services, zones = network_endpoints(plan, placement)
    what = "machines and endpoints of the network cost" if services else "machines cost"
    yield f"{what} in any case", f"{low} a month: endpoints at their smallest, and the cluster itself"
    yield f"{what} at most", f"{high} a month: endpoints at their largest all the time, every run until its timeout"
    if services:
        own = money_text(endpoints_monthly(plan, placement), CURRENCY)
        yield (
            "of these, network endpoints",
            f"{own} a month: {services} services in {zones} zones, at the price of us-east-1",
        )
    region = target_of(plan, placement).region
    for price in prices_of(plan, placement):
        where = price.region if price.region == region else f"{price.region} if none is known for {region}"
        yield "prices", f"of {price.date}, {where}: {price.source}"


def _machines(plan: Plan, placement: str) -> Iterator[Hardware]:
    yield system_hardware(plan.system, target_of(plan, placement))
    yield from (one.value.hardware for one in plan.on(placement) if isinstance(one.value, NodePool))


def _hourly(asked: Iterable[Asked], count: Callable[[Asked], int]) -> float:
    """The hourly price of the whole nodes that hold these Pods, which share the nodes of their compute class.

    Pods of the platform run on the nodes of the system pool, and add nothing here.
    """
    pods: dict[Hardware, int] = {}
    for one in asked:
        if one.hardware is not None:
            pods[one.hardware] = pods.get(one.hardware, 0) + count(one)
    return sum(nodes_for(hardware, number) * (hardware.price_hourly or 0.0) for hardware, number in pods.items())


def hours_of(pipeline: Pipeline) -> float:
    """How long a pipeline's runs take a month if each takes all of its time."""
    one = pipeline.timeout_s / 3600
    if pipeline.schedule.kind != "cron":
        return min(HOURS_OF_A_MONTH, one)
    gaps = parse(pipeline.schedule.cron).gaps_s()
    starts = ceil(HOURS_OF_A_MONTH * 3600 / gaps[0]) if gaps is not None else 0
    return min(HOURS_OF_A_MONTH, starts * one)
