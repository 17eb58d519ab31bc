"""Tests that the cluster is private and encrypted, with identities for Pods but no local accounts."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import pulumi
import pytest

from modelyard_stacks.azure.access import admins, way_to_log_in
from modelyard_stacks.azure.cluster import Cluster
from tests.stacks.aws.programs import Resources, inputs, needs, of
from tests.stacks.azure.programs import (
    CLUSTER,
    IN_GROUP,
    NOTHING,
    SUBSCRIPTION,
    configured,
    elsewhere,
    registered_together,
)

AKS = "azure-native:containerservice:ManagedCluster"
ASSIGNMENT = "azure-native:authorization:RoleAssignment"
IDENTITY = "azure-native:managedidentity:UserAssignedIdentity"
WINDOW = "azure-native:containerservice:MaintenanceConfiguration"
VNET = f"{IN_GROUP}/Microsoft.Network/virtualNetworks/fraud-prod-main"
WITH_KUBECONFIG = f"""{CLUSTER}
import pulumi

pulumi.ComponentResource("tiny:Names", "names", {{"kubeconfig": cluster.kubeconfig, "issuer": cluster.issuer}})
"""
GROUP_ID = "00000000-aaaa-bbbb-cccc-0123456789ab"


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Resources]:
    """Register a private cluster, a public cluster, and a cluster with every setting."""
    settings = f"""admins: '["group:{GROUP_ID}"]'
login: workloadidentity
encryptionAtHost: true
protect: false"""
    public = CLUSTER.replace('version="1.35"', 'version="1.35", public_access_cidrs=["198.51.100.0/24"]')
    return registered_together(
        tmp_path_factory.mktemp("cluster"),
        {"private": (WITH_KUBECONFIG, ""), "public": (public, ""), "set": (WITH_KUBECONFIG, settings)},
    )


@pytest.fixture(scope="module")
def resources(programs: dict[str, Resources]) -> Resources:
    """Return the registrations of the private cluster."""
    return programs["private"]


@pytest.fixture(scope="module")
def cluster_inputs(resources: Resources) -> dict[str, Any]:
    """Return the private cluster's registered inputs."""
    return inputs(resources, AKS, "fraud-prod-main")


def kubeconfig(resources: Resources) -> dict[str, Any]:
    config: dict[str, Any] = json.loads(inputs(resources, "tiny:Names", "names")["kubeconfig"])
    return config


def roles(resources: Resources) -> dict[str, tuple[str, str]]:
    """Return the role and scope of each of the control plane's role assignments."""
    control = inputs(resources, ASSIGNMENT, "fraud-prod-main-subnet")["principalId"]
    assigned = {name: each["inputs"] for name, each in of(resources, ASSIGNMENT).items()}
    return {
        name.removeprefix("fraud-prod-main-"): (each["roleDefinitionId"].rpartition("/")[2], each["scope"])
        for name, each in assigned.items()
        if each["principalId"] == control
    }


def test_the_api_has_an_address_of_the_network_and_no_other(cluster_inputs: dict[str, Any]) -> None:
    assert cluster_inputs["apiServerAccessProfile"] == {
        "enableVnetIntegration": True,
        "subnetId": f"{VNET}/subnets/api-server",
        "enablePrivateCluster": True,
        "enablePrivateClusterPublicFQDN": False,
        "privateDNSZone": "system",
        "disableRunCommand": True,
    }
    assert cluster_inputs["agentPoolProfiles"][0]["enableNodePublicIP"] is False


def test_addresses_of_the_spec_reach_a_public_api_and_no_others(programs: dict[str, Resources]) -> None:
    profile = inputs(programs["public"], AKS, "fraud-prod-main")["apiServerAccessProfile"]

    assert profile == {
        "enableVnetIntegration": True,
        "subnetId": f"{VNET}/subnets/api-server",
        "enablePrivateCluster": False,
        "authorizedIPRanges": ["198.51.100.0/24"],
        "disableRunCommand": True,
    }


def test_people_log_in_by_entra_id_alone(cluster_inputs: dict[str, Any]) -> None:
    assert cluster_inputs["disableLocalAccounts"] is True
    assert cluster_inputs["enableRBAC"] is True
    assert cluster_inputs["aadProfile"] == {
        "managed": True,
        "enableAzureRBAC": True,
        "tenantID": "72f988bf-86f1-41af-91ab-2d7cd011db47",
    }


def test_whoever_runs_the_first_up_is_administrator_and_stays_one(resources: Resources) -> None:
    admin = inputs(resources, ASSIGNMENT, "fraud-prod-main-deployer-admin")

    assert admin["principalId"] == "11111111-2222-3333-4444-555555555555"
    assert admin["roleDefinitionId"].endswith("/b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b")
    assert admin["scope"] == f"{IN_GROUP}/Microsoft.ContainerService/managedClusters/fraud-prod-main"
    assert inputs(resources, ASSIGNMENT, "fraud-prod-main-deployer-user")["roleDefinitionId"].endswith(
        "/4abbcc35-e782-43d8-92c5-2d3f1bd2253f"
    )
    assert resources[f"{ASSIGNMENT} fraud-prod-main-deployer-admin"]["ignoreChanges"] == ["principalId"]


