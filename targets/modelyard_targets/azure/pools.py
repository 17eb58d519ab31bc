"""Node pools: each compute class's pools with their node counts and disks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from modelyard.plan import Hardware, NodeGroup, NodePool, Plan, Resource, SystemPool
from modelyard.program import Call, Literal, Ref
from modelyard_targets.azure.machines import offerings
from modelyard_targets.azure.names import agent_pool, pool_name
from modelyard_targets.cloud import pools
from modelyard_targets.cloud.existing import pool_label
from modelyard_targets.cloud.pools import DISK_GIB, Disks, Nodes
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.placed import addons_needed
from modelyard_targets.kube.pods.sizes import Size

GROUP: Final = "pools"
_GI: Final = 1024**3
_MI: Final = 1024**2

_KEY: Final[tuple[str, Literal]] = ("key", Ref("key"))

CLUSTER_MACHINE: Final = "Standard_D2s_v5"
"""The machine type of AKS' own pool. This pool can only be replaced together with the cluster, so the choice does not
depend on prices.
"""

_CLUSTER_NODES: Final = 2
_ENTERPRISE_CLUSTER_NODES: Final = 3

_ADDONS: Final[Mapping[str, Size]] = {
    "prometheus": Size(1500, 5 * _GI),
    "kuberay": Size(200, 1 * _GI),
    "external-secrets": Size(200, 512 * _MI),
    "envoy-gateway": Size(500, 1 * _GI),
}
"""Total requests of each add-on's Pods, rounded up. AKS' own Pods run in a separate pool."""


def pool_calls(context: Context) -> Iterator[Call]:
    """Yield a NodePool for each group. Only the first group of a compute class has a minimum, and only if the class
    serves models.

    Each pool can grow to the full size of the class, because spot capacity or a better machine can run out.
    """
    sizes = pool_nodes(context.plan, context.placement)
    for resource in context.plan.of(NodePool, context.placement):
        for at, group in enumerate(resource.value.groups):
            nodes = sizes[resource.value.compute, at]
            yield _pool(resource, group, nodes, disks_of(resource.value.hardware, group), context)


def system_pool_call(context: Context) -> Iterator[Call]:
    """Yield the component for the system pool, which runs the Pods without a compute class."""
    for pool in context.plan.of(SystemPool, context.placement):
        group = pool.value.hardware.groups[0]
        nodes = system_nodes(context.plan, context.placement)
        arguments = (*_arguments(pool.name, group, nodes, Disks(DISK_GIB)), ("tainted", False))
        yield Call("system_pool", "NodePool", pool.name, arguments, GROUP, pool.origin)


def cluster_nodes(plan: Plan) -> int:
    """Return the number of nodes in AKS' own pool."""
    return _ENTERPRISE_CLUSTER_NODES if plan.system.profile.size == "enterprise" else _CLUSTER_NODES


def pool_nodes(plan: Plan, placement: str) -> Mapping[tuple[str, int], Nodes]:
    """Return each node group's minimum and maximum node count, by compute class and group index."""
    return pools.pool_nodes(offerings(), plan, placement)


def system_nodes(plan: Plan, placement: str, *, rollouts: bool = True) -> Nodes:
    """Return the system pool's node counts.

    `rollouts` adds room for the second Ray head that each server has during a rollout.
    """
    own = (size for name, size in _ADDONS.items() if name in addons_needed(plan, placement))
    return pools.system_nodes(offerings(), plan, placement, own, rollouts=rollouts)


def disks_of(hardware: Hardware, group: NodeGroup) -> Disks:
    """Return the disk of a node in the given group, which stores images and the files of Pods."""
    return pools.disks_of(offerings(), hardware, group)


def most_nodes(plan: Plan, placement: str) -> int:
    """Return the maximum number of nodes in a placement.

    The node pools of a compute class share its Pods, so only the largest pool counts.
    """
    largest: dict[str, int] = {}
    for (compute, _), nodes in pool_nodes(plan, placement).items():
        largest[compute] = max(largest.get(compute, 0), nodes.most)
    return cluster_nodes(plan) + system_nodes(plan, placement).most + sum(largest.values())


def _pool(resource: Resource[NodePool], group: NodeGroup, nodes: Nodes, disks: Disks, context: Context) -> Call:
    pool = pool_label(resource)
    name = pool_name(pool, group)
    arguments = list(_arguments(pool, group, nodes, disks))
    if context.target.cluster.adopt:  # the cluster's owner chooses the disk encryption key
        arguments.remove(_KEY)
    if group.accelerator is not None:
        arguments.append(("gpus", group.accelerator.count))
    return Call(f"{pool_name(resource.name, group)}_pool", "NodePool", name, tuple(arguments), GROUP, resource.origin)


def _arguments(pool: str, group: NodeGroup, nodes: Nodes, disks: Disks) -> tuple[tuple[str, Literal], ...]:
    return (
        ("cluster", Ref("cluster")),
        ("network", Ref("network")),
        _KEY,
        ("agent_pool", agent_pool(pool, group)),
        ("pool", pool),
        ("machine", group.machines[0]),
        ("capacity", "spot" if group.spot else "on-demand"),
        ("min_nodes", nodes.least),
        ("max_nodes", nodes.most),
        ("disk_gib", disks.root_gib),
    )
