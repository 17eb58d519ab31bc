"""Tests that node pools consist of hardened machines, and that an autoscaler can start them from zero."""

from __future__ import annotations

from base64 import b64decode
from email import message_from_bytes
from pathlib import Path

import pytest
import yaml

from tests.stacks.aws.programs import POOLS, Resources, allowed_everywhere, elsewhere, inputs, needs, of, registered
from tests.stacks.programs import Refused

GROUP = "aws:eks/nodeGroup:NodeGroup"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
TAG = "aws:autoscaling/tag:Tag"
NAME = "fraud-prod-main"


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """Register a system pool, a spot pool with GPUs, and a pool with Neuron devices."""
    return registered(tmp_path_factory.mktemp("nodes"), POOLS)


@pytest.mark.parametrize("pool", ["system", "train-spot", "cheap"])
def test_pods_cannot_reach_the_machine_credentials(pool: str, resources: Resources) -> None:
    assert inputs(resources, TEMPLATE, pool)["metadataOptions"] == {
        "httpEndpoint": "enabled",
        "httpTokens": "required",
        "httpPutResponseHopLimit": 1,
    }


@pytest.mark.parametrize(("pool", "size"), [("system", 60), ("train-spot", 200)])
def test_disks_are_encrypted_and_have_the_requested_size(pool: str, size: int, resources: Resources) -> None:
    (disk,) = inputs(resources, TEMPLATE, pool)["blockDeviceMappings"]

    assert disk == {
        "deviceName": "/dev/xvda",
        "ebs": {
            "volumeType": "gp3",
            "volumeSize": size,
            "encrypted": "true",
            "kmsKeyId": f"arn:aws:kms:::Key/{NAME}",
            "deleteOnTermination": "true",
        },
    }
    assert "diskSize" not in inputs(resources, GROUP, pool)
    assert "remoteAccess" not in inputs(resources, GROUP, pool)


def test_launched_resources_have_the_default_tags(resources: Resources) -> None:
    specifications = inputs(resources, TEMPLATE, "system")["tagSpecifications"]

    assert {each["resourceType"] for each in specifications} == {"instance", "network-interface", "volume"}
    for each in specifications:
        assert each["tags"] == {"modelyard:system": "fraud", "Name": f"{NAME}-system"}


def test_machines_and_capacity_are_as_requested(resources: Resources) -> None:
    system, train = inputs(resources, GROUP, "system"), inputs(resources, GROUP, "train-spot")

    assert (system["instanceTypes"], system["capacityType"]) == (["m7g.large"], "ON_DEMAND")
    assert (train["instanceTypes"], train["capacityType"]) == (["g6.2xlarge", "g5.2xlarge"], "SPOT")
    assert train["subnetIds"] == [f"{NAME}-private-{zone}" for zone in (1, 2, 3)]
    assert train["nodeRoleArn"] == f"arn:aws:iam:::Role/{NAME}-node"
    assert train["launchTemplate"] == {"id": "train-spot", "version": "1"}
    assert train["version"] == "1.36"


@pytest.mark.parametrize(
    ("pool", "image"),
    [
        ("system", "AL2023_ARM_64_STANDARD"),
        ("train-spot", "AL2023_x86_64_NVIDIA"),
        ("cheap", "AL2023_x86_64_NEURON"),
    ],
)
def test_image_includes_the_accelerator_driver(pool: str, image: str, resources: Resources) -> None:
    assert inputs(resources, GROUP, pool)["amiType"] == image


def test_node_count_is_left_to_the_autoscaler(resources: Resources) -> None:
    assert inputs(resources, GROUP, "train-spot")["scalingConfig"] == {"minSize": 0, "maxSize": 8, "desiredSize": 0}
    assert inputs(resources, GROUP, "system")["scalingConfig"] == {"minSize": 3, "maxSize": 6, "desiredSize": 3}
    assert {tuple(each["ignoreChanges"]) for each in of(resources, GROUP).values()} == {("scalingConfig.desiredSize",)}


def test_pools_have_distinct_labels_and_taints(resources: Resources) -> None:
    system, train, cheap = (inputs(resources, GROUP, pool) for pool in ("system", "train-spot", "cheap"))
    own = {"key": "modelyard.dev/pool", "value": "train", "effect": "NO_SCHEDULE"}

    assert system["labels"] == {"modelyard.dev/pool": "system", "modelyard.dev/capacity": "on-demand"}
    assert system["taints"] == []
    assert train["labels"] == {
        "modelyard.dev/pool": "train",
        "modelyard.dev/capacity": "spot",
        "nvidia.com/gpu.present": "true",
        "k8s.amazonaws.com/accelerator": "nvidia-l4",
    }
    assert train["taints"] == [own, {"key": "nvidia.com/gpu", "value": "true", "effect": "NO_SCHEDULE"}]
    assert cheap["taints"] == [{**own, "value": "cheap"}]


