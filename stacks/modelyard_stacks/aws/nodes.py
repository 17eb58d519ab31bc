"""Groups of machines that run a cluster's Pods."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import pulumi
from pulumi_aws import autoscaling, ec2, eks
from pulumi_aws.eks.outputs import NodeGroupResource

from .cluster import Cluster
from .existing import ClusterNetwork, ExistingCluster
from .key import Key
from .network import AdoptedNetwork, Network, Zone
from .node_role import NodeRole

Arch: TypeAlias = Literal["amd64", "arm64"]
Maker: TypeAlias = Literal["", "nvidia", "neuron"]

_POOL = "modelyard.dev/pool"
_CAPACITY = "modelyard.dev/capacity"

_IMAGES: Mapping[tuple[str, str], str] = {
    ("amd64", ""): "AL2023_x86_64_STANDARD",
    ("arm64", ""): "AL2023_ARM_64_STANDARD",
    ("amd64", "nvidia"): "AL2023_x86_64_NVIDIA",
    ("arm64", "nvidia"): "AL2023_ARM_64_NVIDIA",
    ("amd64", "neuron"): "AL2023_x86_64_NEURON",
}
"""Amazon's image type by architecture and accelerator vendor. The image includes the accelerator's driver.

Source: https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateNodegroup.html, 2026-11-24.
"""

_RESOURCES: Mapping[str, str] = {"nvidia": "nvidia.com/gpu", "neuron": "aws.amazon.com/neuron"}
"""The resource name for Pods' resource requests, by accelerator vendor."""

_LOCAL_DISKS = """\
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="//"

--//
Content-Type: application/node.eks.aws

---
apiVersion: node.eks.aws/v1alpha1
kind: NodeConfig
spec:
  instance:
    localStorage:
      strategy: RAID0

--//--
"""
"""Combines a machine's NVMe disks into one file system for images and Pods' ephemeral storage.

EKS merges this with its own NodeConfig, which contains all other settings. Source:
https://github.com/awslabs/amazon-eks-ami, nodeadm/doc/api.md, and
https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html, 2026-11-25.
"""


