"""The Resource Manager type of each resource, and names that are different in Pulumi."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_GROUP = frozenset({"resourceGroupName"})


@dataclass(frozen=True, slots=True)
class Arm:
    """A resource type, and how a registration differs from the request body.

    `name` is the input containing the resource's name. `path` lists the inputs in the request's path rather than its
    body. `renames` maps paths in a registration to the last part of the corresponding path in the API. Lists of IDs in
    `keyed` become the keys of an object in the API.
    """

    kind: str
    name: str
    path: frozenset[str] = _GROUP
    renames: Mapping[str, str] = field(default_factory=dict[str, str])
    keyed: frozenset[str] = frozenset()

    @property
    def template(self) -> str:
        """The ID template with its inputs. Parts without an input are called `default`."""
        provider, *types = self.kind.split("/")
        if outside := self.path - _GROUP:
            (parent,) = outside
            if parent in ("scope", "resourceUri"):
                return f"{{{parent}}}/providers/{self.kind}/{{{self.name}}}"
        if not self.path:
            return f"/subscriptions/{{subscription}}/resourceGroups/{{{self.name}}}"
        names = [*(f"{{{each}}}" for each in outside), f"{{{self.name}}}"]
        if len(names) < len(types):
            names.insert(1, "default")
        parts = "".join(f"/{type_}/{name}" for type_, name in zip(types, names, strict=True))
        return f"/subscriptions/{{subscription}}/resourceGroups/{{resourceGroupName}}/providers/{provider}{parts}"

    def reshaped(self, path: str, value: Any) -> Any:
        """Return the value at a path of a registration in the API's format."""
        if path not in self.keyed:
            return value
        keyed: dict[str, dict[str, Any]] = {each: {} for each in value}
        return keyed


_IDENTITIES = frozenset({"identity.userAssignedIdentities"})

_AUTOSCALER = {
    f"autoScalerProfile.{name}": re.sub("[A-Z]", lambda letter: f"-{letter[0].lower()}", name)
    for name in (
        "balanceSimilarNodeGroups",
        "maxGracefulTerminationSec",
        "maxNodeProvisionTime",
        "scaleDownUnneededTime",
        "skipNodesWithLocalStorage",
        "skipNodesWithSystemPods",
    )
}


def _below(kind: str, name: str, *parents: str, renames: Mapping[str, str] | None = None) -> Arm:
    return Arm(kind, name, _GROUP | set(parents), renames or {})