@pytest.mark.parametrize("pool", ["train-spot", "cheap"])
def test_tags_describe_nodes_of_an_empty_group(pool: str, resources: Resources) -> None:
    """These tags tell the autoscaler an empty group's labels, taints and devices."""
    prefix = "k8s.io/cluster-autoscaler/node-template/"
    group = inputs(resources, GROUP, pool)
    tags = {
        each["inputs"]["tag"]["key"].removeprefix(prefix): each["inputs"]["tag"]["value"]
        for name, each in of(resources, TAG).items()
        if name.startswith(f"{pool}-")
    }
    devices = {"train-spot": {"resources/nvidia.com/gpu": "1"}, "cheap": {"resources/aws.amazon.com/neuron": "1"}}
    disk = {"train-spot": "200Gi", "cheap": "100Gi"}

    assert tags == {
        **{f"label/{key}": value for key, value in group["labels"].items()},
        **{f"taint/{each['key']}": f"{each['value']}:NoSchedule" for each in group["taints"]},
        **devices.get(pool, {}),
        "resources/ephemeral-storage": disk[pool],
    }
    for each in of(resources, TAG).values():
        assert each["inputs"]["autoscalingGroupName"] == "asg"
        assert each["inputs"]["tag"]["key"].startswith(prefix)


def test_local_disks_store_images_and_ephemeral_data(resources: Resources) -> None:
    """User data configures nodeadm to use local disks, and a tag passes their size to the autoscaler."""
    message = message_from_bytes(b64decode(inputs(resources, TEMPLATE, "large")["userData"]))
    (part,) = (part for part in message.walk() if not part.is_multipart())
    (disk,) = inputs(resources, TEMPLATE, "large")["blockDeviceMappings"]
    tag = inputs(resources, TAG, "large-resources-ephemeral-storage")["tag"]

    assert part.get_content_type() == "application/node.eks.aws"
    assert yaml.safe_load(str(part.get_payload())) == {
        "apiVersion": "node.eks.aws/v1alpha1",
        "kind": "NodeConfig",
        "spec": {"instance": {"localStorage": {"strategy": "RAID0"}}},
    }
    assert disk["ebs"]["volumeSize"] == 50
    assert tag["value"] == "7450Gi"
    assert "userData" not in inputs(resources, TEMPLATE, "train-spot")


def test_distributed_training_nodes_share_a_zone(tmp_path: Path, resources: Resources) -> None:
    """All training nodes are in one zone: the one in the stack settings, or else the first."""
    elsewhere = registered(tmp_path / "second", POOLS, 'trainingZone: "2"')

    assert inputs(resources, GROUP, "large")["subnetIds"] == [f"{NAME}-private-1"]
    assert inputs(elsewhere, GROUP, "large")["subnetIds"] == [f"{NAME}-private-2"]
    with pytest.raises(Refused, match="trainingZone must be 1 to 3, not 4"):
        registered(tmp_path / "fourth", POOLS, 'trainingZone: "4"')


def test_pool_that_is_never_empty_needs_no_tags(resources: Resources) -> None:
    assert [name for name in of(resources, TAG) if name.startswith("system-")] == []


def test_nodes_are_repaired_and_accelerators_updated_without_surge(resources: Resources) -> None:
    system, train = inputs(resources, GROUP, "system"), inputs(resources, GROUP, "train-spot")

    assert system["nodeRepairConfig"] == train["nodeRepairConfig"] == {"enabled": True}
    assert system["updateConfig"]["updateStrategy"] == "DEFAULT"
    assert train["updateConfig"]["updateStrategy"] == "MINIMAL"


def test_nodes_wait_for_addons_permissions_and_routes(tmp_path: Path) -> None:
    resources = registered(tmp_path, POOLS.replace('nat="none"', 'nat="one"'))

    before = needs(resources, GROUP, "system")

    for addon in ("vpc-cni", "kube-proxy", "eks-pod-identity-agent"):
        assert f"aws:eks/addon:Addon {NAME}-{addon}" in before
    for right in ("worker", "images"):
        assert f"aws:iam/rolePolicyAttachment:RolePolicyAttachment {NAME}-node-{right}" in before
    assert f"aws:ec2/route:Route {NAME}-private-1" in before
    assert f"aws:ec2/vpcEndpoint:VpcEndpoint {NAME}-ecr-dkr" in before


def test_only_the_key_policy_applies_to_all_resources(resources: Resources) -> None:
    """Only in a key policy does `*` mean the key itself rather than every resource.

    Endpoint policies are excluded, because they only restrict access.
    """
    wide = {where for where in allowed_everywhere(resources) if not where.startswith("aws:ec2/vpcEndpoint:")}

    assert wide == {f"aws:kms/key:Key {NAME}"}


def test_every_resource_has_a_component_and_the_account(resources: Resources) -> None:
    assert elsewhere(resources) == set()


def test_an_accelerator_without_an_image_is_refused(tmp_path: Path) -> None:
    program = POOLS.replace('accelerator="neuron"', 'accelerator="neuron", arch="arm64"')

    with pytest.raises(Refused, match="node pool cheap: EKS has no image for neuron on arm64"):
        registered(tmp_path, program)