class NodePool(pulumi.ComponentResource):
    """A group of machines of the same kind. The autoscaler keeps its size between `min_nodes` and `max_nodes`.

    Each machine has the labels `modelyard.dev/pool` and `modelyard.dev/capacity` and, if `tainted`, the taint
    `modelyard.dev/pool=<pool>:NoSchedule`. Machines with an NVIDIA accelerator also have
    `nvidia.com/gpu=true:NoSchedule`, since nothing else keeps other Pods away. Several node groups with the same `pool`
    form one pool of different machines.

    With `local_gib`, images and Pods' ephemeral storage are on the machine's NVMe disks, which have this total size and
    are encrypted in hardware, and `disk_gib` is the root volume. With `one_zone`, all nodes are in one zone, for Pods
    that train together: the first zone of the network, or the one whose number is in the stack setting `trainingZone`.

    In an existing cluster, nodes have `role`, and are in the same subnets as its control plane.

    The metadata service only responds to the machine itself, so Pods can't get the machine's credentials. Disks are
    encrypted.
    """

    name: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        cluster: Cluster | ExistingCluster,
        network: Network | AdoptedNetwork | Zone | ClusterNetwork,
        key: Key,
        pool: str,
        machines: Sequence[str],
        capacity: Literal["on-demand", "spot"],
        min_nodes: int,
        max_nodes: int,
        disk_gib: int,
        accelerator: Maker = "",
        accelerators: int = 0,
        accelerator_name: str = "",
        local_gib: int = 0,
        one_zone: bool = False,
        arch: Arch = "amd64",
        tainted: bool = True,
        role: NodeRole | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:aws:NodePool", name, None, cluster.account.options(opts))
        image = _IMAGES.get((arch, accelerator))
        if image is None:
            raise pulumi.RunError(f"node pool {name}: EKS has no image for {accelerator} on {arch}")
        node_role, ready = _joined(name, cluster, network, role)
        labels = _labels(pool, capacity, accelerator, accelerator_name)
        taints = _taints(pool, tainted, accelerator)
        template = self._template(name, cluster, key, disk_gib, local_gib)
        group = eks.NodeGroup(
            name,
            eks.NodeGroupArgs(
                cluster_name=cluster.name,
                version=cluster.version,  # without a version, nodes would not be upgraded with the cluster
                node_role_arn=node_role,
                subnet_ids=[_training_zone(name, network)] if one_zone else network.subnet_ids,
                ami_type=image,
                instance_types=list(machines),
                capacity_type="SPOT" if capacity == "spot" else "ON_DEMAND",
                launch_template=eks.NodeGroupLaunchTemplateArgs(
                    id=template.id, version=template.latest_version.apply(str)
                ),
                scaling_config=eks.NodeGroupScalingConfigArgs(
                    min_size=min_nodes, max_size=max_nodes, desired_size=min_nodes
                ),
                labels=labels,
                taints=[eks.NodeGroupTaintArgs(key=key, value=value, effect="NO_SCHEDULE") for key, value in taints],
                update_config=eks.NodeGroupUpdateConfigArgs(
                    max_unavailable_percentage=33,
                    # by default the new node starts first, which may be impossible if the accelerator is scarce
                    # https://docs.aws.amazon.com/eks/latest/userguide/managed-node-update-behavior.html, 2026-11-24
                    update_strategy="MINIMAL" if accelerator else "DEFAULT",
                ),
                node_repair_config=eks.NodeGroupNodeRepairConfigArgs(enabled=True),
            ),
            pulumi.ResourceOptions(
                parent=self,
                depends_on=ready,
                # the autoscaler manages the size after creation
                ignore_changes=["scalingConfig.desiredSize"],
            ),
        )
        if not min_nodes:
            resources = _resources(local_gib or disk_gib, accelerator, accelerators)
            self._describe_to_autoscaler(name, group, labels, taints, resources)
        self.name = group.node_group_name
        self.register_outputs({"name": self.name})

    def _template(
        self, name: str, cluster: Cluster | ExistingCluster, key: Key, disk_gib: int, local_gib: int
    ) -> ec2.LaunchTemplate:
        # the provider's default tags do not apply to what an Auto Scaling group launches
        # https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html, 2026-11-24
        tags = {**cluster.account.common_tags, "Name": f"{cluster.title}-{name}"}
        return ec2.LaunchTemplate(
            name,
            ec2.LaunchTemplateArgs(
                description=f"Nodes {name} of {cluster.title}",
                user_data=b64encode(_LOCAL_DISKS.encode()).decode() if local_gib else None,
                metadata_options=ec2.LaunchTemplateMetadataOptionsArgs(
                    http_endpoint="enabled",
                    http_tokens="required",  # version 1 gives credentials to anyone who can make a Pod send a request
                    http_put_response_hop_limit=1,  # Pods are one hop further away and get no answer
                ),
                block_device_mappings=[
                    ec2.LaunchTemplateBlockDeviceMappingArgs(
                        device_name="/dev/xvda",  # the root volume of Amazon Linux 2023
                        ebs=ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
                            volume_type="gp3",
                            volume_size=disk_gib,  # 20 GiB by default: one image with CUDA needs half of that
                            encrypted="true",
                            kms_key_id=key.arn,
                            delete_on_termination="true",
                        ),
                    )
                ],
                tag_specifications=[
                    ec2.LaunchTemplateTagSpecificationArgs(resource_type=kind, tags=tags)
                    for kind in ("instance", "network-interface", "volume")
                ],
            ),
            pulumi.ResourceOptions(parent=self),
        )

    def _describe_to_autoscaler(
        self,
        name: str,
        group: eks.NodeGroup,
        labels: Mapping[str, str],
        taints: Sequence[tuple[str, str]],
        resources: Mapping[str, str],
    ) -> None:
        """Tag the Auto Scaling group so that the autoscaler can predict its nodes while there are none.

        If a group always has nodes, the autoscaler examines one of them. Source:
        https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/README.md, 2026-11-24.
        """
        prefix = "k8s.io/cluster-autoscaler/node-template"
        tags = {
            **{f"{prefix}/label/{key}": value for key, value in labels.items()},
            **{f"{prefix}/taint/{key}": f"{value}:NoSchedule" for key, value in taints},
            **{f"{prefix}/resources/{key}": value for key, value in resources.items()},
        }
        scaling_group = group.resources.apply(_scaling_group)
        for key, value in tags.items():
            title = key.removeprefix(f"{prefix}/").replace("/", "-").replace(".", "-")
            autoscaling.Tag(
                f"{name}-{title}",
                autoscaling.TagArgs(
                    autoscaling_group_name=scaling_group,
                    tag=autoscaling.TagTagArgs(key=key, value=value, propagate_at_launch=False),
                ),
                pulumi.ResourceOptions(parent=self),
            )


