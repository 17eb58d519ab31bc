"""Groups of machines that a cluster runs Pods on."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import pulumi
from pulumi_aws import autoscaling, ec2, eks
from pulumi_aws.eks.outputs import NodeGroupResource

from .cluster import Cluster
from .key import Key
from .network import AdoptedNetwork, Network, Zone

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
"""Amazon's image by architecture and maker of the accelerator, whose driver it brings along.

Source: https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateNodegroup.html, 2026-11-24.
"""

_RESOURCES: Mapping[str, str] = {"nvidia": "nvidia.com/gpu", "neuron": "aws.amazon.com/neuron"}
"""What Pods ask for, by maker of the accelerator."""

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
"""Makes one file system of a machine's NVMe disks, and keeps images and what Pods write on it.

EKS merges it with its own part; all else of a NodeConfig is left to EKS.
Source: https://github.com/awslabs/amazon-eks-ami, nodeadm/doc/api.md, and
https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html, 2026-11-25.
"""


class NodePool(pulumi.ComponentResource):
    """Machines of one kind, between `min_nodes` and `max_nodes`; how many there are is left to the autoscaler.

    Each has the labels `modelyard.dev/pool` and `modelyard.dev/capacity`, and if `tainted` the taint
    `modelyard.dev/pool=<pool>:NoSchedule`; with an accelerator of NVIDIA also `nvidia.com/gpu=true:NoSchedule`, since
    nothing else keeps other Pods off it. Several node groups may make up one pool: the same `pool`, other machines.

    With `local_gib`, images and what Pods write are on the machine's NVMe disks, which hold so much together and are
    encrypted by their hardware; `disk_gib` is the root volume. With `one_zone`, all nodes are in one zone, for Pods
    that train together: the first of the network, unless the stack's setting `trainingZone` has the number of another.

    Pods cannot reach the machine's own credentials: metadata is there for the machine only. Disks are encrypted.
    """

    name: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        cluster: Cluster,
        network: Network | AdoptedNetwork | Zone,
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
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:aws:NodePool", name, None, cluster.account.options(opts))
        image = _IMAGES.get((arch, accelerator))
        if image is None:
            raise pulumi.RunError(f"node pool {name}: EKS has no image for {accelerator} on {arch}")
        labels = _labels(pool, capacity, accelerator, accelerator_name)
        taints = _taints(pool, tainted, accelerator)
        template = self._template(name, cluster, key, disk_gib, local_gib)
        group = eks.NodeGroup(
            name,
            eks.NodeGroupArgs(
                cluster_name=cluster.name,
                version=cluster.version,  # left out, nodes would stay behind when the cluster is upgraded
                node_role_arn=cluster.node_role_arn,
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
                    # by default the new node comes first, which for a scarce accelerator may be never
                    # https://docs.aws.amazon.com/eks/latest/userguide/managed-node-update-behavior.html, 2026-11-24
                    update_strategy="MINIMAL" if accelerator else "DEFAULT",
                ),
                node_repair_config=eks.NodeGroupNodeRepairConfigArgs(enabled=True),
            ),
            pulumi.ResourceOptions(
                parent=self,
                depends_on=[*cluster.ready, *network.ready],
                # the autoscaler's, from the second minute on
                ignore_changes=["scalingConfig.desiredSize"],
            ),
        )
        if not min_nodes:
            resources = _resources(local_gib or disk_gib, accelerator, accelerators)
            self._describe_to_autoscaler(name, group, labels, taints, resources)
        self.name = group.node_group_name
        self.register_outputs({"name": self.name})

    def _template(self, name: str, cluster: Cluster, key: Key, disk_gib: int, local_gib: int) -> ec2.LaunchTemplate:
        # default tags of the provider do not reach what an Auto Scaling group launches
        # https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html, 2026-11-24
        tags = {**cluster.account.common_tags, "Name": f"{cluster.title}-{name}"}
        return ec2.LaunchTemplate(
            name,
            ec2.LaunchTemplateArgs(
                description=f"Nodes {name} of {cluster.title}",
                user_data=b64encode(_LOCAL_DISKS.encode()).decode() if local_gib else None,
                metadata_options=ec2.LaunchTemplateMetadataOptionsArgs(
                    http_endpoint="enabled",
                    http_tokens="required",  # version 1 hands credentials to whoever makes a Pod send a request
                    http_put_response_hop_limit=1,  # a Pod is one hop further away: it gets no answer
                ),
                block_device_mappings=[
                    ec2.LaunchTemplateBlockDeviceMappingArgs(
                        device_name="/dev/xvda",  # the root of Amazon Linux 2023
                        ebs=ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
                            volume_type="gp3",
                            volume_size=disk_gib,  # 20 GiB by default: one image with CUDA is half of that
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
        """What a node would offer, for a group that may have none: read from tags of its Auto Scaling group.

        Of a group that always has nodes, the autoscaler looks at one of them.

        Source: https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/README.md,
        2026-11-24.
        """
        prefix = "k8s.io/cluster-autoscaler/node-template"
        tags = {
            **{f"{prefix}/label/{key}": value for key, value in labels.items()},
            **{f"{prefix}/taint/{key}": f"{value}:NoSchedule" for key, value in taints},
            **{f"{prefix}/resources/{key}": value for key, value in resources.items()},
        }
        scaling_group = group.resources.apply(_scaling_group)
        for key, value in tags.items():
            what = key.removeprefix(f"{prefix}/").replace("/", "-").replace(".", "-")
            autoscaling.Tag(
                f"{name}-{what}",
                autoscaling.TagArgs(
                    autoscaling_group_name=scaling_group,
                    tag=autoscaling.TagTagArgs(key=key, value=value, propagate_at_launch=False),
                ),
                pulumi.ResourceOptions(parent=self),
            )


def _scaling_group(made: Sequence[NodeGroupResource]) -> str:
    for resource in made:
        for scaling_group in resource.autoscaling_groups or ():
            if scaling_group.name:
                return scaling_group.name
    raise pulumi.RunError("EKS named no Auto Scaling group for a node group")


def _training_zone(name: str, network: Network | AdoptedNetwork | Zone) -> pulumi.Output[str]:
    """The subnet of the zone that the stack's setting names by its number, from 1 on."""
    number = pulumi.Config().get_int("trainingZone") or 1
    if not 0 < number <= len(network.subnet_ids):
        raise pulumi.RunError(f"node pool {name}: trainingZone is 1 to {len(network.subnet_ids)}, not {number}")
    return network.subnet_ids[number - 1]