RESOURCES: Mapping[str, Arm] = {
    f"azure-native:{type_}": arm
    for type_, arm in {
        "authorization:RoleAssignment": Arm(
            "Microsoft.Authorization/roleAssignments", "roleAssignmentName", frozenset({"scope"})
        ),
        "authorization:RoleDefinition": Arm(
            "Microsoft.Authorization/roleDefinitions",
            "roleDefinitionId",
            frozenset({"scope"}),
            {"roleType": "type"},
        ),
        "compute:DiskEncryptionSet": Arm(
            "Microsoft.Compute/diskEncryptionSets", "diskEncryptionSetName", keyed=_IDENTITIES
        ),
        "consumption:Budget": Arm("Microsoft.Consumption/budgets", "budgetName", frozenset({"scope"})),
        "containerregistry:Registry": Arm(
            "Microsoft.ContainerRegistry/registries",
            "registryName",
            renames={"networkRuleSet.ipRules.iPAddressOrRange": "value"},
        ),
        "containerservice:AgentPool": _below(
            "Microsoft.ContainerService/managedClusters/agentPools", "agentPoolName", "resourceName"
        ),
        "containerservice:MaintenanceConfiguration": _below(
            "Microsoft.ContainerService/managedClusters/maintenanceConfigurations", "configName", "resourceName"
        ),
        "containerservice:ManagedCluster": Arm(
            "Microsoft.ContainerService/managedClusters", "resourceName", renames=_AUTOSCALER, keyed=_IDENTITIES
        ),
        "dbforpostgresql:Configuration": _below(
            "Microsoft.DBforPostgreSQL/flexibleServers/configurations", "configurationName", "serverName"
        ),
        "dbforpostgresql:Database": _below(
            "Microsoft.DBforPostgreSQL/flexibleServers/databases", "databaseName", "serverName"
        ),
        "dbforpostgresql:Server": Arm("Microsoft.DBforPostgreSQL/flexibleServers", "serverName", keyed=_IDENTITIES),
        "keyvault:Key": _below("Microsoft.KeyVault/vaults/keys", "keyName", "vaultName"),
        "keyvault:Secret": _below("Microsoft.KeyVault/vaults/secrets", "secretName", "vaultName"),
        "keyvault:Vault": Arm("Microsoft.KeyVault/vaults", "vaultName"),
        "managedidentity:FederatedIdentityCredential": _below(
            "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
            "federatedIdentityCredentialResourceName",
            "resourceName",
        ),
        "managedidentity:UserAssignedIdentity": Arm("Microsoft.ManagedIdentity/userAssignedIdentities", "resourceName"),
        "monitor:ActionGroup": Arm("Microsoft.Insights/actionGroups", "actionGroupName"),
        "monitor:DiagnosticSetting": Arm("Microsoft.Insights/diagnosticSettings", "name", frozenset({"resourceUri"})),
        "monitor:MetricAlert": Arm(
            "Microsoft.Insights/metricAlerts", "ruleName", renames={"criteria.odataType": "odata.type"}
        ),
        "network:NatGateway": Arm("Microsoft.Network/natGateways", "natGatewayName"),
        "network:NetworkSecurityGroup": Arm("Microsoft.Network/networkSecurityGroups", "networkSecurityGroupName"),
        "network:PrivateDnsZoneGroup": _below(
            "Microsoft.Network/privateEndpoints/privateDnsZoneGroups", "privateDnsZoneGroupName", "privateEndpointName"
        ),
        "network:PrivateEndpoint": Arm("Microsoft.Network/privateEndpoints", "privateEndpointName"),
        "network:PublicIPAddress": Arm("Microsoft.Network/publicIPAddresses", "publicIpAddressName"),
        "network:Subnet": _below("Microsoft.Network/virtualNetworks/subnets", "subnetName", "virtualNetworkName"),
        "network:VirtualNetwork": Arm("Microsoft.Network/virtualNetworks", "virtualNetworkName"),
        "operationalinsights:Workspace": Arm("Microsoft.OperationalInsights/workspaces", "workspaceName"),
        "privatedns:PrivateZone": Arm("Microsoft.Network/privateDnsZones", "privateZoneName"),
        "privatedns:VirtualNetworkLink": _below(
            "Microsoft.Network/privateDnsZones/virtualNetworkLinks", "virtualNetworkLinkName", "privateZoneName"
        ),
        "resources:ResourceGroup": Arm("Microsoft.Resources/resourceGroups", "resourceGroupName", frozenset()),
        "storage:BlobContainer": _below(
            "Microsoft.Storage/storageAccounts/blobServices/containers", "containerName", "accountName"
        ),
        "storage:BlobServiceProperties": _below(
            "Microsoft.Storage/storageAccounts/blobServices", "blobServicesName", "accountName"
        ),
        "storage:ManagementPolicy": _below(
            "Microsoft.Storage/storageAccounts/managementPolicies", "managementPolicyName", "accountName"
        ),
        "storage:StorageAccount": Arm(
            "Microsoft.Storage/storageAccounts",
            "accountName",
            renames={
                "enableHttpsTrafficOnly": "supportsHttpsTrafficOnly",
                "networkRuleSet": "networkAcls",
                "encryption.encryptionIdentity": "identity",
                "encryption.encryptionIdentity.encryptionUserAssignedIdentity": "userAssignedIdentity",
                "encryption.keyVaultProperties": "keyvaultproperties",
                "encryption.keyVaultProperties.keyName": "keyname",
                "encryption.keyVaultProperties.keyVaultUri": "keyvaulturi",
            },
            keyed=_IDENTITIES,
        ),
    }.items()
}
"""The Resource Manager type for each type in Pulumi's registrations."""
