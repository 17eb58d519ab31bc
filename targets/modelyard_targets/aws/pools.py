"""Node pools: for each compute class its groups of machines, and how many nodes each may have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import ceil
from typing import Final

from modelyard.plan import Hardware, Job, NodeGroup, NodePool, Plan
from modelyard.program import Call, Literal, Ref
from modelyard.records import record
from modelyard.spec import ComputeClass, System, TargetSpec, target_path
from modelyard_targets.aws.foundation import addons_of, has_elastic_pool
from modelyard_targets.aws.hardware import choose
from modelyard_targets.aws.machines import Machine, machine_named
from modelyard_targets.aws.names import SYSTEM_POOL, group_name
from modelyard_targets.kube.pipelines.job import trains_together
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.placed import target_of
from modelyard_targets.kube.pods.accelerators import known
from modelyard_targets.kube.pods.demand import Asked, demand
from modelyard_targets.kube.pods.sizes import AUTOSCALER, Size, head_size

GROUP: Final = "pools"
_GI: Final = 1024**3
_MI: Final = 1024**2

_IMAGES_GIB: Final = 50
_DISK_GIB: Final = 100
"""Images of Ray with CUDA take 10 to 20 GiB each, and the kubelet begins to delete at 85 % of the disk."""

_ROOT_GIB: Final = 50
"""The operating system with its drivers, where images and Pods are on local disks."""

_CLUSTER_OWN: Final = Size(700, 700 * _MI)
"""CoreDNS twice, the EBS controllers twice, and the autoscaler: what they ask for, rounded up."""

_ADDONS: Final[Mapping[str, Size]] = {
    "prometheus": Size(1500, 5 * _GI),
    "kuberay": Size(200, 1 * _GI),
    "external-secrets": Size(200, 512 * _MI),
    "envoy-gateway": Size(500, 1 * _GI),
}
"""What the Pods of an add-on ask for together, rounded up."""

_KARPENTER: Final = Size(500, 1 * _GI)
"""One of its controllers, of which an enterprise gets two."""

_ACCELERATORS: Final = {"nvidia.com/gpu": "nvidia", "aws.amazon.com/neuron": "neuron"}


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


def pool_calls(context: Context) -> Iterator[Call]:
    """A NodePool for each group of each pool; only the first is never without nodes, and only where something serves.

    Any of the groups may have to take all of it: when there is no spot, or not enough of a better machine.
    """
    sizes = pool_nodes(context.plan, context.placement)
    near = classes_of_one_zone(context.plan, context.placement)
    for resource in context.plan.on(context.placement):
        if not isinstance(resource.value, NodePool):
            continue
        for at, group in enumerate(resource.value.groups):
            nodes = sizes[resource.value.compute, at]
            name = group_name(resource.name, group)
            call = Call(f"{name}_pool", "NodePool", name, (), GROUP, resource.origin)
            disks = disks_of(resource.value.hardware, group)
            one_zone = resource.value.compute in near
            yield _with(call, resource.name, group, nodes, disks, tainted=True, one_zone=one_zone)


def system_pool_call(context: Context) -> Call:
    """The pool of what no compute class sizes."""
    group = system_hardware(context.system, context.target).groups[0]
    nodes = system_nodes(context.plan, context.placement)
    here = target_path(context.system, context.placement)
    call = Call("system_pool", "SystemPool", SYSTEM_POOL, (), GROUP, here)
    return _with(call, SYSTEM_POOL, group, nodes, Disks(_DISK_GIB), tainted=False)


def pool_nodes(plan: Plan, placement: str) -> Mapping[tuple[str, int], Nodes]:
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
                minimum = nodes_for(pool.hardware, least) if at == 0 else 0
                found[pool.compute, at] = Nodes(minimum, max(1, nodes_for(pool.hardware, most, at)))
    return found


def system_nodes(plan: Plan, placement: str, *, rollouts: bool = True) -> Nodes:
    """Nodes of the system pool: what is always there fits on the least, and a node more is one to move to.

    With `rollouts`, the second heads of servers that are replaced find room as well.
    """
    system, target = plan.system, target_of(plan, placement)
    machine = machine_of(system_hardware(system, target).groups[0])
    asked = demand(plan, placement, databases=False)
    always = [one for one in asked.always if one.hardware is None]
    runs = [one for run in asked.runs.values() for one in run if one.hardware is None]
    fixed = [_CLUSTER_OWN, *(size for name, size in _ADDONS.items() if name in addons_of(plan, placement))]
    if has_elastic_pool(plan, placement):
        fixed.append(_times(_KARPENTER, 2 if system.profile.size == "enterprise" else 1))
    least = max(3 if system.profile.size == "enterprise" else 2, _nodes(_least(always), fixed, machine))
    return Nodes(least, max(least, _nodes(_most((*always, *runs), rollouts), fixed, machine)) + 1)


def system_hardware(system: System, target: TargetSpec) -> Hardware:
    """The machine of the system pool: the cheapest that holds the largest head with what stands beside it."""
    size = head_size(system, target)
    cpu, memory = size.cpu_millis + AUTOSCALER.cpu_millis, size.memory_bytes + AUTOSCALER.memory_bytes
    chosen = choose(ComputeClass(SYSTEM_POOL, (), cpu, memory), target)
    assert isinstance(chosen, Hardware)  # a head is smaller than nearly any machine of EC2
    return chosen


def pods_of_a_node(hardware: Hardware, group: NodeGroup) -> int:
    """How many Pods of a class a node of this group holds, at least one: no machine of the group has less than the
    first.
    """
    machine = machine_of(group)
    fits = [machine.cpu_millis // hardware.cpu_millis, machine.memory_bytes // hardware.memory_bytes]
    if hardware.accelerator is not None and group.accelerator is not None:
        fits.append(group.accelerator.count // _wanted(hardware, group))
    return max(1, min(fits))


def nodes_for(hardware: Hardware, pods: int, at: int = 0) -> int:
    """Whole nodes of a group, the first unless `at` names another, that hold so many Pods of a class.

    An elastic class has no groups: each Pod counts as a machine, since nobody knows which of them will share one.
    """
    fit = pods_of_a_node(hardware, hardware.groups[at]) if hardware.groups else 1
    return ceil(pods / fit)


def machine_of(group: NodeGroup) -> Machine:
    """The first machine of a group."""
    return machine_named(group.machines[0])


def disks_of(hardware: Hardware, group: NodeGroup) -> Disks:
    """Where the images of a node and what its Pods write are kept: on its local disks if every machine has enough."""
    pods = pods_of_a_node(hardware, group) * (hardware.disk_bytes or 0)
    needed = max(_DISK_GIB, _IMAGES_GIB + ceil(pods / _GI))
    local = min(machine_named(name).local_gib for name in group.machines)
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


def _wanted(hardware: Hardware, group: NodeGroup) -> int:
    return hardware.accelerator.count if hardware.accelerator is not None else 1


def _least(asked: Iterable[Asked]) -> list[Size]:
    return [_times(one.size, one.least) for one in asked]


def _most(asked: Iterable[Asked], rollouts: bool) -> list[Size]:
    return [_times(one.size, one.most + (one.surge if rollouts else 0)) for one in asked]


def _times(size: Size, count: int) -> Size:
    return Size(size.cpu_millis * count, size.memory_bytes * count)


def _nodes(asked: list[Size], fixed: list[Size], machine: Machine) -> int:
    """Nodes by what is asked for in all: Pods of the platform are small beside its machines."""
    sizes = (*asked, *fixed)
    cpu, memory = sum(size.cpu_millis for size in sizes), sum(size.memory_bytes for size in sizes)
    return max(ceil(cpu / machine.cpu_millis), ceil(memory / machine.memory_bytes))


def _with(
    call: Call,
    pool: str,
    group: NodeGroup,
    nodes: Nodes,
    disks: Disks,
    *,
    tainted: bool,
    one_zone: bool = False,
) -> Call:
    arguments: list[tuple[str, Literal]] = [
        ("cluster", Ref("cluster")),
        ("network", Ref("network")),
        ("key", Ref("key")),
        ("pool", pool),
        ("machines", group.machines),
        ("capacity", "spot" if group.spot else "on-demand"),
        ("min_nodes", nodes.least),
        ("max_nodes", nodes.most),
        ("disk_gib", disks.root_gib),
    ]
    if disks.local_gib:
        arguments.append(("local_gib", disks.local_gib))
    if group.accelerator is not None:
        entry = known(group.accelerator.name)
        arguments.append(("accelerator", _ACCELERATORS[entry.resource if entry is not None else ""]))
        arguments.append(("accelerators", group.accelerator.count))
        arguments.append(("accelerator_name", group.accelerator.name))
    if group.arch != "amd64":
        arguments.append(("arch", group.arch))
    if one_zone:
        arguments.append(("one_zone", True))
    if not tainted:
        arguments.append(("tainted", False))
    return Call(call.variable, call.component, call.name, tuple(arguments), call.group, call.origin)
