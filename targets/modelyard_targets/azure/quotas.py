"""Subscription quotas a system needs at maximum size: vCPUs per machine family, per region, and for spot."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from modelyard.plan import NodeGroup, NodePool, Plan, SystemPool
from modelyard.records import record
from modelyard_targets.azure.machines import offerings
from modelyard_targets.azure.pools import CLUSTER_MACHINE, cluster_nodes, pool_nodes, system_nodes

_TABLE: Final = os.path.join(os.path.dirname(__file__), "quotas.json")


@record
class Quota:
    """The maximum number of vCPUs a system needs. `metric` is the quota name in `az vm list-usage`."""

    what: str
    metric: str
    needed: int


def quotas(plan: Plan, placement: str) -> tuple[Quota, ...]:
    """Return the vCPUs a placement needs at its maximum size.

    On-demand vCPUs are counted by family and in total, spot vCPUs only in total, because Azure counts the spot machines
    of all families together. A new subscription has no quota for GPU families.
    """
    if not plan.has_cluster(placement):
        return ()
    families: Counter[str] = Counter()
    members: dict[str, dict[str, None]] = {}
    spot = 0
    for machine, nodes, is_spot in _machines(plan, placement):
        listed = offerings().machine(machine)
        if is_spot:
            spot += nodes * listed.vcpus
        else:
            families[listed.family] += nodes * listed.vcpus
            members.setdefault(listed.family, {})[machine] = None
    names = _table()["regional"]
    result = [Quota(f"vCPUs of {', '.join(members[family])}", family, count) for family, count in families.items()]
    result.append(Quota("vCPUs in the region", names["on-demand"], sum(families.values())))
    return (*result, *((Quota("spot vCPUs in the region", names["spot"], spot),) if spot else ()))


def _machines(plan: Plan, placement: str) -> Iterator[tuple[str, int, bool]]:
    """Yield each node pool's machine type and maximum size, and whether it is spot.

    Each pool of a compute class can grow to the full size of the class.
    """
    yield CLUSTER_MACHINE, cluster_nodes(plan), False
    for system in plan.of(SystemPool, placement):
        yield _machine(system.value.hardware.groups[0]), system_nodes(plan, placement).most, False
    sizes = pool_nodes(plan, placement)
    for pool in (resource.value for resource in plan.of(NodePool, placement)):
        for at, group in enumerate(pool.groups):
            yield _machine(group), sizes[pool.compute, at].most, group.spot


def _machine(group: NodeGroup) -> str:
    return group.machines[0]


@cache
def _table() -> Any:
    with open(_TABLE, encoding="utf-8") as file:
        return json.load(file)
