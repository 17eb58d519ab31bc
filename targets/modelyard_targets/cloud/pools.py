"""Node pools: how many nodes each group of machines may have, how many Pods fit on one, and its disks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import ceil
from typing import Final

from modelyard.plan import Hardware, Job, NodeGroup, NodePool, Plan
from modelyard.records import record
from modelyard.spec import ComputeClass, System, TargetSpec
from modelyard_targets.cloud.choose import choose
from modelyard_targets.cloud.offerings import Machine, Offerings
from modelyard_targets.kube.pipelines.machines import trains_together
from modelyard_targets.kube.pods.demand import Asked, demand
from modelyard_targets.kube.pods.sizes import AUTOSCALER, Size, head_size

SYSTEM_POOL: Final = "system"
"""The pool of heads, of what starts runs, and of add-ons: on demand, and without a taint."""

DISK_GIB: Final = 100
_IMAGES_GIB: Final = 50
"""Images of Ray with CUDA take 10 to 20 GiB each, and the kubelet begins to delete at 85 % of the disk."""

_ROOT_GIB: Final = 50
"""The operating system with its drivers, where images and Pods are on local disks."""

_GI: Final = 1024**3


@record
class Disks:
    """The disks of a node: its root volume, and what its local disks hold where images and Pods are on them."""

    root_gib: int
    local_gib: int = 0


@record
class Nodes:
    """How many nodes a pool has at least and at most."""

    least: int
    most: int


def pool_nodes(offerings: Offerings, plan: Plan, placement: str) -> Mapping[tuple[str, int], Nodes]:
    """Nodes by compute class and position of the group.

    Pipelines may run at the same time, and all servers may be replaced at once, so that all of them count.
    """
    asked = demand(plan, placement, databases=False)
    wanted: dict[str, list[Asked]] = {}
    for one in (*asked.always, *(one for run in asked.runs.values() for one in run)):
        if one.hardware is not None:
            wanted.setdefault(one.hardware.compute, []).append(one)
    found: dict[tuple[str, int], Nodes] = {}
    for resource in plan.on(placement):
        if isinstance(resource.value, NodePool):
            pool = resource.value
            mine = wanted.get(pool.compute, [])
            least, most = sum(one.least for one in mine), sum(one.most + one.surge for one in mine)
            for at in range(len(pool.groups)):
                minimum = nodes_for(offerings, pool.hardware, least) if at == 0 else 0
                found[pool.compute, at] = Nodes(minimum, max(1, nodes_for(offerings, pool.hardware, most, at)))
    return found


def system_hardware(offerings: Offerings, system: System, target: TargetSpec) -> Hardware:
    """The machine of the system pool: the cheapest that holds the largest head with what stands beside it."""
    size = head_size(system, target)
    cpu, memory = size.cpu_millis + AUTOSCALER.cpu_millis, size.memory_bytes + AUTOSCALER.memory_bytes
    chosen = choose(offerings, ComputeClass(SYSTEM_POOL, (), cpu, memory), target.region)
    assert isinstance(chosen, Hardware)  # a head is smaller than nearly any machine of a cloud
    return chosen


def system_nodes(
    offerings: Offerings, plan: Plan, placement: str, cluster: Iterable[Size], *, rollouts: bool = True
) -> Nodes:
    """Nodes of the system pool: what is always there fits on the least, and a node more is one to move to.

    `cluster` is what the cluster and its add-ons take themselves. With `rollouts`, the second heads of servers that are
    replaced find room as well.
    """
    system, target = plan.system, plan.system.target(placement)
    machine = first_machine(offerings, system_hardware(offerings, system, target).groups[0])
    asked = demand(plan, placement, databases=False)
    always = [one for one in asked.always if one.hardware is None]
    runs = [one for run in asked.runs.values() for one in run if one.hardware is None]
    fixed = tuple(cluster)
    least = max(3 if system.profile.size == "enterprise" else 2, _nodes((*_least(always), *fixed), machine))
    return Nodes(least, max(least, _nodes((*_most((*always, *runs), rollouts), *fixed), machine)) + 1)


def pods_of_a_node(offerings: Offerings, hardware: Hardware, group: NodeGroup) -> int:
    """How many Pods of a class a node of this group holds, at least one: no machine of the group has less than the
    first.
    """
    machine = first_machine(offerings, group)
    fits = [machine.cpu_millis // hardware.cpu_millis, machine.memory_bytes // hardware.memory_bytes]
    if hardware.accelerator is not None and group.accelerator is not None:
        fits.append(group.accelerator.count // hardware.accelerator.count)
    return max(1, min(fits))


def nodes_for(offerings: Offerings, hardware: Hardware, pods: int, at: int = 0) -> int:
    """Whole nodes of a group, the first unless `at` names another, that hold so many Pods of a class.

    An elastic class has no groups: each Pod counts as a machine, since nobody knows which of them will share one.
    """
    fit = pods_of_a_node(offerings, hardware, hardware.groups[at]) if hardware.groups else 1
    return ceil(pods / fit)


def first_machine(offerings: Offerings, group: NodeGroup) -> Machine:
    """The first machine of a group."""
    return offerings.machine(group.machines[0])


def disks_of(offerings: Offerings, hardware: Hardware, group: NodeGroup) -> Disks:
    """Where the images of a node and what its Pods write are kept: on its local disks if every machine has enough."""
    pods = pods_of_a_node(offerings, hardware, group) * (hardware.disk_bytes or 0)
    needed = max(DISK_GIB, _IMAGES_GIB + ceil(pods / _GI))
    local = min(offerings.machine(name).local_gib for name in group.machines)
    return Disks(_ROOT_GIB, local) if local >= needed else Disks(needed)


def classes_of_one_zone(plan: Plan, placement: str) -> frozenset[str]:
    """Compute classes whose Pods train one model together, except those that something always runs on: servers are to
    outlive the loss of a zone.
    """
    always = demand(plan, placement, databases=False).always
    serving = {one.hardware.compute for one in always if one.hardware is not None}
    training = {
        job.hardware[step.name].compute
        for job in (resource.value for resource in plan.on(placement))
        if isinstance(job, Job)
        for step in job.pipeline.steps
        if trains_together(job, step)
    }
    return frozenset(training - serving)


def times(size: Size, count: int) -> Size:
    """What several containers of a size ask for together."""
    return Size(size.cpu_millis * count, size.memory_bytes * count)


def _least(asked: Iterable[Asked]) -> list[Size]:
    return [times(one.size, one.least) for one in asked]


def _most(asked: Iterable[Asked], rollouts: bool) -> list[Size]:
    return [times(one.size, one.most + (one.surge if rollouts else 0)) for one in asked]


def _nodes(sizes: tuple[Size, ...], machine: Machine) -> int:
    """Nodes by what is asked for in all: Pods of the platform are small beside its machines."""
    cpu, memory = sum(size.cpu_millis for size in sizes), sum(size.memory_bytes for size in sizes)
    return max(ceil(cpu / machine.cpu_millis), ceil(memory / machine.memory_bytes))