def _labels(pool: str, capacity: str, accelerator: str, accelerator_name: str) -> dict[str, str]:
    # the device plugin of NVIDIA runs where node feature discovery has found its hardware, or where this label stands
    # https://github.com/NVIDIA/k8s-device-plugin, values of its chart, 2026-11-24
    found = {"nvidia.com/gpu.present": "true"} if accelerator == "nvidia" else {}
    # with this label the autoscaler waits until a node offers its accelerators, instead of adding another node
    # https://docs.aws.amazon.com/eks/latest/best-practices/cas.html, section on accelerators, 2026-11-25
    if accelerator_name:
        found["k8s.amazonaws.com/accelerator"] = f"{accelerator}-{accelerator_name.lower()}"
    return {_POOL: pool, _CAPACITY: capacity, **found}


def _taints(pool: str, tainted: bool, accelerator: str) -> list[tuple[str, str]]:
    own = [(_POOL, pool)] if tainted else []
    return [*own, ("nvidia.com/gpu", "true")] if accelerator == "nvidia" else own


def _resources(disk_gib: int, accelerator: str, accelerators: int) -> dict[str, str]:
    devices = {_RESOURCES[accelerator]: str(accelerators)} if accelerator else {}
    return {"ephemeral-storage": f"{disk_gib}Gi", **devices}
