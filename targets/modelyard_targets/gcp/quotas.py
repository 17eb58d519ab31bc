"""Project quotas a system needs at its maximum size: GPUs (zero in new projects), vCPUs and disks."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from modelyard.plan import NodeGroup, NodePool, Plan, SystemPool
from modelyard.records import record
from modelyard_targets.cloud.pools import DISK_GIB
from modelyard_targets.gcp.machines import PERSISTENT_DISK, disk_type, offerings
from modelyard_targets.gcp.pools import disks_of, pool_nodes, system_nodes

_TABLE: Final = os.path.join(os.path.dirname(__file__), "quotas.json")


@record
class Quota:
    """A quota, and how much of it a system may need. `metric` is its name in the Compute Engine API, if known."""

    what: str
    metric: str
    needed: int


def quotas(plan: Plan, placement: str) -> tuple[Quota, ...]:
    """Return the quotas that a placement needs at its maximum size.

    These are GPUs by model and capacity type, GPUs in total, vCPUs by machine series, and disks.
    """
    if not plan.has_cluster(placement):
        return ()
    accelerators: Counter[tuple[str, str]] = Counter()
    vcpus: Counter[str] = Counter()
    disks_gib = 0
    for group, nodes, disk_gib in _groups(plan, placement):
        machine = offerings().machine(group.machines[0])
        vcpus[machine.family] += nodes * machine.vcpus
        disks_gib += nodes * disk_gib if disk_type(group.machines[0]) == PERSISTENT_DISK else 0
        if group.accelerator is not None:
            capacity = "spot" if group.spot else "on-demand"
            accelerators[group.accelerator.name, capacity] += nodes * group.accelerator.count
    disks = Quota("GiB of Persistent Disks, for nodes", _table()["disks"], disks_gib)
    return (*_of_accelerators(accelerators), *_of_vcpus(vcpus), disks)


def _of_accelerators(counts: Mapping[tuple[str, str], int]) -> Iterator[Quota]:
    table = _table()
    for (name, capacity), count in counts.items():
        words = "spot" if capacity == "spot" else "on demand"
        yield Quota(f"{name} GPUs, {words}", table["accelerators"].get(name, {}).get(capacity, ""), count)
    if counts:
        yield Quota("GPUs in all regions", table["everywhere"], sum(counts.values()))


def _of_vcpus(counts: Mapping[str, int]) -> Iterator[Quota]:
    for family, count in counts.items():
        yield Quota(f"vCPUs of {family.upper()} machines", "", count)


def _groups(plan: Plan, placement: str) -> Iterator[tuple[NodeGroup, int, int]]:
    """Yield every node pool with its maximum node count and its boot disk size in GiB.

    Each pool of a compute class can grow to the full size of the class.
    """
    for system in plan.of(SystemPool, placement):
        yield system.value.hardware.groups[0], system_nodes(plan, placement).most, DISK_GIB
    sizes = pool_nodes(plan, placement)
    for pool in (resource.value for resource in plan.of(NodePool, placement)):
        for at, group in enumerate(pool.groups):
            yield group, sizes[pool.compute, at].most, disks_of(pool.hardware, group).root_gib


@cache
def _table() -> Any:
    with open(_TABLE, encoding="utf-8") as file:
        return json.load(file)
