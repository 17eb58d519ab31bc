"""The system node pool, for Ray heads, the registry, add-ons, and their volumes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import pulumi

from .cluster import Cluster
from .key import Key
from .network import AdoptedNetwork, Network, Zone
from .nodes import Arch, NodePool


class SystemPool(pulumi.ComponentResource):
    """A node group in each of up to `min_nodes` zones, so that a node's replacement starts in the same zone.

    An EBS volume is bound to the zone in which its Pod first started. If one group spanned all zones, a small cluster's
    new node might start in another zone. Prometheus, and therefore every alert, would then wait for its volume forever.
    Source: https://docs.aws.amazon.com/eks/latest/best-practices/cas.html, section on EBS volumes, 2026-11-25.

    The `min_nodes` nodes are spread over the zones. Each group may grow by the difference between `max_nodes` and
    `min_nodes`.
    """

    def __init__(
        self,
        name: str,
        *,
        cluster: Cluster,
        network: Network | AdoptedNetwork,
        key: Key,
        pool: str,
        machines: Sequence[str],
        capacity: Literal["on-demand", "spot"],
        min_nodes: int,
        max_nodes: int,
        disk_gib: int,
        arch: Arch = "amd64",
        tainted: bool = True,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:aws:SystemPool", name, None, cluster.account.options(opts))
        zones = min(min_nodes, len(network.subnet_ids))
        for index in range(zones):
            nodes = min_nodes // zones + (1 if index < min_nodes % zones else 0)
            NodePool(
                f"{name}-{index + 1}",
                cluster=cluster,
                network=Zone(network, index),
                key=key,
                pool=pool,
                machines=machines,
                capacity=capacity,
                min_nodes=nodes,
                max_nodes=max_nodes - min_nodes + nodes,
                disk_gib=disk_gib,
                arch=arch,
                tainted=tainted,
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})
