"""Node pools: each compute class's node groups with their node counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from modelyard.plan import Hardware, NodeGroup, NodePool, Plan, SystemPool
from modelyard.program import Call, Literal, Ref
from modelyard.records import replace
from modelyard_targets.aws.foundation import addons_of, has_elastic_pool
from modelyard_targets.aws.machines import offerings
from modelyard_targets.aws.names import group_name
from modelyard_targets.cloud import pools
from modelyard_targets.cloud.existing import pool_label
from modelyard_targets.cloud.pools import DISK_GIB, Disks, Nodes, classes_of_one_zone
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.pods.sizes import Size
from modelyard_targets.machines.accelerators import resource_of

GROUP: Final = "pools"
_GI: Final = 1024**3
_MI: Final = 1024**2

_CLUSTER_OWN: Final = Size(700, 700 * _MI)
"""Total requests of two CoreDNS Pods, two EBS controller Pods and the autoscaler, rounded up."""

_ADDONS: Final[Mapping[str, Size]] = {
    "prometheus": Size(1500, 5 * _GI),
    "kuberay": Size(200, 1 * _GI),
    "external-secrets": Size(200, 512 * _MI),
    "envoy-gateway": Size(500, 1 * _GI),
}
"""Total requests of each add-on's Pods, rounded up."""

_KARPENTER: Final = Size(500, 1 * _GI)
"""Requests of one Karpenter controller. An enterprise has two controllers."""

_ACCELERATORS: Final = {"nvidia.com/gpu": "nvidia", "aws.amazon.com/neuron": "neuron"}


def pool_calls(context: Context) -> Iterator[Call]:
    """Yield a NodePool for each group. Only a pool's first group has a minimum, and only if the pool serves models.

    Each group can grow to the pool's full size, because AWS can run out of capacity for the other groups' instance
    types.
    """
    sizes = pool_nodes(context.plan, context.placement)
    near = classes_of_one_zone(context.plan, context.placement)
    for resource in context.plan.of(NodePool, context.placement):
        for at, group in enumerate(resource.value.groups):
            nodes = sizes[resource.value.compute, at]
            pool = pool_label(resource)
            variable = f"{group_name(resource.name, group)}_pool"
            call = Call(variable, "NodePool", group_name(pool, group), (), GROUP, resource.origin)
            disks = disks_of(resource.value.hardware, group)
            one_zone = resource.value.compute in near
            pool_call = _with(call, pool, group, nodes, disks, tainted=True, one_zone=one_zone)
            yield _joining(pool_call) if context.target.cluster.adopt else pool_call


def _joining(call: Call) -> Call:
    """Give a node pool in an existing cluster our own node role, because the cluster's role is unknown."""
    return replace(call, arguments=(*call.arguments, ("role", Ref("node_role"))))


def system_pool_call(context: Context) -> Iterator[Call]:
    """Yield the component for the system pool, which runs the Pods without a compute class."""
    for pool in context.plan.of(SystemPool, context.placement):
        nodes = system_nodes(context.plan, context.placement)
        call = Call("system_pool", "SystemPool", pool.name, (), GROUP, pool.origin)
        yield _with(call, pool.name, pool.value.hardware.groups[0], nodes, Disks(DISK_GIB), tainted=False)


def pool_nodes(plan: Plan, placement: str) -> Mapping[tuple[str, int], Nodes]:
    """Return each node group's minimum and maximum node count, by compute class and group index."""
    return pools.pool_nodes(offerings(), plan, placement)


def system_nodes(plan: Plan, placement: str, *, rollouts: bool = True) -> Nodes:
    """Return the system pool's node counts.

    `rollouts` adds room for the second Ray head that each server has during a rollout.
    """
    return pools.system_nodes(offerings(), plan, placement, _of_the_cluster(plan, placement), rollouts=rollouts)


def _of_the_cluster(plan: Plan, placement: str) -> Iterator[Size]:
    """Yield the resource requests of the cluster's own Pods and of the add-ons on the system pool."""
    yield _CLUSTER_OWN
    yield from (size for name, size in _ADDONS.items() if name in addons_of(plan, placement))
    if has_elastic_pool(plan, placement):
        yield pools.times(_KARPENTER, 2 if plan.system.profile.size == "enterprise" else 1)


def disks_of(hardware: Hardware, group: NodeGroup) -> Disks:
    """Return the disks of a node in the given group."""
    return pools.disks_of(offerings(), hardware, group)


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
        arguments.append(("accelerator", _ACCELERATORS[resource_of(group.accelerator.name)]))
        arguments.append(("accelerators", group.accelerator.count))
        arguments.append(("accelerator_name", group.accelerator.name))
    if group.arch != "amd64":
        arguments.append(("arch", group.arch))
    if one_zone:
        arguments.append(("one_zone", True))
    if not tainted:
        arguments.append(("tainted", False))
    return Call(call.variable, call.component, call.name, tuple(arguments), call.group, call.origin)
