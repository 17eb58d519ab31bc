"""Tests which instance types Karpenter may launch for elastic compute classes, how many, and with what settings."""

from __future__ import annotations

import pytest

from modelyard_targets.aws.machines import offerings
from tests.crds import problems
from tests.targets.aws.emitted import AWS_SPEC, argument, calls, changed, emitted_object, names

GPU = changed(
    ("capacity: spot-first}", "capacity: spot-first, elastic: true}"),
)


def requirement(key: str, pool: str = "free", text: str = AWS_SPEC) -> list[str]:
    """Return the values that a NodePool allows for a node label."""
    requirements = emitted_object("NodePool", pool, text)["spec"]["template"]["spec"]["requirements"]
    (values,) = [each["values"] for each in requirements if each["key"] == key]
    return list(values)


def test_only_elastic_classes_have_a_node_pool() -> None:
    assert names("NodePool") == ["free"]
    assert sorted(names("NodePool", GPU)) == ["free", "gpu"]


@pytest.mark.parametrize("name", ["gpu", "free"])
def test_node_pools_are_valid(name: str) -> None:
    assert problems(emitted_object("NodePool", name, GPU)) == []


def test_node_pool_lists_machines_that_fit_a_pod() -> None:
    by_name = {machine.name: machine for machine in offerings().machines}
    machines = [by_name[name] for name in requirement("node.kubernetes.io/instance-type")]

    assert machines
    assert all(machine.cpu_millis >= 2000 and machine.memory_bytes >= 8 * 1024**3 for machine in machines)
    assert all(machine.accelerator is None and machine.arch == "amd64" for machine in machines)


def test_node_pool_lists_machines_with_requested_accelerators() -> None:
    by_name = {machine.name: machine for machine in offerings().machines}
    accelerators = {by_name[name].accelerator for name in requirement("node.kubernetes.io/instance-type", "gpu", GPU)}

    assert {accelerator.name for accelerator in accelerators if accelerator is not None} == {"L4", "A10G"}
    assert None not in accelerators


def test_node_pool_lists_only_machines_sold_in_the_region() -> None:
    """G6 is not sold in eu-west-1, so the NodePool lists only G5."""
    text = GPU.replace("region: eu-central-1", "region: eu-west-1")
    families = {name.partition(".")[0] for name in requirement("node.kubernetes.io/instance-type", "gpu", text)}

    assert families == {"g5"}


@pytest.mark.parametrize(
    ("capacity", "ways"),
    [("on-demand", ["on-demand"]), ("spot", ["spot"]), ("spot-first", ["spot", "on-demand"])],
)
def test_capacity_types_follow_the_class(capacity: str, ways: list[str]) -> None:
    text = changed(("elastic: true", f"elastic: true, capacity: {capacity}"))

    assert requirement("karpenter.sh/capacity-type", text=text) == ways


def test_nodes_have_label_and_taints_of_the_class() -> None:
    template = emitted_object("NodePool", "gpu", GPU)["spec"]["template"]

    assert template["metadata"]["labels"] == {"modelyard.dev/pool": "gpu"}
    assert [(each["key"], each["value"], each["effect"]) for each in template["spec"]["taints"]] == [
        ("modelyard.dev/pool", "gpu", "NoSchedule"),
        ("nvidia.com/gpu", "true", "NoSchedule"),
    ]


def test_only_empty_nodes_are_removed() -> None:
    spec = emitted_object("NodePool", "free")["spec"]

    assert spec["disruption"]["consolidationPolicy"] == "WhenEmpty"
    assert spec["template"]["spec"]["expireAfter"] == "Never"


def test_node_pool_has_limits() -> None:
    """The limit is twice the resources of three workers that each need a four-CPU instance."""
    assert emitted_object("NodePool", "free")["spec"]["limits"] == {"cpu": "24", "memory": "96Gi"}


def test_limits_allow_at_least_one_machine() -> None:
    """At least one instance fits within the limit, because Karpenter won't launch one that exceeds it."""
    text = GPU.replace("cpu: 4, memory: 16Gi, accelerators", "cpu: 1, memory: 2Gi, accelerators")
    limits = emitted_object("NodePool", "gpu", text)["spec"]["limits"]
    by_name = {machine.name: machine for machine in offerings().machines}
    allowed = [by_name[name] for name in requirement("node.kubernetes.io/instance-type", "gpu", text)]

    assert any(int(limits["cpu"]) >= each.vcpus and int(limits["memory"][:-2]) >= each.memory_gib for each in allowed)
    assert limits["nvidia.com/gpu"] == "2"


def test_node_class_uses_profile_image_and_key_of_the_account() -> None:
    node_class = argument(calls()["node_class"], "document")

    assert problems(node_class) == []
    assert node_class["spec"]["instanceProfile"] == "the karpenter_profile"
    assert node_class["spec"]["amiSelectorTerms"] == [{"alias": "al2023@v20260903"}]
    assert node_class["spec"]["metadataOptions"] == {"httpTokens": "required", "httpPutResponseHopLimit": 1}
    (disk,) = node_class["spec"]["blockDeviceMappings"]
    assert disk["ebs"]["kmsKeyID"] == "the key_arn"
    assert disk["ebs"]["volumeSize"] == "160Gi"
    assert node_class["spec"]["instanceStorePolicy"] == "RAID0"
    assert node_class["spec"]["tags"]["modelyard:system"] == "leads"


def test_root_volume_ignores_classes_with_local_disks() -> None:
    """A class that requests 2 TiB of disk needs no larger root volume if all of its instance types have NVMe disks."""

    def size(text: str) -> str:
        (disk,) = argument(calls(text)["node_class"], "document")["spec"]["blockDeviceMappings"]
        return str(disk["ebs"]["volumeSize"])

    large = GPU.replace("capacity: spot-first, elastic", "capacity: spot-first, disk: 2Ti, elastic")
    assert (size(GPU), size(large)) == ("160Gi", "160Gi")


def test_node_class_lists_subnets_of_an_adopted_network() -> None:
    text = changed(
        (
            "vpc: {cidr: 10.20.0.0/16}",
            "vpc: {adopt: vpc-0a1b2c3d4e5f60718, cidr: 10.0.0.0/16, "
            "subnets: [subnet-0a1b2c3d4e5f60718, subnet-0f9e8d7c6b5a43210]}",
        )
    )
    spec = argument(calls(text)["node_class"], "document")["spec"]

    assert spec["subnetSelectorTerms"] == [{"id": "subnet-0a1b2c3d4e5f60718"}, {"id": "subnet-0f9e8d7c6b5a43210"}]


def test_node_class_depends_on_karpenter() -> None:
    assert argument(calls()["node_class"], "depends_on") == ["karpenter"]
