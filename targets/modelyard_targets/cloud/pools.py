"""Node pools: node counts for each group, Pods per node, and disks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import ceil
from typing import Final

from modelyard.plan import SYSTEM_POOL, Hardware, Job, NodeGroup, NodePool, Plan, SystemPool
from modelyard.records import record, replace
from modelyard.spec import ComputeClass, System, TargetSpec
from modelyard_targets.cloud.choose import choose
from modelyard_targets.cloud.existing import pool_label
from modelyard_targets.cloud.offerings import Machine, Offerings
from modelyard_targets.kube.pipelines.machines import trains_together
from modelyard_targets.kube.pods.demand import PodRequest, demand
from modelyard_targets.kube.pods.sizes import AUTOSCALER, Size, head_size

DISK_GIB: Final = 100
_IMAGES_GIB: Final = 50
"""Disk space for images. Ray images with CUDA have 10 to 20 GiB, and the kubelet deletes images above 85 % disk use."""

_ROOT_GIB: Final = 50
"""Root volume for the operating system and drivers, if images and Pods use local disks."""

_GI: Final = 1024**3


@record
class Disks:
    """A node's disk sizes, including the root volume and, if images and Pods use them, the local disks."""

    root_gib: int
    local_gib: int = 0


@record
class Nodes:
    """The minimum and maximum node count of a pool."""

    least: int
    most: int


def pool_nodes(offerings: Offerings, plan: Plan, placement: str) -> Mapping[tuple[str, int], Nodes]:
    """Return each node group's minimum and maximum node count, by compute class and group index.

    The maximum allows all pipelines to run and all servers to be replaced at once.
    """
    pod_demand = demand(plan, placement, databases=False)
    by_compute: dict[str, list[PodRequest]] = {}
    for request in (*pod_demand.always, *(request for run in pod_demand.runs.values() for request in run)):
        if request.hardware is not None:
            by_compute.setdefault(request.hardware.compute, []).append(request)
    counts: dict[tuple[str, int], Nodes] = {}
    for pool in (resource.value for resource in plan.of(NodePool, placement)):
        mine = by_compute.get(pool.compute, [])
        least, most = sum(request.least for request in mine), sum(request.most + request.surge for request in mine)
        for at in range(len(pool.groups)):
            minimum = nodes_for(offerings, pool.hardware, least) if at == 0 else 0
            counts[pool.compute, at] = Nodes(minimum, max(1, nodes_for(offerings, pool.hardware, most, at)))
    return counts


def choose_system(offerings: Offerings, system: System, target: TargetSpec) -> Hardware:
    """Return the system pool's machine, which is the cheapest on-demand one that fits the largest head.

    The head's autoscaler has to fit as well. The pool's nodes have no taint.
    """
    size = head_size(system, target)
    cpu, memory = size.cpu_millis + AUTOSCALER.cpu_millis, size.memory_bytes + AUTOSCALER.memory_bytes
    chosen = choose(offerings, ComputeClass(SYSTEM_POOL, (), cpu, memory), target.region)
    assert isinstance(chosen, Hardware)  # a head fits on nearly all cloud machines
    return replace(chosen, tolerations=(), smaller=None)  # the spec cannot change these Pods' requests


def system_nodes(
    offerings: Offerings, plan: Plan, placement: str, cluster: Iterable[Size], *, rollouts: bool = True
) -> Nodes:
    """Return the system pool's node counts. The minimum fits all permanent Pods; the maximum adds a spare node.

    `cluster` yields the requests of the cluster's own Pods and add-ons. `rollouts` adds room for a second head per
    server during a rollout.
    """
    (pool,) = plan.of(SystemPool, placement)
    machine = first_machine(offerings, pool.value.hardware.groups[0])
    pod_demand = demand(plan, placement, databases=False)
    always = [pods for pods in pod_demand.always if pods.hardware is None]
    runs = [pods for run in pod_demand.runs.values() for pods in run if pods.hardware is None]
    fixed = tuple(cluster)
    least = max(3 if plan.system.profile.size == "enterprise" else 2, _nodes((*_least(always), *fixed), machine))
    return Nodes(least, max(least, _nodes((*_most((*always, *runs), rollouts), *fixed), machine)) + 1)


def pods_of_a_node(offerings: Offerings, hardware: Hardware, group: NodeGroup) -> int:
    """Return how many Pods of a compute class fit on a group's first and smallest machine, but at least one."""
    machine = first_machine(offerings, group)
    fits = [machine.cpu_millis // hardware.cpu_millis, machine.memory_bytes // hardware.memory_bytes]
    if hardware.accelerator is not None and group.accelerator is not None:
        fits.append(group.accelerator.count // hardware.accelerator.count)
    return max(1, min(fits))


def nodes_for(offerings: Offerings, hardware: Hardware, pods: int, at: int = 0) -> int:
    """Return how many nodes of a group (the first by default) a given number of Pods needs.

    Elastic classes have no groups and need up to one node per Pod, because Karpenter decides which Pods share a node.
    """
    fit = pods_of_a_node(offerings, hardware, hardware.groups[at]) if hardware.groups else 1
    return ceil(pods / fit)


def first_machine(offerings: Offerings, group: NodeGroup) -> Machine:
    """Return a group's first machine."""
    return offerings.machine(group.machines[0])


def disks_of(offerings: Offerings, hardware: Hardware, group: NodeGroup) -> Disks:
    """Return the disk sizes of a group's nodes.

    Images and Pods use local disks if these are large enough on all of the group's machines, or else the root volume.
    """
    pods = pods_of_a_node(offerings, hardware, group) * (hardware.disk_bytes or 0)
    needed = max(DISK_GIB, _IMAGES_GIB + ceil(pods / _GI))
    local = min(offerings.machine(name).local_gib for name in group.machines)
    return Disks(_ROOT_GIB, local) if local >= needed else Disks(needed)


def classes_of_one_zone(plan: Plan, placement: str) -> frozenset[str]:
    """Return the compute classes to place in a single zone, because their Pods train a model together.

    Classes that also serve models are excluded, because servers must survive a zone outage.
    """
    always = demand(plan, placement, databases=False).always
    serving = {request.hardware.compute for request in always if request.hardware is not None}
    training = {
        job.hardware[step.name].compute
        for job in (resource.value for resource in plan.of(Job, placement))
        for step in job.pipeline.steps
        if trains_together(job, step)
    }
    return frozenset(training - serving)


def training_pools(plan: Plan, placement: str) -> tuple[str, ...]:
    """Return the pools whose nodes must be in one zone, because their workers train a model together."""
    near = classes_of_one_zone(plan, placement)
    return tuple(pool_label(pool) for pool in plan.of(NodePool, placement) if pool.value.compute in near)


def times(size: Size, count: int) -> Size:
    """Return the total resource requests of the given number of identical containers."""
    return Size(size.cpu_millis * count, size.memory_bytes * count)


def _least(requests: Iterable[PodRequest]) -> list[Size]:
    return [times(request.size, request.least) for request in requests]


def _most(requests: Iterable[PodRequest], rollouts: bool) -> list[Size]:
    return [times(request.size, request.most + (request.surge if rollouts else 0)) for request in requests]


def _nodes(sizes: tuple[Size, ...], machine: Machine) -> int:
    """Return how many nodes the requests need in total, ignoring bin packing because the Pods are so small."""
    cpu, memory = sum(size.cpu_millis for size in sizes), sum(size.memory_bytes for size in sizes)
    return max(ceil(cpu / machine.cpu_millis), ceil(memory / machine.memory_bytes))
