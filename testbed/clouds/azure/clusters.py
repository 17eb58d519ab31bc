"""AKS clusters and their node pools, whose nodes are KWOK nodes in a test's API server."""

from __future__ import annotations

import os
from typing import Any

from testbed.clouds.azure import machines
from testbed.clouds.azure.access import allowed
from testbed.clouds.azure.api import Api, guid, last, not_found, refused
from testbed.clouds.azure.keys import DISKS, VAULT, key_at
from testbed.clouds.azure.kinds import GROUP, kind
from testbed.clouds.azure.network import CLUSTER, POOL, SUBNET
from testbed.clouds.shared.fake_nodes import keep
from testbed.clouds.shared.stored import at
from testbed.clouds.shared.values import Values
from testbed.kubernetes import nodes

MAINTENANCE = "azure-native:containerservice:MaintenanceConfiguration"

SERVER = "MODELYARD_AZURE_AKS_ENDPOINT"
AUTHORITY = "MODELYARD_AZURE_AKS_AUTHORITY"
KUBECONFIG = "MODELYARD_AZURE_NODES"
"""The environment variables with the API server's address and base64 certificate for every cluster, and the kubeconfig
of the API server that gets nodes. Without the kubeconfig, no nodes are added.
"""

VERSIONS = ("1.34", "1.35", "1.36", "1.37")
_LABEL = "kubernetes.azure.com/agentpool"
_MOST_NODES = 1000
_FROZEN_OF_POOL = (
    *("availabilityZones", "enableEncryptionAtHost", "enableFIPS", "enableNodePublicIP", "gpuProfile", "maxPods"),
    *("osDiskSizeGB", "osDiskType", "osType", "scaleSetEvictionPolicy", "scaleSetPriority", "spotMaxPrice", "type"),
    "vnetSubnetID",
)
"""Properties that cannot be changed without creating a new pool. Source: hashicorp/terraform-provider-azurerm@69697b7,
which replaces the pool or uses a temporary one.
"""


def _cluster(api: Api, values: Values, before: Values) -> Values:
    name, region = str(values["resourceName"]), str(values["location"])
    serial = before.get("serial") or guid(name, str(api.serial()))
    issuer = f"https://{region}.oic.prod-aks.azure.com/{api.tenant}/{serial}/"
    return {
        "serial": serial,
        "currentKubernetesVersion": f"{values['kubernetesVersion']}.2",
        "oidcIssuerProfile": {"issuerURL": issuer} if at(values, "oidcIssuerProfile.enabled") == [True] else {},
        "fqdn": f"{values['dnsPrefix']}-{serial[:8]}.hcp.{region}.azmk8s.io",
    }


def _version(api: Api, values: Values) -> None:
    """Reject versions not offered by AKS, downgrades, and upgrades by more than one minor version.

    Wording: https://learn.microsoft.com/en-us/troubleshoot/azure/azure-kubernetes/create-upgrade-delete, 2026-11-27.
    """
    version = str(values["kubernetesVersion"])
    before = api.find(CLUSTER, api.filled(KINDS[CLUSTER].path, values))
    if version not in VERSIONS:
        raise refused(
            400,
            "K8sVersionNotSupported",
            f"Managed cluster {values['resourceName']} is on version {version}, which is not supported in this region."
            " Please use [az aks get-versions] command to get the supported version list in this region.",
        )
    if before:
        step = VERSIONS.index(version) - VERSIONS.index(str(before["kubernetesVersion"]))
        if step not in (0, 1):
            raise refused(
                400,
                "OperationNotAllowed",
                f"Upgrading Kubernetes version {before['kubernetesVersion']} to {version} is not allowed. See"
                " https://aka.ms/aks-minor-version-upgrade for details.",
            )