def test_administrators_of_a_setting_replace_whoever_runs_up(programs: dict[str, Resources]) -> None:
    resources = programs["set"]

    assert not [name for name in of(resources, ASSIGNMENT) if "deployer" in name]
    assert inputs(resources, ASSIGNMENT, f"fraud-prod-main-{GROUP_ID}-admin") == {
        "principalId": GROUP_ID,
        "principalType": "Group",
        "roleDefinitionId": (
            f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/"
            "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b"
        ),
        "scope": f"{IN_GROUP}/Microsoft.ContainerService/managedClusters/fraud-prod-main",
    }


def test_a_kubeconfig_holds_no_secret(resources: Resources) -> None:
    config = kubeconfig(resources)
    user = config["users"][0]["user"]

    assert config["clusters"][0]["cluster"] == {
        "server": "https://fraud.privatelink.azmk8s.example:443",
        "certificate-authority-data": "Y2U=",
    }
    assert set(user) == {"exec"}
    assert user["exec"]["command"] == "kubelogin"
    assert user["exec"]["args"] == [
        "get-token", "--login", "azurecli", "--server-id", "6dae42f8-4368-4678-94ff-3960e28e3630",
    ]  # fmt: skip
    assert user["exec"]["interactiveMode"] == "Never"


def test_another_login_is_a_setting(programs: dict[str, Resources]) -> None:
    assert kubeconfig(programs["set"])["users"][0]["user"]["exec"]["args"][2] == "workloadidentity"


def test_network_policies_are_enforced_and_pods_have_addresses_of_their_own(cluster_inputs: dict[str, Any]) -> None:
    assert cluster_inputs["networkProfile"] == {
        "networkPlugin": "azure",
        "networkPluginMode": "overlay",
        "networkDataplane": "cilium",
        "networkPolicy": "cilium",
        "podCidr": "10.0.128.0/17",
        "serviceCidr": "10.0.96.0/19",
        "dnsServiceIP": "10.0.96.10",
        "loadBalancerSku": "standard",
        "outboundType": "userAssignedNATGateway",
        "ipFamilies": ["IPv4"],
    }


def test_pods_have_identities_of_their_own(resources: Resources, cluster_inputs: dict[str, Any]) -> None:
    assert cluster_inputs["oidcIssuerProfile"] == {"enabled": True}
    assert cluster_inputs["securityProfile"]["workloadIdentity"] == {"enabled": True}
    assert inputs(resources, "tiny:Names", "names")["issuer"].startswith("https://westeurope.oic.prod-aks.azure.com/")


def test_secrets_and_disks_are_encrypted_with_our_keys(cluster_inputs: dict[str, Any]) -> None:
    vault = f"{IN_GROUP}/Microsoft.KeyVault/vaults/fraud-prod-keys"

    assert cluster_inputs["securityProfile"]["azureKeyVaultKms"] == {
        "enabled": True,
        "keyId": (
            "https://fraud-prod-keys.vault.azure.net/keys/fraud-prod-main-secrets/0123456789abcdef0123456789abcdef"
        ),
        "keyVaultNetworkAccess": "Private",
        "keyVaultResourceId": vault,
    }
    assert cluster_inputs["diskEncryptionSetID"] == f"{IN_GROUP}/Microsoft.Compute/diskEncryptionSets/fraud-prod-main"


def test_the_control_plane_has_what_it_needs_before_it_exists_and_nothing_else(resources: Resources) -> None:
    keys = f"{IN_GROUP}/Microsoft.KeyVault/vaults/fraud-prod-keys"
    network, identity = "4d97b98b-1d4f-4787-a291-c67834d212e7", "Microsoft.ManagedIdentity/userAssignedIdentities"

    assert roles(resources) == {
        "subnet": (network, f"{VNET}/subnets/nodes"),
        "api-subnet": (network, f"{VNET}/subnets/api-server"),
        "kubelet": ("f1a07417-d97a-45cb-824c-7a7467783830", f"{IN_GROUP}/{identity}/fraud-prod-main-nodes"),
        "disks": (
            "136d308c-0937-4a49-9bd7-edfb42adbffc",
            f"{IN_GROUP}/Microsoft.Compute/diskEncryptionSets/fraud-prod-main",
        ),
        "secrets": ("12338af0-0e69-4776-bea7-57ae8d297424", f"{keys}/keys/fraud-prod-main-secrets"),
        "vault": ("f25e0fa2-a7c8-4377-a976-54943a77a395", keys),
    }
    waited_for = {f"{ASSIGNMENT} fraud-prod-main-{use}" for use in roles(resources)}
    assert waited_for <= needs(resources, AKS, "fraud-prod-main")


