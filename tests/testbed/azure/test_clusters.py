"""Tests AKS clusters and node pools in the stand-in for Azure."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.clouds.azure.cloud import Cloud
from testbed.clouds.azure.clusters import node_of
from testbed.clouds.azure.network import CLUSTER, POOL
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.values import UNKNOWN, Values
from tests.testbed.azure.world import (
    CRYPTO,
    NETWORKS,
    OPERATOR,
    VAULTS,
    World,
    a_key,
    a_network,
    a_vault,
    an_identity,
    cluster_inputs,
    grant,
    pool_inputs,
)


@pytest.fixture
def network(world: World) -> dict[str, Values]:
    return a_network(world)


@pytest.fixture
def inputs(world: World, network: dict[str, Values]) -> dict[str, Any]:
    """Return the inputs for a cluster whose identity has all the permissions it needs."""
    control, kubelet = an_identity(world, "control"), an_identity(world, "kubelet")
    for name in ("nodes", "api-server"):
        grant(world, f"{name}-right", control, NETWORKS, network[name]["id"])
    grant(world, "kubelet-right", control, OPERATOR, kubelet["id"])
    return cluster_inputs(network, control, kubelet)


@pytest.fixture
def pool(world: World, inputs: dict[str, Any], network: dict[str, Values]) -> dict[str, Any]:
    """Return the inputs for a node pool in an existing cluster."""
    world.make("cluster", CLUSTER, **inputs)
    return pool_inputs(network)


def test_cluster_has_what_azure_assigns(world: World, inputs: dict[str, Any], cloud: Cloud) -> None:
    preview = world.lifecycle.previewed(CLUSTER, inputs)
    cluster = world.make("cluster", CLUSTER, **inputs)

    assert preview["oidcIssuerProfile"] == {"enabled": True, "issuerURL": UNKNOWN}
    assert cluster["oidcIssuerProfile"]["issuerURL"].startswith("https://westeurope.oic.prod-aks.azure.com/")
    assert list(cluster["identity"]["userAssignedIdentities"]) == inputs["identity"]["userAssignedIdentities"]
    assert "fraud-nodes" in str(cloud.left()["ResourceGroup"])
    update = world.lifecycle.promised_update(CLUSTER, cluster, {**inputs, "kubernetesVersion": "1.36"})
    assert update["oidcIssuerProfile"] == cluster["oidcIssuerProfile"]
    world.remove("cluster")
    assert "fraud-nodes" not in str(cloud.left()["ResourceGroup"])


@pytest.mark.parametrize(
    ("right", "message"),
    [
        ("nodes-right", "LinkedAuthorizationFailed.*virtualNetworks/subnets/join/action.*subnets/nodes'"),
        ("api-server-right", "LinkedAuthorizationFailed.*subnets/api-server'"),
        ("kubelet-right", "must be granted 'Managed Identity Operator' role to assign kubelet identity"),
    ],
)
def test_cluster_needs_rights(world: World, inputs: dict[str, Any], right: str, message: str) -> None:
    world.remove(right)

    with pytest.raises(Refused, match=message):
        world.make("cluster", CLUSTER, **inputs)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kubernetesVersion": "1.20"}, "is on version 1.20, which is not supported in this region"),
        ({"agentPoolProfiles": []}, "needs a system pool with a node"),
        ({"nodeResourceGroup": "fraud"}, "The resource group fraud already exists"),
        (
            {"apiServerAccessProfile": {"enablePrivateCluster": True, "authorizedIPRanges": ["1.2.3.4/32"]}},
            "do not app",
        ),
        ({"apiServerAccessProfile": {"privateDNSZone": "system"}}, "Only a private cluster has a private DNS zone"),
        ({"networkProfile": {"networkDataplane": "celium"}}, "'celium' is none of azure, cilium"),
        ({"diskEncryptionSetID": "/subscriptions/a/resourceGroups/b/providers/c/d/e"}, "was not found"),
    ],
)
def test_clusters_that_azure_refuses(
    world: World, inputs: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    with pytest.raises(Refused, match=message):
        world.make("cluster", CLUSTER, **{**inputs, **change})


def test_secrets_are_encrypted_with_a_version_of_a_key_in_a_closed_vault(world: World, inputs: dict[str, Any]) -> None:
    vault = a_vault(world)
    key = a_key(world, vault, "secrets", "encrypt", "decrypt")
    kms = {
        "enabled": True,
        "keyId": key["keyUriWithVersion"],
        "keyVaultNetworkAccess": "Private",
        "keyVaultResourceId": vault["id"],
    }

    def make_cluster(**changes: Any) -> None:
        world.make("cluster", CLUSTER, **inputs, securityProfile={"azureKeyVaultKms": {**kms, **changes}})

    with pytest.raises(Refused, match="has to be named with its version"):
        make_cluster(keyId=key["keyUri"])
    with pytest.raises(Refused, match="vaults/keys/encrypt/action"):
        make_cluster()
    control: Any = {"principalId": world.resources["control"][3]["principalId"]}
    grant(world, "crypto", control, CRYPTO, key["id"])
    with pytest.raises(Refused, match="is Private, and not Public"):
        make_cluster(keyVaultNetworkAccess="Public")
    with pytest.raises(Refused, match="privateEndpointConnectionsApproval"):
        make_cluster()
    grant(world, "vault-right", control, VAULTS, vault["id"])
    make_cluster()


def test_changes_of_a_cluster(world: World, inputs: dict[str, Any]) -> None:
    world.make("cluster", CLUSTER, **inputs)

    assert world.change("cluster", kubernetesVersion="1.36")[1]["currentKubernetesVersion"].startswith("1.36")
    with pytest.raises(Refused, match=r"Upgrading Kubernetes version 1\.36 to 1\.35 is not allowed"):
        world.change("cluster", kubernetesVersion="1.35")
    for path in ("networkPlugin", "networkDataplane", "serviceCidr"):
        changed = {**inputs["networkProfile"], path: "other"}
        assert world.replaced_by("cluster", networkProfile=changed) == [f"networkProfile.{path}"]
    assert world.replaced_by("cluster", dnsPrefix="b", nodeResourceGroup="c") == ["dnsPrefix", "nodeResourceGroup"]
    with pytest.raises(Refused, match="Changing property 'enableRBAC' is not allowed"):
        world.change("cluster", enableRBAC=False)
    access = {key: each for key, each in inputs["apiServerAccessProfile"].items() if key != "privateDNSZone"}
    world.change("cluster", apiServerAccessProfile={**access, "enablePrivateCluster": False})
    with pytest.raises(Refused, match="enablePrivateCluster' is not allowed"):
        world.change(
            "cluster", apiServerAccessProfile={**access, "enablePrivateCluster": True, "enableVnetIntegration": False}
        )


def test_subnets_of_a_cluster_cannot_be_deleted(world: World, inputs: dict[str, Any]) -> None:
    world.make("cluster", CLUSTER, **inputs)

    for name in ("nodes", "api-server"):
        with pytest.raises(Refused, match=f"Subnet {name} is in use by .*/managedClusters/fraud"):
            world.remove(name)


def test_changes_of_a_pool(world: World, pool: dict[str, Any], cloud: Cloud) -> None:
    """The Pulumi provider replaces a node pool only if its VM size changes.

    It tries to change other fixed properties in place, which AKS refuses.
    """
    world.make("gpu", POOL, **pool)

    assert world.change("gpu", maxCount=5, nodeTaints=["a=b:NoSchedule"])[0] == ["maxCount", "nodeTaints"]
    assert world.replaced_by("gpu", vmSize="Standard_NC16as_T4_v3") == ["vmSize"]
    for change in ({"osDiskSizeGB": 200}, {"availabilityZones": ["2"]}, {"spotMaxPrice": 1}):
        with pytest.raises(Refused, match=f"Changing property '{next(iter(change))}' is not allowed"):
            world.change("gpu", **change)
    world.remove("cluster")
    assert "AgentPool" not in cloud.left()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"resourceName": "other"}, "managedClusters/other' under resource group 'fraud' was not found"),
        ({"agentPoolName": "GPU"}, "'GPU' does not match"),
        ({"agentPoolName": "aks"}, "The pool aks is part of the cluster"),
        ({"orchestratorVersion": "1.36"}, "Node pool version 1.36 and control plane version 1.35 are incompatible"),
        ({"vmSize": "n2-standard-8"}, "The VM size of n2-standard-8 is not allowed in your subscription"),
        ({"vmSize": "Standard_D8as_v6"}, "The VM size Standard_D8as_v6 has 0 GPUs"),
        ({"minCount": 5}, "autoscaling from 5 to 3"),
        ({"count": 4}, "4 nodes, autoscaling from 0 to 3"),
        ({"scaleSetEvictionPolicy": None}, "Spot pools are user pools with an eviction policy"),
        ({"mode": "System"}, "Spot pools are user pools"),
        ({"upgradeSettings": {"maxSurge": "1"}}, "Spot pools cannot be upgraded with a surge"),
    ],
)
def test_pools_that_azure_refuses(world: World, pool: dict[str, Any], change: dict[str, Any], message: str) -> None:
    inputs = {name: value for name, value in {**pool, **change}.items() if value is not None}
    with pytest.raises(Refused, match=message):
        world.make("gpu", POOL, **inputs)


def test_nodes_of_a_pool() -> None:
    pool = {
        "name": "sgpu",
        "vmSize": "Standard_NC8as_T4_v3",
        "osDiskSizeGB": 100,
        "nodeLabels": {"a": "b"},
        "nodeTaints": ["nvidia.com/gpu=present:NoSchedule"],
        "availabilityZones": ["1", "2"],
    }
    first, second = node_of(pool, 2)

    assert first.resources == (("nvidia.com/gpu", 1),)
    assert first.taints == (("nvidia.com/gpu", "present", "NoSchedule"),)
    assert ("a", "b") in first.labels
    assert {dict(each.labels)["topology.kubernetes.io/zone"] for each in (first, second)} == {"zone-1", "zone-2"}