def _identities(api: Api, values: Values) -> None:
    """Reject a cluster whose identity is missing a permission that AKS checks before creating resources.

    Wording: https://learn.microsoft.com/en-us/troubleshoot/azure/azure-kubernetes, read 2026-11-27.
    """
    (control,) = at(values, "identity.userAssignedIdentities")[0]
    subnets = [*at(values, "agentPoolProfiles.vnetSubnetID"), *at(values, "apiServerAccessProfile.subnetId")]
    for subnet in subnets:
        if api.find(SUBNET, subnet) is None:
            raise not_found(subnet)
        _require(api, control, "Microsoft.Network/virtualNetworks/subnets/join/action", subnet)
    for kubelet in at(values, "identityProfile.kubeletidentity.resourceId"):
        action = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
        # the role grants it for any identity: userAssignedIdentities/*/assign/action
        if not allowed(api, control, action.replace("/assign", f"/{last(kubelet)}/assign"), kubelet):
            raise refused(
                400,
                "CustomKubeletIdentityMissingPermissionError",
                "The cluster using user-assigned managed identity must be granted 'Managed Identity Operator' role to"
                " assign kubelet identity. You can run 'az role assignment create --assignee <control-plane-identity-"
                "principal-id> --role 'Managed Identity Operator' --scope <kubelet-identity-resource-id>' to grant the"
                f" permission. See https://learn.microsoft.com/en-us/azure/aks/use-managed-identity. Check access"
                f" result not allowed for action {action}.",
            )
    for disks in at(values, "diskEncryptionSetID"):
        _require(api, control, "Microsoft.Compute/diskEncryptionSets/read", disks)


def _secrets(api: Api, values: Values) -> None:
    """Reject Secrets encryption keys that aren't versioned or that the cluster's identity may not use.

    Source: https://learn.microsoft.com/en-us/azure/aks/use-kms-etcd-encryption, read 2026-11-27.
    """
    settings = (values.get("securityProfile") or {}).get("azureKeyVaultKms") or {}
    if not settings.get("enabled"):
        return
    uri = str(settings["keyId"])
    if len(uri.split("/")) != 6:
        raise refused(400, "InvalidParameter", f"The key {uri} has to be named with its version.")
    key, (control,) = key_at(api, uri), at(values, "identity.userAssignedIdentities")[0]
    for action in ("encrypt", "decrypt"):
        _require(api, control, f"Microsoft.KeyVault/vaults/keys/{action}/action", key, data=True)
    vault = str(settings.get("keyVaultResourceId") or "/".join(key.split("/")[:-2]))
    closed = (api.find(VAULT, vault) or {}).get("properties", {}).get("publicNetworkAccess") == "disabled"
    if closed and settings.get("keyVaultNetworkAccess") != "Private":
        raise refused(400, "InvalidParameter", "The network access of the vault is Private, and not Public.")
    if closed:
        _require(api, control, "Microsoft.KeyVault/vaults/privateEndpointConnectionsApproval/action", vault)


def _require(api: Api, identity: str, action: str, resource: str, *, data: bool = False) -> None:
    if not allowed(api, identity, action, resource, data=data):
        raise refused(
            403,
            "LinkedAuthorizationFailed",
            f"The client '{identity}' does not have permission to perform action '{action}' on the linked scope(s)"
            f" '{resource}' or the linked scope(s) are invalid.",
        )


def _access(api: Api, values: Values) -> None:
    """Reject contradictory settings for private clusters.

    Source: MicrosoftDocs/azure-aks-docs@fb060abe6, private-clusters.
    """
    access = values.get("apiServerAccessProfile") or {}
    private = bool(access.get("enablePrivateCluster"))
    if private and access.get("authorizedIPRanges"):
        raise refused(400, "InvalidParameter", "Authorized IP ranges do not apply to a private cluster.")
    if not private and (access.get("privateDNSZone") or access.get("enablePrivateClusterPublicFQDN") is not None):
        raise refused(400, "InvalidParameter", "Only a private cluster has a private DNS zone or a public FQDN.")
    before = api.find(CLUSTER, api.filled(KINDS[CLUSTER].path, values))
    was = bool(at(before or {}, "apiServerAccessProfile.enablePrivateCluster") == [True])
    if before and was != private and not access.get("enableVnetIntegration"):
        raise refused(
            400,
            "PropertyChangeNotAllowed",
            "Changing property 'apiServerAccessProfile.enablePrivateCluster' is not allowed.",
        )