def _joined(
    name: str,
    cluster: Cluster | ExistingCluster,
    network: Network | AdoptedNetwork | Zone | ClusterNetwork,
    role: NodeRole | None,
) -> tuple[pulumi.Output[str], list[pulumi.Resource]]:
    """Return the node role, and what nodes must wait for, which is only the role in an existing cluster."""
    if role is not None:
        return role.arn, list(role.ready)
    if isinstance(cluster, ExistingCluster) or isinstance(network, ClusterNetwork):
        raise pulumi.RunError(f"node pool {name}: nodes of an existing cluster need a role of their own")
    return cluster.node_role_arn, [*cluster.ready, *network.ready]


def _scaling_group(resources: Sequence[NodeGroupResource]) -> str:
    for resource in resources:
        for scaling_group in resource.autoscaling_groups or ():
            if scaling_group.name:
                return scaling_group.name
    raise pulumi.RunError("EKS named no Auto Scaling group for a node group")


def _training_zone(name: str, network: Network | AdoptedNetwork | Zone | ClusterNetwork) -> pulumi.Output[str]:
    """Return the subnet of the zone given by the stack setting `trainingZone`, counted from 1."""
    number = pulumi.Config().get_int("trainingZone") or 1
    subnets = network.subnet_ids
    if isinstance(subnets, pulumi.Output):
        return subnets.apply(lambda known: known[_position(name, number, len(known))])
    return subnets[_position(name, number, len(subnets))]


def _position(name: str, number: int, zones: int) -> int:
    if not 0 < number <= zones:
        raise pulumi.RunError(f"node pool {name}: trainingZone must be 1 to {zones}, not {number}")
    return number - 1


def _labels(pool: str, capacity: str, accelerator: str, accelerator_name: str) -> dict[str, str]:
    # NVIDIA's device plugin runs on nodes where node feature discovery has found its hardware, or that have this label
    # https://github.com/NVIDIA/k8s-device-plugin, values of its chart, 2026-11-24
    labels = {"nvidia.com/gpu.present": "true"} if accelerator == "nvidia" else {}
    # with this label, the autoscaler waits until a node offers its accelerators instead of adding another node
    # https://docs.aws.amazon.com/eks/latest/best-practices/cas.html, section on accelerators, 2026-11-25
    if accelerator_name:
        labels["k8s.amazonaws.com/accelerator"] = f"{accelerator}-{accelerator_name.lower()}"
    return {_POOL: pool, _CAPACITY: capacity, **labels}


def _taints(pool: str, tainted: bool, accelerator: str) -> list[tuple[str, str]]:
    taints = [(_POOL, pool)] if tainted else []
    return [*taints, ("nvidia.com/gpu", "true")] if accelerator == "nvidia" else taints


def _resources(disk_gib: int, accelerator: str, accelerators: int) -> dict[str, str]:
    devices = {_RESOURCES[accelerator]: str(accelerators)} if accelerator else {}
    return {"ephemeral-storage": f"{disk_gib}Gi", **devices}
