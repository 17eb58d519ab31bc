"""What the machines of a placement in a cloud cost a month, at least and at most."""

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
    """The price when endpoints of models are at their smallest all month long and nothing else runs.

    `system_nodes` is the size of the system pool, and `beside` what else the placement costs a month.
    """
    asked = demand(plan, placement, databases=False)
    system = system_nodes * system_hourly(plan, placement)
    always = system + _hourly(offerings, asked.always, lambda one: one.least)
    return always * HOURS_OF_A_MONTH + beside


def monthly_high(offerings: Offerings, plan: Plan, placement: str, system_nodes: int, beside: float) -> float:
    """The price when endpoints of models are at their largest all month long, and every run takes all of its time.

    What is there twice in a rollout is so for minutes, and not counted. Of a run that is started by hand or by a
    monitor nobody knows how often it is: it counts once. Nodes are those of the first choice of each class; what other
    groups cost where these are not to be had is not in it.
    """
    asked = demand(plan, placement, databases=False)
    cost = beside
    cost += system_nodes * system_hourly(plan, placement) * HOURS_OF_A_MONTH
    cost += _hourly(offerings, asked.always, lambda one: one.most) * HOURS_OF_A_MONTH
    for name, run in asked.runs.items():
        cost += _hourly(offerings, run, lambda one: one.most) * hours_of(plan.system.pipelines[name])
    return cost


def prices_of(offerings: Offerings, plan: Plan, placement: str) -> tuple[Price, ...]:
    """The prices that were counted with, each source once."""
    region = plan.system.target(placement).region
    found: dict[tuple[str, str], Price] = {}
    for hardware in _machines(plan, placement):
        price = offerings.price(hardware.machine, region, hardware.spot)
        if price is not None:
            found.setdefault((price.source, price.region), price)
    return tuple(found.values())


def price_rows(offerings: Offerings, plan: Plan, placement: str) -> Iterator[tuple[str, str]]:
    """Rows of the README that say where the prices are from."""
    region = plan.system.target(placement).region
    for price in prices_of(offerings, plan, placement):
        where = price.region if price.region == region else f"{price.region} if none is known for {region}"
        yield "prices", f"of {price.date}, {where}: {price.source}"


def hours_of(pipeline: Pipeline) -> float:
    """How long a pipeline's runs take a month if each takes all of its time."""
    one = pipeline.timeout_s / 3600
    if pipeline.schedule.kind != "cron":
        return min(HOURS_OF_A_MONTH, one)
    gaps = parse(pipeline.schedule.cron).gaps_s()
    starts = ceil(HOURS_OF_A_MONTH * 3600 / gaps[0]) if gaps is not None else 0
    return min(HOURS_OF_A_MONTH, starts * one)


def system_hourly(plan: Plan, placement: str) -> float:
    """The price of a machine of the system pool."""
    return sum(pool.value.hardware.price_hourly or 0.0 for pool in plan.of(SystemPool, placement))


def _machines(plan: Plan, placement: str) -> Iterator[Hardware]:
    yield from (pool.value.hardware for pool in plan.of(SystemPool, placement))
    yield from (pool.value.hardware for pool in plan.of(NodePool, placement))


def _hourly(offerings: Offerings, asked: Iterable[Asked], count: Callable[[Asked], int]) -> float:
    """The hourly price of the whole nodes that hold these Pods, which share the nodes of their compute class.

    Pods of the platform run on the nodes of the system pool, and add nothing here.
    """
    pods: dict[Hardware, int] = {}
    for one in asked:
        if one.hardware is not None:
            pods[one.hardware] = pods.get(one.hardware, 0) + count(one)
    return sum(
        nodes_for(offerings, hardware, number) * (hardware.price_hourly or 0.0) for hardware, number in pods.items()
    )