def _first_pools(api: Api, values: Values) -> None:
    """Require a system pool with at least one node, and check the machines of all pools.

    Source: https://learn.microsoft.com/en-us/azure/aks/use-system-pools, read 2026-11-27.
    """
    pools = values.get("agentPoolProfiles") or []
    if not any(each.get("mode") == "System" and int(each.get("count", 0)) >= 1 for each in pools):
        raise refused(400, "InvalidParameter", "A cluster needs a system pool with a node.")
    is_new = api.find(CLUSTER, api.filled(KINDS[CLUSTER].path, values)) is None
    for each in pools:
        _machines(each, is_new=is_new)


def _node_group(api: Api, values: Values) -> None:
    """Reject a node resource group that already exists (source: same pages)."""
    identifier = api.filled(KINDS[CLUSTER].path, values)
    group = f"/subscriptions/{api.account}/resourceGroups/{values['nodeResourceGroup']}"
    if api.find(CLUSTER, identifier) is None and api.find(GROUP, group) is not None:
        raise refused(
            409, "NodeResourceGroupAlreadyExists", f"The resource group {values['nodeResourceGroup']} already exists."
        )


def _pool(api: Api, values: Values) -> None:
    """Check a pool's machines, and reject pools that are part of the cluster's own declaration.

    Also rejects pools in another network, or with a newer Kubernetes version than the cluster. Source:
    https://learn.microsoft.com/en-us/azure/aks/create-node-pools, read 2026-11-27.
    """
    cluster = api.find(CLUSTER, api.filled(KINDS[CLUSTER].path, values))
    if cluster is None:
        raise not_found(api.filled(KINDS[CLUSTER].path, values))
    names = [str(each["name"]) for each in cluster["agentPoolProfiles"]]
    if values["agentPoolName"] in names:
        raise refused(400, "InvalidParameter", f"The pool {values['agentPoolName']} is part of the cluster.")
    version = str(values.get("orchestratorVersion") or cluster["kubernetesVersion"])
    if version not in VERSIONS or VERSIONS.index(version) > VERSIONS.index(str(cluster["kubernetesVersion"])):
        raise refused(
            400,
            "NodePoolMcVersionIncompatible",
            f"Node pool version {version} and control plane version {cluster['kubernetesVersion']} are incompatible.",
        )
    _same_network(cluster, str(values["vnetSubnetID"]))
    _machines(values, is_new=api.find(POOL, api.filled(KINDS[POOL].path, values)) is None)


def _same_network(cluster: Values, subnet: str) -> None:
    networks = {each.rpartition("/subnets/")[0] for each in at(cluster, "agentPoolProfiles.vnetSubnetID")}
    if subnet.rpartition("/subnets/")[0] not in networks:
        raise refused(400, "InvalidParameter", "All pools of a cluster are in one virtual network.")


def _machines(pool: Values, *, is_new: bool) -> None:
    """Reject machine sizes and node counts not supported by AKS (sources: same pages and that on spot pools).

    An update may leave the count outside its bounds: Azure/AKS, issue 1758, read 2026-11-27.
    """
    size = str(pool["vmSize"])
    if not machines.known(size):
        raise refused(400, "VMSizeNotSupported", f"The VM size of {size} is not allowed in your subscription.")
    if bool(machines.gpus(size)) != bool(pool.get("gpuProfile")) and pool.get("mode") == "User":
        raise refused(400, "InvalidParameter", f"The VM size {size} has {machines.gpus(size)} GPUs.")
    if pool.get("count") is None:
        raise refused(400, "InvalidParameter", "Required parameter properties.count is missing (null).")
    least, most, count = (int(pool.get(name) or 0) for name in ("minCount", "maxCount", "count"))
    if not 0 <= least <= most <= _MOST_NODES or (is_new and not least <= count <= most):
        raise refused(
            400, "InvalidParameter", f"{count} nodes, autoscaling from {least} to {most}: at most {_MOST_NODES}."
        )
    is_spot = pool.get("scaleSetPriority") == "Spot"
    if is_spot != bool(pool.get("scaleSetEvictionPolicy")) or (is_spot and pool.get("mode") == "System"):
        raise refused(400, "InvalidParameter", "Spot pools are user pools with an eviction policy.")
    if is_spot and pool.get("upgradeSettings"):
        raise refused(400, "InvalidParameter", "Spot pools cannot be upgraded with a surge.")


