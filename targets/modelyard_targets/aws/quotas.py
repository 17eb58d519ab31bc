"""Quotas that a system may exceed, comparing a new account's defaults with the system's maximum needs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from math import ceil
from pathlib import Path
from typing import Final, NotRequired, TypedDict

from modelyard.patterns import pattern
from modelyard.plan import Identity, Kind, NodeGroup, NodePool, Plan, SystemPool
from modelyard.records import record
from modelyard_targets.aws.elastic import disk_gib, most_machines, most_vcpus, pools_of, ways_of
from modelyard_targets.aws.foundation import nat_of, zones_of
from modelyard_targets.aws.machines import offerings
from modelyard_targets.aws.options import vpc_of
from modelyard_targets.aws.pools import disks_of, pool_nodes, system_nodes
from modelyard_targets.kube.placement.placed import managed_stores, target_of

_TABLE: Final = Path(__file__).with_name("quotas.json")
_FAMILY: Final = pattern("([a-z]+)([0-9])")
_GIB_OF_A_TIB: Final = 1024
_OWN_ROLES: Final = 12
"""Roles for the cluster, its nodes, its add-ons and its logs, rounded up."""


class _Quota(TypedDict):
    """A quota from Service Quotas. `default` applies to new accounts."""

    service: str
    code: str
    name: str
    default: int


class _OfMachines(_Quota):
    """A vCPU quota for several instance families, or just some generations if AWS has separate quotas for them."""

    families: list[str]
    spot: bool
    generations: NotRequired[list[int]]


class _Table(TypedDict):
    machines: list[_OfMachines]
    others: dict[str, _Quota]


@record
class Excess:
    """A quota whose default is lower than what the system may need."""

    service: str
    code: str
    name: str
    default: int
    needed: int


def excesses(plan: Plan, placement: str) -> tuple[Excess, ...]:
    """Return the quotas to raise in a new account so that a placement can grow to its maximum size."""
    if not plan.has_cluster(placement):
        return ()
    table, needed = _table(), Counter(_vcpus(plan, placement))
    needed.update({table["others"][name]["code"]: count for name, count in _other_quotas(plan, placement)})
    quotas: list[_Quota] = [*table["machines"], *table["others"].values()]
    return tuple(
        Excess(quota["service"], quota["code"], quota["name"], quota["default"], needed[quota["code"]])
        for quota in quotas
        if needed[quota["code"]] > quota["default"]
    )


def _vcpus(plan: Plan, placement: str) -> Mapping[str, int]:
    """Return the maximum vCPUs by quota code.

    Each group of a pool may grow to the pool's full size. In an elastic class, the machines of each instance type may
    grow to the NodePool's limit.
    """
    totals: Counter[str] = Counter()
    for groups in _pools(plan, placement):
        most: Counter[str] = Counter()
        for group, nodes, _ in groups:
            for machine in group.machines:
                most |= Counter({_code(machine, spot=group.spot): nodes * offerings().machine(machine).vcpus})
        totals.update(most)
    for pool in _elastic(plan, placement):
        compute, vcpus = plan.system.compute[pool.compute], most_vcpus(pool, plan, placement)
        ways = ways_of(pool, compute.capacity)
        totals.update(dict.fromkeys((_code(machine, spot=spot) for machine, spot in ways), vcpus))
    return totals


def _other_quotas(plan: Plan, placement: str) -> Iterator[tuple[str, int]]:
    """Yield the table name of each quota other than vCPUs, and how much of it a placement needs."""
    system, target = plan.system, target_of(plan, placement)
    if not vpc_of(target).adopt:
        gateways = {"none": 0, "one": 1, "per-zone": zones_of(target)}[nat_of(system, target)]
        yield "networks", 1
        yield "addresses", gateways
    disks = sum(max(nodes * gib for _, nodes, gib in groups) for groups in _pools(plan, placement))
    elastic = sum(most_machines(pool, plan, placement) for pool in _elastic(plan, placement))
    disks += elastic * disk_gib(plan, placement) if elastic else 0
    yield "disks", ceil(disks / _GIB_OF_A_TIB)
    yield "databases", len(managed_stores(plan, placement, Kind.DATABASE))
    yield "roles", _OWN_ROLES + len(plan.of(Identity, placement))


def _pools(plan: Plan, placement: str) -> Iterator[Sequence[tuple[NodeGroup, int, int]]]:
    """Yield the node groups of each pool, with each group's maximum node count and disk size in GiB."""
    for system in plan.of(SystemPool, placement):
        hardware = system.value.hardware
        group = hardware.groups[0]
        yield [(group, system_nodes(plan, placement).most, disks_of(hardware, group).root_gib)]
    sizes = pool_nodes(plan, placement)
    for pool in (resource.value for resource in plan.of(NodePool, placement)):
        if pool.groups:
            yield [
                (group, sizes[pool.compute, at].most, disks_of(pool.hardware, group).root_gib)
                for at, group in enumerate(pool.groups)
            ]


def _elastic(plan: Plan, placement: str) -> Iterator[NodePool]:
    """Yield the pools whose nodes Karpenter launches."""
    yield from (pool for _, pool in pools_of(plan, placement) if pool.elastic)


def _code(machine: str, *, spot: bool) -> str:
    """Return the code of the vCPU quota that an instance type counts towards."""
    kind = _FAMILY.match(machine)
    assert kind is not None  # every name in the machine table matches
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