def test_nodes_have_an_identity_of_ours(resources: Resources, cluster_inputs: dict[str, Any]) -> None:
    """We create the nodes' identity, so other resources can refer to it before the cluster exists."""
    name = "fraud-prod-main-nodes"

    assert cluster_inputs["identityProfile"]["kubeletidentity"]["resourceId"].endswith(f"/{name}")
    assert cluster_inputs["identity"]["userAssignedIdentities"][0].endswith("/fraud-prod-main-control-plane")
    assert set(of(resources, IDENTITY)) == {name, "fraud-prod-main-control-plane", "fraud-prod-main-data"}


def test_the_first_pool_is_for_aks_and_cannot_be_resized(resources: Resources, cluster_inputs: dict[str, Any]) -> None:
    (pool,) = cluster_inputs["agentPoolProfiles"]

    assert (pool["mode"], pool["vmSize"]) == ("System", "Standard_D2s_v5")
    assert pool["nodeTaints"] == ["CriticalAddonsOnly=true:NoSchedule"]
    assert (pool["count"], pool["minCount"], pool["maxCount"]) == (2, 2, 4)
    assert pool["availabilityZones"] == ["1", "2", "3"]
    assert pool["orchestratorVersion"] == cluster_inputs["kubernetesVersion"] == "1.35"
    assert resources[f"{AKS} fraud-prod-main"]["ignoreChanges"] == [
        f"agentPoolProfiles[0].{field}"
        for field in ("count", "vmSize", "osDiskSizeGB", "availabilityZones", "enableEncryptionAtHost")
    ]


def test_caches_of_machines_are_encrypted_by_a_setting(
    programs: dict[str, Resources], cluster_inputs: dict[str, Any]
) -> None:
    pools = inputs(programs["set"], AKS, "fraud-prod-main")["agentPoolProfiles"]

    assert cluster_inputs["agentPoolProfiles"][0]["enableEncryptionAtHost"] is False
    assert pools[0]["enableEncryptionAtHost"] is True


def test_nobody_changes_nodes_behind_the_clusters_back(cluster_inputs: dict[str, Any]) -> None:
    assert cluster_inputs["nodeResourceGroup"] == "fraud-prod-nodes"
    assert cluster_inputs["nodeResourceGroupProfile"] == {"restrictionLevel": "ReadOnly"}


def test_azure_installs_patches_on_saturdays(resources: Resources, cluster_inputs: dict[str, Any]) -> None:
    windows = {each["inputs"]["configName"]: each["inputs"] for each in of(resources, WINDOW).values()}

    assert cluster_inputs["autoUpgradeProfile"] == {"upgradeChannel": "patch", "nodeOSUpgradeChannel": "NodeImage"}
    assert set(windows) == {"aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule"}
    for each in windows.values():
        assert each["resourceName"] == "fraud-prod-main"
        assert each["maintenanceWindow"] == {
            "schedule": {"weekly": {"dayOfWeek": "Saturday", "intervalWeeks": 1}},
            "startTime": "00:00",
            "durationHours": 8,
            "utcOffset": "+00:00",
        }


def test_the_api_is_promised_to_be_there(cluster_inputs: dict[str, Any]) -> None:
    assert cluster_inputs["sku"] == {"name": "Base", "tier": "Standard"}


def test_the_autoscaler_follows_an_order_and_gives_nodes_back(cluster_inputs: dict[str, Any]) -> None:
    assert cluster_inputs["autoScalerProfile"]["expander"] == "priority"
    assert cluster_inputs["autoScalerProfile"]["skipNodesWithLocalStorage"] == "false"


def test_it_is_protected_until_a_setting_ends_that(programs: dict[str, Resources]) -> None:
    assert programs["private"][f"{AKS} fraud-prod-main"]["protect"]
    assert not programs["set"][f"{AKS} fraud-prod-main"]["protect"]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ('["platform@acme.example"]', "the setting admins must be object IDs of Entra ID"),
        (f'"group:{GROUP_ID}"', "the setting admins is a list"),
        (f'["group:{GROUP_ID}", "robot:{GROUP_ID}"]', "as group:ID, user:ID or servicePrincipal:ID"),
    ],
)
def test_administrators_of_another_form_are_refused(members: str, message: str) -> None:
    with configured(admins=members), pytest.raises(pulumi.RunError, match=message):
        admins()


def test_a_login_that_kubelogin_does_not_know_is_refused() -> None:
    with (
        configured(login="password"),
        pytest.raises(pulumi.RunError, match="the setting login must be one of azurecli, azd"),
    ):
        way_to_log_in()


def test_a_name_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(pulumi.RunError, match="a name can have at most 40 characters"):
        Cluster("f" * 41, group=NOTHING, network=NOTHING, key=NOTHING, version="1.35", machine="Standard_D2s_v5")


def test_a_name_that_leaves_no_room_for_the_group_of_nodes_is_refused() -> None:
    group = SimpleNamespace(node_group_name=f"{'f' * 75}-nodes")
    with pytest.raises(pulumi.RunError, match="the nodes' group, can have at most 80 characters"):
        Cluster("a", group=cast("Any", group), network=NOTHING, key=NOTHING, version="1.35", machine="Standard_D2s_v5")


def test_everything_belongs_to_the_subscription(resources: Resources) -> None:
    assert not elsewhere(resources)
