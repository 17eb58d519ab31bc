"""Groups of machines that run a cluster's Pods."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

import pulumi
from pulumi_azure_native import containerservice

from .cluster import Cluster
from .cluster_settings import PODS_OF_A_NODE, encrypts_hosts
from .existing import ClusterNetwork, ExistingCluster
from .key import Key
from .network import AdoptedNetwork, Network

_NAME = re.compile(r"[a-z][a-z0-9]{0,11}")
_POOL = "modelyard.dev/pool"
_CAPACITY = "modelyard.dev/capacity"
_SPOT = ("kubernetes.azure.com/scalesetpriority", "spot")
"""The label and the taint that AKS adds to spot machines. We declare them too, so a later `up` finds no difference.

Source: https://learn.microsoft.com/en-us/azure/aks/spot-node-pool, 2026-11-25.
"""

_GPU = ("nvidia.com/gpu", "present")
_FIXED = ("availabilityZones", "enableEncryptionAtHost", "gpuProfile", "osDiskSizeGB", "osDiskType", "vnetSubnetID")
"""Settings that an existing pool keeps, in addition to its machine size and priority, which are part of its name.

Source: https://learn.microsoft.com/en-us/azure/aks/manage-node-pools, 2026-11-27.
"""

_ANY_PRICE = -1
"""The current market price, which never exceeds the on-demand price."""


class NodePool(pulumi.ComponentResource):
    """Machines of one size. AKS's autoscaler keeps their number between `min_nodes` and `max_nodes`.

    Each machine has the labels `modelyard.dev/pool` and `modelyard.dev/capacity` and, if `tainted`, the taint
    `modelyard.dev/pool=<pool>:NoSchedule`. GPU machines also have `nvidia.com/gpu=present:NoSchedule` and the driver,
    and spot machines have AKS's taint. Several node pools with the same `pool` form one pool of different machines.
    `agent_pool` is the name in AKS, of at most twelve characters.

    Nodes are spread over `zones`. Without zones, Azure places them where the machine is available, which is the only
    way to use a size that isn't available in some zones. If the cluster lists `pool` among its `training_pools`, all
    nodes are in one zone: the one that the stack setting `trainingZones` names for this `pool`, or else `trainingZone`,
    which is for all pools, or else the first of `zones`, if any.

    `disk_gib` is the disk for images and Pods. An `ephemeral` disk is part of the machine's own disk. In an existing
    cluster, disks are encrypted as its owner has decided, without `key`, and nodes have the cluster's version.
    """

    name: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        cluster: Cluster | ExistingCluster,
        network: Network | AdoptedNetwork | ClusterNetwork,
        key: Key | None = None,
        agent_pool: str,
        pool: str,
        machine: str,
        capacity: Literal["on-demand", "spot"],
        min_nodes: int,
        max_nodes: int,
        disk_gib: int,
        ephemeral: bool = False,
        gpus: int = 0,
        zones: Sequence[str] = (),
        tainted: bool = True,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        if not _NAME.fullmatch(agent_pool):
            raise pulumi.RunError(f"node pool {agent_pool}: a name must have 1 to 12 lower-case letters and digits")
        where, is_spot = _zones(pool, zones, cluster.training_zones), capacity == "spot"
        super().__init__("modelyard:azure:NodePool", name, None, cluster.group.options(opts))
        created = containerservice.AgentPool(
            name,
            resource_group_name=cluster.resource_group,
            resource_name_=cluster.name,
            agent_pool_name=agent_pool,
            mode="User",
            type="VirtualMachineScaleSets",
            orchestrator_version=cluster.version,
            vm_size=machine,
            availability_zones=where or None,
            count=min_nodes,
            enable_auto_scaling=True,
            min_count=min_nodes,
            max_count=max_nodes,
            max_pods=PODS_OF_A_NODE,
            node_labels={_POOL: pool, _CAPACITY: capacity, **(dict([_SPOT]) if is_spot else {})},
            node_taints=[f"{key}={value}:NoSchedule" for key, value in _taints(pool, tainted, gpus, is_spot)],
            os_type="Linux",
            os_sku="Ubuntu",
            os_disk_type="Ephemeral" if ephemeral else "Managed",
            os_disk_size_gb=disk_gib,
            enable_encryption_at_host=encrypts_hosts(),
            enable_node_public_ip=False,
            enable_fips=False,
            vnet_subnet_id=network.nodes_id,
            gpu_profile=containerservice.GPUProfileArgs(driver="Install") if gpus else None,
            scale_set_priority="Spot" if is_spot else "Regular",
            scale_set_eviction_policy="Delete" if is_spot else None,
            spot_max_price=_ANY_PRICE if is_spot else None,
            upgrade_settings=None if is_spot else _upgrades(has_gpus=bool(gpus)),
            tags=cluster.group.common_tags,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[*network.ready, *([key.disks] if key is not None else [])],
                # the name is taken until the earlier pool is gone
                delete_before_replace=True,
                # AKS refuses to change these settings, but the provider would try
                replace_on_changes=list(_FIXED),
                # set by the autoscaler
                ignore_changes=["count"],
            ),
        )
        self.name = created.name
        self.register_outputs({"name": self.name})


def _upgrades(*, has_gpus: bool) -> containerservice.AgentPoolUpgradeSettingsArgs:
    """Return upgrade settings. By default, the new node starts first, which may never succeed for scarce machines."""
    surge, missing = ("0", "1") if has_gpus else ("1", "0")
    return containerservice.AgentPoolUpgradeSettingsArgs(max_surge=surge, max_unavailable=missing)


def _taints(pool: str, tainted: bool, gpus: int, is_spot: bool) -> list[tuple[str, str]]:
    return [*([(_POOL, pool)] if tainted else []), *([_GPU] if gpus else []), *([_SPOT] if is_spot else [])]


def _zones(pool: str, zones: Sequence[str], training: Mapping[str, str]) -> list[str]:
    if pool not in training:
        return list(zones)
    return [training[pool]] if training[pool] else list(zones[:1])
