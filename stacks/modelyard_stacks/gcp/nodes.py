"""Groups of machines that run a cluster's Pods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import pulumi
from pulumi_gcp import container

from .cluster import Cluster
from .existing import ExistingCluster
from .key import Key
from .network import AdoptedNetwork, Network
from .zones import zones_with

Driver: TypeAlias = Literal["DEFAULT", "LATEST"]

_LONGEST_NAME = 40
_POOL = "modelyard.dev/pool"
_CAPACITY = "modelyard.dev/capacity"
_CLASS = "cloud.google.com/compute-class"
_GPU = ("nvidia.com/gpu", "present")
"""The taint that GKE adds to nodes with GPUs, except in a cluster's first pool.

Source: https://docs.cloud.google.com/kubernetes-engine/docs/how-to/gpus, 2026-11-25.
"""


class NodePool(pulumi.ComponentResource):
    """Machines of one type. GKE's autoscaler keeps their number across all zones between `min_nodes` and `max_nodes`.

    Each machine has the labels `modelyard.dev/pool` and `modelyard.dev/capacity` and, if `tainted`, the taint
    `modelyard.dev/pool=<pool>:NoSchedule`. GPU machines also have `nvidia.com/gpu=present:NoSchedule`. With a
    `compute_class`, machines have the label and taint GKE uses to find the pools of that class. Several node pools with
    the same `pool` form one pool of different machines.

    `accelerator` is Google's name, such as `nvidia-l4`, and must match the machine. GKE installs the driver.
    `local_ssds` is the number of 375 GiB disks for images and Pods' ephemeral storage, and `disk_gib` is the boot disk.
    Without `zones`, the pool spans up to three zones that have the machine. If the cluster lists `pool` among its
    `training_pools`, all nodes are in one zone: the one that the stack setting `trainingZones` names for this `pool`,
    otherwise the one whose number is in the setting `trainingZone`, otherwise the first.

    In an existing cluster, nodes have the same service account as its other nodes. If the cluster is in a single zone,
    so are they.

    GKE's metadata server responds to Pods, so they can't get the machine's own credentials. Disks are encrypted.
    """

    name: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        cluster: Cluster | ExistingCluster,
        network: Network | AdoptedNetwork,
        key: Key,
        pool: str,
        machine: str,
        capacity: Literal["on-demand", "spot"],
        min_nodes: int,
        max_nodes: int,
        disk_gib: int,
        disk_type: str = "pd-balanced",
        accelerator: str = "",
        accelerators: int = 0,
        driver: Driver = "DEFAULT",
        local_ssds: int = 0,
        zones: Sequence[str] = (),
        compute_class: str = "",
        tainted: bool = True,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:gcp:NodePool", name, None, cluster.project.options(opts))
        if len(name) > _LONGEST_NAME:
            raise pulumi.RunError(f"node pool {name}: a name can have at most {_LONGEST_NAME} characters")
        if bool(accelerator) != bool(accelerators):
            raise pulumi.RunError(f"node pool {name}: accelerators need a type and a number")
        self._is_spot, self._has_gpus = capacity == "spot", bool(accelerator)
        node = container.NodePoolNodeConfigArgs(
            machine_type=machine,
            disk_type=disk_type,
            disk_size_gb=disk_gib,
            boot_disk_kms_key=key.id,
            labels={_POOL: pool, _CAPACITY: capacity, **({_CLASS: compute_class} if compute_class else {})},
            taints=[
                container.NodePoolNodeConfigTaintArgs(key=label, value=value, effect="NO_SCHEDULE")
                for label, value in self._taints(pool, tainted, compute_class)
            ],
            resource_labels=dict(cluster.project.common_labels),
            ephemeral_storage_local_ssd_config=container.NodePoolNodeConfigEphemeralStorageLocalSsdConfigArgs(
                local_ssd_count=local_ssds
            )
            if local_ssds
            else None,
            guest_accelerators=[_gpu(accelerator, accelerators, driver)] if accelerator else None,
        )
        self._secure(node, cluster)
        locations = (
            pulumi.Output.from_input(zones)
            if zones
            else zones_with(name, project=cluster.project, machine=machine, pool=pool, one_zone=cluster.training_zones)
        )
        is_fixed = bool(zones) or pool in cluster.training_zones
        created = container.NodePool(
            name,
            container.NodePoolArgs(
                name=name,
                cluster=cluster.name,
                location=cluster.location,
                node_locations=locations,
                node_config=node,
                autoscaling=container.NodePoolAutoscalingArgs(
                    total_min_node_count=min_nodes,
                    total_max_node_count=max_nodes,
                    # scarce machines are used in any zone that has them; other machines are spread over the zones
                    location_policy="ANY" if self._is_spot or self._has_gpus else "BALANCED",
                ),
                initial_node_count=locations.apply(lambda names: _a_zone(min_nodes, max_nodes, len(names))),
                # ignore changes by the autoscaler, but not our own
                ignore_node_count_changes=True,
                management=container.NodePoolManagementArgs(auto_repair=True, auto_upgrade=True),
                upgrade_settings=self._upgrades(),
                network_config=container.NodePoolNetworkConfigArgs(enable_private_nodes=True),
            ),
            pulumi.ResourceOptions(
                parent=self,
                depends_on=[*cluster.ready, *network.ready, key.granted("compute")],
                # the name cannot be reused until the earlier pool is deleted
                delete_before_replace=True,
                # the node count applies only at creation, and pools must not move when Google opens a zone
                ignore_changes=["initialNodeCount", *(() if is_fixed else ("nodeLocations",))],
            ),
        )
        self.name = created.name
        self.register_outputs({"name": self.name})

    def _secure(self, node: container.NodePoolNodeConfigArgs, cluster: Cluster | ExistingCluster) -> None:
        node.spot = self._is_spot
        node.image_type = "COS_CONTAINERD"
        node.service_account = cluster.node_account
        # only IAM limits access: the account has three roles
        node.oauth_scopes = ["https://www.googleapis.com/auth/cloud-platform"]
        node.workload_metadata_config = container.NodePoolNodeConfigWorkloadMetadataConfigArgs(mode="GKE_METADATA")
        node.metadata = {"disable-legacy-endpoints": "true"}
        node.shielded_instance_config = container.NodePoolNodeConfigShieldedInstanceConfigArgs(
            enable_secure_boot=True, enable_integrity_monitoring=True
        )
        node.kubelet_config = container.NodePoolNodeConfigKubeletConfigArgs(
            insecure_kubelet_readonly_port_enabled="FALSE"
        )
        node.gvnic = container.NodePoolNodeConfigGvnicArgs(enabled=True)

    def _taints(self, pool: str, tainted: bool, compute_class: str) -> list[tuple[str, str]]:
        return [
            *([(_POOL, pool)] if tainted else []),
            *([(_CLASS, compute_class)] if compute_class else []),
            *([_GPU] if self._has_gpus else []),
        ]

    def _upgrades(self) -> container.NodePoolUpgradeSettingsArgs:
        """Delete scarce machines before replacing them.

        By default, the new node starts first, which may never succeed.
        """
        surge, missing = (0, 1) if self._has_gpus else (1, 0)
        return container.NodePoolUpgradeSettingsArgs(strategy="SURGE", max_surge=surge, max_unavailable=missing)


def _gpu(accelerator: str, count: int, driver: Driver) -> container.NodePoolNodeConfigGuestAcceleratorArgs:
    return container.NodePoolNodeConfigGuestAcceleratorArgs(
        type=accelerator,
        count=count,
        # without this, no driver is installed
        gpu_driver_installation_config=container.NodePoolNodeConfigGuestAcceleratorGpuDriverInstallationConfigArgs(
            gpu_driver_version=driver
        ),
    )


def _a_zone(nodes: int, most: int, zones: int) -> int:
    """Return the initial number of nodes in each zone, rounded up. The autoscaler removes excess nodes.

    If this exceeds the pool's maximum, which GKE would refuse, the pool starts empty and grows with the first Pods.
    """
    rounded = -(-nodes // zones)
    return rounded if rounded * zones <= most else 0
