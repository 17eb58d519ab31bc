"""Node pools: node counts of each machine group, Pods per node, and disks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import ceil
from typing import Final

from modelyard.plan import SYSTEM_POOL, Hardware, Job, NodeGroup, NodePool, Plan, SystemPool
from modelyard.records import record, replace
from modelyard.spec import ComputeClass, System, TargetSpec
from modelyard_targets.cloud.choose import choose
from modelyard_targets.cloud.offerings import Machine, Offerings
from modelyard_targets.kube.pipelines.machines import trains_together
from modelyard_targets.kube.pods.demand import Asked, demand
from modelyard_targets.kube.pods.sizes import AUTOSCALER, Size, head_size

DISK_GIB: Final = 100
_IMAGES_GIB: Final = 50
"""Ray images with CUDA take 10 to 20 GiB each, and the kubelet starts to delete images at 85 % of the disk."""

_ROOT_GIB: Final = 50
"""For the operating system and drivers, when images and Pods use local disks."""

_GI: Final = 1024**3


@record
class Disks:
    """The disks of a node: its root volume, and its local disks if they hold images and Pods' files."""

    root_gib: int
    local_gib: int = 0


@record
class Nodes:
    """The minimum and maximum nodes of a pool."""

    least: int
    most: int


def pool_nodes(offerings: Offerings, plan: Plan, placement: str) -> Mapping[tuple[str, int], Nodes]:
    """Return node counts by compute class and position of the group.

    All pipelines may run at the same time and all servers may be replaced at once, so everything counts.
    """
    asked = demand(plan, placement, databases=False)
    wanted: dict[str, list[Asked]] = {}
    for one in (*asked.always, *(one for run in asked.runs.values() for one in run)):
        if one.hardware is not None:
            wanted.setdefault(one.hardware.compute, []).append(one)
    found: dict[tuple[str, int], Nodes] = {}
    for pool in (resource.value for resource in plan.of(NodePool, placement)):
        mine = wanted.get(pool.compute, [])
        least, most = sum(one.least for one in mine), sum(one.most + one.surge for one in mine)
        for at in range(len(pool.groups)):
            minimum = nodes_for(offerings, pool.hardware, least) if at == 0 else 0
            found[pool.compute, at] = Nodes(minimum, max(1, nodes_for(offerings, pool.hardware, most, at)))
    return found


def choose_system(offerings: Offerings, system: System, target: TargetSpec) -> Hardware:
    """The machine of the system pool, which is on demand and has no taint: the cheapest that holds the largest head
    with what stands beside it.
    """
    size = head_size(system, target)
    cpu, memory = size.cpu_millis + AUTOSCALER.cpu_millis, size.memory_bytes + AUTOSCALER.memory_bytes
    chosen = choose(offerings, ComputeClass(SYSTEM_POOL, (), cpu, memory), target.region)
    assert isinstance(chosen, Hardware)  # a head is smaller than nearly all cloud machines
    return replace(chosen, tolerations=(), smaller=None)  # nobody writes how large these Pods are


def system_nodes(
    offerings: Offerings, plan: Plan, placement: str, cluster: Iterable[Size], *, rollouts: bool = True
) -> Nodes:
    """Return the node counts of the system pool: the minimum fits what always runs, the maximum has a spare node.

    `cluster` is what the cluster and its add-ons request. `rollouts` adds room for the second heads of servers being
    replaced.
    """
    (pool,) = plan.of(SystemPool, placement)
    machine = first_machine(offerings, pool.value.hardware.groups[0])
    asked = demand(plan, placement, databases=False)
    always = [one for one in asked.always if one.hardware is None]
    runs = [one for run in asked.runs.values() for one in run if one.hardware is None]
    fixed = tuple(cluster)
    least = max(3 if plan.system.profile.size == "enterprise" else 2, _nodes((*_least(always), *fixed), machine))
    return Nodes(least, max(least, _nodes((*_most((*always, *runs), rollouts), *fixed), machine)) + 1)


def pods_of_a_node(offerings: Offerings, hardware: Hardware, group: NodeGroup) -> int:
    """Return how many Pods of a class fit on a node of this group, at least one; its first machine is the smallest."""
    machine = first_machine(offerings, group)
    fits = [machine.cpu_millis // hardware.cpu_millis, machine.memory_bytes // hardware.memory_bytes]
    if hardware.accelerator is not None and group.accelerator is not None:
        fits.append(group.accelerator.count // hardware.accelerator.count)
    return max(1, min(fits))


def nodes_for(offerings: Offerings, hardware: Hardware, pods: int, at: int = 0) -> int:
    """Return how many nodes of a group, by default the first, hold this many Pods of a class.

    An elastic class has no groups: each Pod counts as a node, since it is unknown which Pods will share one.
    """
    fit = pods_of_a_node(offerings, hardware, hardware.groups[at]) if hardware.groups else 1
    return ceil(pods / fit)


def first_machine(offerings: Offerings, group: NodeGroup) -> Machine:
    """Return the first machine of a group."""
    return offerings.machine(group.machines[0])


def disks_of(offerings: Offerings, hardware: Hardware, group: NodeGroup) -> Disks:
    """Return the disks of a node's images and Pods: local ones if all machines have enough, else the root volume."""
    pods = pods_of_a_node(offerings, hardware, group) * (hardware.disk_bytes or 0)
    needed = max(DISK_GIB, _IMAGES_GIB + ceil(pods / _GI))
    local = min(offerings.machine(name).local_gib for name in group.machines)
    return Disks(_ROOT_GIB, local) if local >= needed else Disks(needed)


def classes_of_one_zone(plan: Plan, placement: str) -> frozenset[str]:
    """Return compute classes whose Pods train one model together in a single zone, without those that also serve:
    servers have to survive the loss of a zone.
    """
    always = demand(plan, placement, databases=False).always
    serving = {one.hardware.compute for one in always if one.hardware is not None}
    training = {
        job.hardware[step.name].compute
        for job in (resource.value for resource in plan.of(Job, placement))
        for step in job.pipeline.steps
        if trains_together(job, step)
    }
    return frozenset(training - serving)


def times(size: Size, count: int) -> Size:
    """Return the total requests of several containers of a size."""
    return Size(size.cpu_millis * count, size.memory_bytes * count)


def _least(asked: Iterable[Asked]) -> list[Size]:
    return [times(one.size, one.least) for one in asked]


def _most(asked: Iterable[Asked], rollouts: bool) -> list[Size]:
    return [times(one.size, one.most + (one.surge if rollouts else 0)) for one in asked]


def _nodes(sizes: tuple[Size, ...], machine: Machine) -> int:
    """Return the nodes needed by total requests, since the platform's Pods are small compared to its machines."""
    cpu, memory = sum(size.cpu_millis for size in sizes), sum(size.memory_bytes for size in sizes)
    return max(ceil(cpu / machine.cpu_millis), ceil(memory / machine.memory_bytes))