def _pool_nodes(api: Api, identifier: str) -> None:
    pool = api.find(POOL, identifier)
    new_nodes = None if pool is None else node_of({**pool, "name": last(identifier)}, int(pool.get("count") or 0))
    keep(os.environ.get(KUBECONFIG), _LABEL, last(identifier), new_nodes)


def _cluster_nodes(api: Api, identifier: str) -> None:
    """Create the node resource group and the first nodes, or remove both along with the cluster."""
    cluster = api.find(CLUSTER, identifier)
    if cluster is None:
        for group, each in api.all(GROUP).items():
            if each.get("managedBy") == identifier:
                api.store.take(GROUP, group)
        keep(os.environ.get(KUBECONFIG), _LABEL, "aks", None)
        return
    group = f"/subscriptions/{api.account}/resourceGroups/{cluster['nodeResourceGroup']}"
    declared = {"resourceGroupName": cluster["nodeResourceGroup"], "location": cluster["location"]}
    api.store.put(GROUP, group, {"declared": {**declared, "managedBy": identifier}, "assigned": {}})
    for pool in cluster["agentPoolProfiles"]:
        keep(os.environ.get(KUBECONFIG), _LABEL, str(pool["name"]), node_of(pool, int(pool["count"])))


def node_of(pool: dict[str, Any], number: int) -> list[nodes.Node]:
    """Return the given number of nodes for a pool. If the pool declares no zones, they are in zone 0."""
    size, zones = str(pool["vmSize"]), [*(pool.get("availabilityZones") or ["0"])]
    taints = [taint.partition("=")[::2] for taint in pool.get("nodeTaints") or ()]
    return [
        nodes.Node(
            name=f"aks-{pool['name']}-vmss{place:06}",
            disk=f"{pool['osDiskSizeGB']}Gi",
            resources=(("nvidia.com/gpu", machines.gpus(size)),) if machines.gpus(size) else (),
            labels=(
                (_LABEL, str(pool["name"])),
                ("node.kubernetes.io/instance-type", size),
                ("topology.kubernetes.io/zone", f"zone-{zones[place % len(zones)]}"),
                *(pool.get("nodeLabels") or {}).items(),
            ),
            taints=tuple((key, *rest.rpartition(":")[::2]) for key, rest in taints),
        )
        for place in range(number)
    ]


KINDS = {
    CLUSTER: kind(
        CLUSTER,
        longest=63,
        # pulumi-azure-native's list, read 2026-11-27
        fixed=frozenset(
            {
                *("diskEncryptionSetID", "dnsPrefix", "fqdnSubdomain", "linuxProfile", "nodeResourceGroup"),
                "windowsProfile",
                *(
                    f"networkProfile.{name}"
                    for name in (
                        *("serviceCidr", "serviceCidrs", "podCidr", "podCidrs", "dnsServiceIP", "networkMode"),
                        *("networkPlugin", "networkPluginMode", "networkDataplane", "networkPolicy", "outboundType"),
                        "ipFamilies",
                    )
                ),
            }
        ),
        frozen=frozenset(
            {"apiServerAccessProfile.subnetId", "enableRBAC", "identityProfile", "networkProfile.loadBalancerSku"}
        ),
        assign=_cluster,
        references={"diskEncryptionSetID": DISKS},
        rules=(_version, _identities, _secrets, _access, _first_pools, _node_group),
        computed=frozenset({"oidcIssuerProfile.issuerURL"}),
        after=_cluster_nodes,
    ),
    POOL: kind(
        POOL,
        tracked=False,
        longest=12,
        fixed=frozenset({"gpuInstanceProfile", "vmSize"}),
        frozen=frozenset(_FROZEN_OF_POOL),
        references={"vnetSubnetID": SUBNET},
        rules=(_pool,),
        after=_pool_nodes,
    ),
    MAINTENANCE: kind(MAINTENANCE, tracked=False),
}
