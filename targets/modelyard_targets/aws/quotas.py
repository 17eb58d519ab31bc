"""Quotas of an account that a system may exceed: what AWS gives a new account, and what the spec can come to need."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from math import ceil
from pathlib import Path
from typing import Final, NotRequired, TypedDict

from modelyard.patterns import pattern
from modelyard.plan import Identity, NodeGroup, NodePool, Plan
from modelyard.records import record
from modelyard.spec import Store
from modelyard_targets.aws.elastic import disk_gib, most_machines, most_vcpus, pools_of, ways_of
from modelyard_targets.aws.foundation import nat_of, zones_of
from modelyard_targets.aws.machines import offerings
from modelyard_targets.aws.options import vpc_of
from modelyard_targets.aws.pools import disks_of, pool_nodes, system_hardware, system_nodes
from modelyard_targets.kube.placement.placed import target_of

_TABLE: Final = Path(__file__).with_name("quotas.json")
_FAMILY: Final = pattern("([a-z]+)([0-9])")
_GIB_OF_A_TIB: Final = 1024
_OWN_ROLES: Final = 12
"""Of the cluster, its nodes, add-ons and logs, rounded up."""


class _Quota(TypedDict):
    """A quota of Service Quotas: `default` is that of a new account."""

    service: str
    code: str
    name: str
    default: int


class _OfMachines(_Quota):
    """A quota of vCPUs: of machines of these families and, where AWS divides them, generations."""

    families: list[str]
    spot: bool
    generations: NotRequired[list[int]]


class _Table(TypedDict):
    machines: list[_OfMachines]
    others: dict[str, _Quota]


@record
class Excess:
    """A quota below what a system needs at its largest."""

    service: str
    code: str
    name: str
    default: int
    needed: int


def excesses(plan: Plan, placement: str) -> tuple[Excess, ...]:
    """The quotas that have to be raised in a new account before a placement can be at its largest."""
    if not plan.has_cluster(placement):
        return ()
    table, needed = _table(), Counter(_vcpus(plan, placement))
    needed.update({table["others"][name]["code"]: count for name, count in _others(plan, placement)})
    quotas: list[_Quota] = [*table["machines"], *table["others"].values()]
    return tuple(
        Excess(quota["service"], quota["code"], quota["name"], quota["default"], needed[quota["code"]])
        for quota in quotas
        if needed[quota["code"]] > quota["default"]
    )


def _vcpus(plan: Plan, placement: str) -> Mapping[str, int]:
    """By code, vCPUs when all runs at its largest. Any group of a pool may have to take all of it, and so may any
    machine of an elastic class, as far as its NodePool lets Karpenter go.
    """
    found: Counter[str] = Counter()
    for groups in _pools(plan, placement):
        most: Counter[str] = Counter()
        for group, nodes, _ in groups:
            for machine in group.machines:
                most |= Counter({_code(machine, spot=group.spot): nodes * offerings().machine(machine).vcpus})
        found.update(most)
    for pool in _elastic(plan, placement):
        compute, vcpus = plan.system.compute[pool.compute], most_vcpus(pool, plan, placement)
        ways = ways_of(compute, target_of(plan, placement).region)
        found.update(dict.fromkeys((_code(machine, spot=spot) for machine, spot in ways), vcpus))
    return found


def _others(plan: Plan, placement: str) -> Iterator[tuple[str, int]]:
    """By its name in the table, what else a placement needs."""
    system, target, here = plan.system, target_of(plan, placement), plan.on(placement)
    if not vpc_of(target).adopt:
        gateways = {"none": 0, "one": 1, "per-zone": zones_of(target)}[nat_of(system, target)]
        yield "networks", 1
        yield "addresses", gateways
    disks = sum(max(nodes * gib for _, nodes, gib in groups) for groups in _pools(plan, placement))
    elastic = sum(most_machines(pool, plan, placement) for pool in _elastic(plan, placement))
    disks += elastic * disk_gib(plan, placement) if elastic else 0
    yield "disks", ceil(disks / _GIB_OF_A_TIB)
    stores = [one.value for one in here if isinstance(one.value, Store)]
    yield "databases", sum(store.type == "database" and not store.adopt for store in stores)
    yield "roles", _OWN_ROLES + sum(isinstance(one.value, Identity) for one in here)


def _pools(plan: Plan, placement: str) -> Iterator[Sequence[tuple[NodeGroup, int, int]]]:
    """The groups of each pool: with how many nodes it may have, and how large the disk of each is."""
    hardware = system_hardware(plan.system, target_of(plan, placement))
    group = hardware.groups[0]
    yield [(group, system_nodes(plan, placement).most, disks_of(hardware, group).root_gib)]
    sizes = pool_nodes(plan, placement)
    for resource in plan.on(placement):
        pool = resource.value
        if isinstance(pool, NodePool) and pool.groups:
            yield [
                (group, sizes[pool.compute, at].most, disks_of(pool.hardware, group).root_gib)
                for at, group in enumerate(pool.groups)
            ]


def _elastic(plan: Plan, placement: str) -> Iterator[NodePool]:
    """The pools whose machines Karpenter makes."""
    yield from (pool for _, pool in pools_of(plan, placement) if pool.elastic)


def _code(machine: str, *, spot: bool) -> str:
    """The quota that a machine counts towards."""
    kind = _FAMILY.match(machine)
    assert kind is not None  # the table of machines has no other names
    family, generation = kind[1], int(kind[2])
    return next(
        quota["code"]
        for quota in _table()["machines"]
        if family in quota["families"]
        and spot == quota["spot"]
        and generation in quota.get("generations", (generation,))
    )


@cache
def _table() -> _Table:
    table: _Table = json.loads(_TABLE.read_text(encoding="utf-8"))
    return table
