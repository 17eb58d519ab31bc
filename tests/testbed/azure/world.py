"""Azure resources that several tests create in the stand-in for Azure."""

from __future__ import annotations

from typing import Any, TypeAlias

from testbed.clouds.azure.api import Api
from testbed.clouds.azure.cloud import SUBSCRIPTION, TENANT
from testbed.clouds.shared.values import Values
from tests import stand_ins

World: TypeAlias = stand_ins.World[Api]

REGION = "westeurope"
GROUP_ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/fraud"
ROLES = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions"
ENCRYPTION, OPERATOR = "e147488a-f6f5-4113-8e2d-b22465e65bf6", "f1a07417-d97a-45cb-824c-7a7467783830"
NETWORKS, DISKS = "4d97b98b-1d4f-4787-a291-c67834d212e7", "136d308c-0937-4a49-9bd7-edfb42adbffc"
CRYPTO, VAULTS = "12338af0-0e69-4776-bea7-57ae8d297424", "f25e0fa2-a7c8-4377-a976-54943a77a395"
IN_GROUP = {"resourceGroupName": "fraud"}
HERE = {**IN_GROUP, "location": REGION}


def a_group(world: World) -> None:
    """Create a resource group."""
    world.make("group", "azure-native:resources:ResourceGroup", resourceGroupName="fraud", location=REGION)


def an_identity(world: World, name: str) -> Values:
    """Create an identity."""
    return world.make(name, "azure-native:managedidentity:UserAssignedIdentity", **HERE, resourceName=name)


def grant(world: World, title: str, identity: Values, role: str, scope: str, **more: Any) -> Values:
    """Grant a role to an identity."""
    return world.make(
        title,
        "azure-native:authorization:RoleAssignment",
        principalId=identity["principalId"],
        principalType="ServicePrincipal",
        roleDefinitionId=f"{ROLES}/{role}",
        scope=scope,
        **more,
    )


def a_vault(world: World, **properties: Any) -> Values:
    """Create a key vault without public access."""
    usual = {
        "tenantId": TENANT,
        "sku": {"family": "A", "name": "standard"},
        "enableRbacAuthorization": True,
        "enableSoftDelete": True,
        "enablePurgeProtection": True,
        "softDeleteRetentionInDays": 90,
        "publicNetworkAccess": "disabled",
    }
    return world.make("keys", "azure-native:keyvault:Vault", **HERE, properties={**usual, **properties})


def a_key(world: World, vault: Values, name: str, *operations: str) -> Values:
    """Create a key in a key vault."""
    return world.make(
        name,
        "azure-native:keyvault:Key",
        **IN_GROUP,
        vaultName=vault["name"],
        keyName=name,
        properties={"kty": "RSA", "keySize": 3072, "keyOps": list(operations)},
    )


def account_inputs(vault: Values, identity: Values) -> dict[str, Any]:
    """Return the inputs for a storage account encrypted with the key `data`."""
    return {
        **HERE,
        "accountName": "fraudlake",
        "kind": "StorageV2",
        "sku": {"name": "Standard_LRS"},
        "isHnsEnabled": False,
        "identity": {"type": "UserAssigned", "userAssignedIdentities": [identity["id"]]},
        "encryption": {
            "keySource": "Microsoft.Keyvault",
            "keyVaultProperties": {"keyName": "data", "keyVaultUri": vault["properties"]["vaultUri"]},
            "encryptionIdentity": {"encryptionUserAssignedIdentity": identity["id"]},
            "requireInfrastructureEncryption": True,
        },
    }


