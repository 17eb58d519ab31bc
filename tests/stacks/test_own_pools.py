"""Tests node pools registered under mocks in an existing cluster on each cloud, using the cluster's values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from modelyard.emit import emit
from tests.stacks.programs import Registration, of_type, registrations
from tests.targets.cloud.test_own_pools import CLOUDS, GPU, PLAIN, compiled

POOLS = {
    "aws": "aws:eks/nodeGroup:NodeGroup",
    "gcp": "gcp:container/nodePool:NodePool",
    "azure": "azure-native:containerservice:AgentPool",
}


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[Registration]]:
    """Return the resources registered by the infrastructure of the system `tenant` on each cloud."""
    folders: list[Path] = []
    for cloud in CLOUDS:
        root = tmp_path_factory.mktemp(cloud)
        for file in emit(compiled(cloud, gpu=GPU if cloud == "gcp" else PLAIN).stacks[0]):
            path = root / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.render())
        folders += [file.parent for file in root.rglob("Pulumi.yaml") if file.parent.name == "infrastructure"]
    return dict(zip(CLOUDS, registrations(*folders), strict=True))


@pytest.mark.parametrize("cloud", CLOUDS)
def test_pools_carry_the_label_and_the_taint_of_this_system(
    registered: Mapping[str, list[Registration]], cloud: str
) -> None:
    pools = of_type(registered[cloud], POOLS[cloud])

    assert len(pools) > 1
    for pool in pools:
        assert "modelyard.dev/pool" in str(pool["inputs"])
        assert pool["inputs"].get("clusterName", pool["inputs"].get("cluster", "platform")) == "platform"
        assert not pool["protect"]


def test_node_groups_of_eks_have_a_role_of_their_own_and_the_subnets_of_the_control_plane(
    registered: Mapping[str, list[Registration]],
) -> None:
    (role,) = (
        resource for resource in of_type(registered["aws"], "aws:iam/role:Role") if resource["name"].endswith("-node")
    )
    policies = [
        resource["inputs"]["policyArn"].rpartition("/")[2]
        for resource in of_type(registered["aws"], "aws:iam/rolePolicyAttachment:RolePolicyAttachment")
        if resource["inputs"]["role"] == role["name"]
    ]

    assert sorted(policies) == [
        "AmazonEC2ContainerRegistryPullOnly",
        "AmazonEKSWorkerNodePolicy",
        "AmazonEKS_CNI_Policy",
    ]
    for group in of_type(registered["aws"], POOLS["aws"]):
        assert group["inputs"]["nodeRoleArn"].endswith(role["name"])
        assert group["inputs"]["subnetIds"] == ["subnet-a", "subnet-b"]
        assert group["inputs"]["version"] == "1.36"
        assert sum("rolePolicyAttachment" in urn for urn in group["dependsOn"]) == len(policies)


def test_node_pools_of_gke_have_the_nodes_account_the_systems_key_and_the_clusters_zone(
    registered: Mapping[str, list[Registration]],
) -> None:
    for pool in of_type(registered["gcp"], POOLS["gcp"]):
        node = pool["inputs"]["nodeConfig"]

        assert node["serviceAccount"] == "nodes@acme-platform.iam.gserviceaccount.com"
        assert node["bootDiskKmsKey"].endswith("cryptoKeys/tenant-gke-main")
        assert pool["inputs"]["location"] == "europe-west3-a"
        assert pool["inputs"]["nodeLocations"] == ["europe-west3-a"]
        assert any("cryptoKeyIAMMember" in urn and urn.endswith("-compute") for urn in pool["dependsOn"])


def test_agent_pools_of_aks_are_in_the_group_and_the_subnet_of_the_cluster(
    registered: Mapping[str, list[Registration]],
) -> None:
    for pool in of_type(registered["azure"], POOLS["azure"]):
        assert pool["inputs"]["resourceGroupName"] == "platform"
        assert pool["inputs"]["resourceName"] == "platform"
        assert pool["inputs"]["vnetSubnetID"].endswith("/virtualNetworks/shared/subnets/nodes")
