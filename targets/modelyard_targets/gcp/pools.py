"""Node pools of each compute class, with their node counts and disks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from modelyard.plan import Hardware, NodeGroup, NodePool, Plan, Resource, SystemPool
from modelyard.program import Call, Literal, Ref
from modelyard_targets.cloud import pools
from modelyard_targets.cloud.existing import pool_label
from modelyard_targets.cloud.pools import DISK_GIB, Disks, Nodes
from modelyard_targets.gcp.hardware import COMPUTE_CLASS
from modelyard_targets.gcp.machines import accelerator_type, disk_type, offerings, system_offerings
from modelyard_targets.gcp.names import pool_name
from modelyard_targets.gcp.options import options_of
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.placed import addons_needed
from modelyard_targets.kube.pods.sizes import Size

GROUP: Final = "pools"
_GI: Final = 1024**3
_MI: Final = 1024**2

_CLUSTER_OWN: Final = Size(900, 800 * _MI)
"""Total requests of two kube-dns Pods, konnectivity agents, metrics-server and their autoscalers, rounded up
(cryptnono/cryptnono#34, nodes of GKE 1.29, read 2026-11-27).
"""

_ADDONS: Final[Mapping[str, Size]] = {
    "prometheus": Size(1500, 5 * _GI),
    "kuberay": Size(200, 1 * _GI),
    "external-secrets": Size(200, 512 * _MI),
    "envoy-gateway": Size(500, 1 * _GI),
}
"""Total requests of each add-on's Pods, rounded up."""


def pool_calls(context: Context) -> Iterator[Call]:
    """Yield a NodePool for each group.

    Only a pool's first group has a minimum, and only if the pool serves models. Each group can grow to the pool's full
    size, because spot capacity or a better machine can run out.
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


def pool_nodes(plan: Plan, placement: str) -> Mapping[tuple[str, int], Nodes]:
    """Return each node group's minimum and maximum node count, by compute class and group index."""
    return pools.pool_nodes(offerings(), plan, placement)


def system_nodes(plan: Plan, placement: str, *, rollouts: bool = True) -> Nodes:
    """Return the system pool's node counts.

    `rollouts` adds room for the second Ray head that each server has during a rollout.
    """
    own = _of_the_cluster(plan, placement)
    return pools.system_nodes(system_offerings(), plan, placement, own, rollouts=rollouts)


def disks_of(hardware: Hardware, group: NodeGroup) -> Disks:
    """Return the boot disk of a node in the given group, which stores images and Pods' files."""
    return pools.disks_of(offerings(), hardware, group)


def most_nodes(plan: Plan, placement: str) -> int:
    """Return the maximum total number of nodes.

    A compute class's pools share its Pods, so only the largest one counts.
    """
    largest: dict[str, int] = {}
    for (compute, _), nodes in pool_nodes(plan, placement).items():
        largest[compute] = max(largest.get(compute, 0), nodes.most)
    return system_nodes(plan, placement).most + sum(largest.values())


def _of_the_cluster(plan: Plan, placement: str) -> Iterator[Size]:
    """Yield the resource requests of the cluster's own Pods and of add-ons on the system pool."""
    yield _CLUSTER_OWN
    yield from (size for name, size in _ADDONS.items() if name in addons_needed(plan, placement))


def _pool(resource: Resource[NodePool], group: NodeGroup, nodes: Nodes, disks: Disks, context: Context) -> Call:
    pool = pool_label(resource)
    name = pool_name(pool, group)
    arguments = list(_arguments(pool, group, nodes, disks))
    if group.accelerator is not None:
        arguments.append(("accelerator", accelerator_type(group.machines[0])))
        arguments.append(("accelerators", group.accelerator.count))
    if zone := options_of(context.target).cluster.location:
        arguments.append(("zones", (zone,)))
    compute_class = dict(resource.value.hardware.selector).get(COMPUTE_CLASS)
    if compute_class is not None:
        arguments.append(("compute_class", compute_class))
    return Call(f"{pool_name(resource.name, group)}_pool", "NodePool", name, tuple(arguments), GROUP, resource.origin)


def _arguments(pool: str, group: NodeGroup, nodes: Nodes, disks: Disks) -> tuple[tuple[str, Literal], ...]:
    return (
        ("cluster", Ref("cluster")),
        ("network", Ref("network")),
        ("key", Ref("key")),
        ("pool", pool),
        ("machine", group.machines[0]),
        ("capacity", "spot" if group.spot else "on-demand"),
        ("min_nodes", nodes.least),
        ("max_nodes", nodes.most),
        ("disk_gib", disks.root_gib),
        ("disk_type", disk_type(group.machines[0])),
    )