def a_network(world: World) -> dict[str, Values]:
    """Create a network behind a NAT gateway, with subnets for nodes and for the API server."""
    network = {
        "net": world.make(
            "net",
            "azure-native:network:VirtualNetwork",
            **HERE,
            virtualNetworkName="net",
            addressSpace={"addressPrefixes": ["10.0.0.0/16"]},
        )
    }
    network["address"] = world.make(
        "address",
        "azure-native:network:PublicIPAddress",
        **HERE,
        sku={"name": "Standard"},
        publicIPAllocationMethod="Static",
    )
    network["gateway"] = world.make(
        "gateway",
        "azure-native:network:NatGateway",
        **HERE,
        sku={"name": "Standard"},
        publicIpAddresses=[{"id": network["address"]["id"]}],
    )
    for name, block in (("nodes", "10.0.0.0/18"), ("api-server", "10.0.64.0/20")):
        network[name] = world.make(
            name, "azure-native:network:Subnet", **subnet_inputs(name, block, network["gateway"]["id"])
        )
    return network


def subnet_inputs(name: str, block: str, gateway: str) -> dict[str, Any]:
    """Return the inputs of a subnet."""
    return {
        **IN_GROUP,
        "virtualNetworkName": "net",
        "subnetName": name,
        "addressPrefix": block,
        "natGateway": {"id": gateway},
    }


def cluster_inputs(network: dict[str, Values], control: Values, kubelet: Values) -> dict[str, Any]:
    """Return the inputs of a private cluster."""
    return {
        **HERE,
        "resourceName": "fraud",
        "dnsPrefix": "fraud",
        "nodeResourceGroup": "fraud-nodes",
        "kubernetesVersion": "1.35",
        "enableRBAC": True,
        "identity": {"type": "UserAssigned", "userAssignedIdentities": [control["id"]]},
        "identityProfile": {
            "kubeletidentity": {
                "resourceId": kubelet["id"],
                "clientId": kubelet["clientId"],
                "objectId": kubelet["principalId"],
            }
        },
        "agentPoolProfiles": [
            {
                "name": "aks",
                "mode": "System",
                "vmSize": "Standard_D2s_v5",
                "count": 2,
                "minCount": 2,
                "maxCount": 4,
                "enableAutoScaling": True,
                "osDiskSizeGB": 64,
                "vnetSubnetID": network["nodes"]["id"],
            }
        ],
        "apiServerAccessProfile": {
            "enableVnetIntegration": True,
            "subnetId": network["api-server"]["id"],
            "enablePrivateCluster": True,
            "privateDNSZone": "system",
        },
        "networkProfile": {"networkPlugin": "azure", "networkDataplane": "cilium", "serviceCidr": "10.0.96.0/20"},
        "oidcIssuerProfile": {"enabled": True},
    }


def pool_inputs(network: dict[str, Values]) -> dict[str, Any]:
    """Return the inputs of a spot pool with a GPU on each node."""
    return {
        **IN_GROUP,
        "resourceName": "fraud",
        "agentPoolName": "sgpu",
        "mode": "User",
        "vmSize": "Standard_NC8as_T4_v3",
        "orchestratorVersion": "1.35",
        "count": 0,
        "minCount": 0,
        "maxCount": 3,
        "enableAutoScaling": True,
        "osDiskSizeGB": 100,
        "vnetSubnetID": network["nodes"]["id"],
        "scaleSetPriority": "Spot",
        "scaleSetEvictionPolicy": "Delete",
        "gpuProfile": {"driver": "Install"},
    }


def server_inputs(key: Values, identity: Values) -> dict[str, Any]:
    """Return the inputs of a database server."""
    return {
        **HERE,
        "serverName": "fraud-runs",
        "createMode": "Default",
        "version": "17",
        "sku": {"name": "Standard_D2ds_v5", "tier": "GeneralPurpose"},
        "storage": {"storageSizeGB": 64, "autoGrow": "Disabled"},
        "highAvailability": {"mode": "ZoneRedundant"},
        "backup": {"backupRetentionDays": 35, "geoRedundantBackup": "Disabled"},
        "administratorLogin": "mlflow",
        "administratorLoginPassword": "only-For-This-Test-1",
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {identity["id"]: {}}},
        "dataEncryption": {
            "type": "AzureKeyVault",
            "primaryKeyURI": key["keyUri"],
            "primaryUserAssignedIdentityId": identity["id"],
        },
    }
