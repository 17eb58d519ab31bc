"""Creates clusters in the simulated clouds, like another team would before a system runs on them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from testbed.clouds.aws.api import ENDPOINT, FOLDER, Api
from testbed.clouds.aws.cloud import Cloud as Aws
from testbed.clouds.aws.own import OWN
from testbed.clouds.azure import network as azure_network
from testbed.clouds.azure.access import IDENTITY
from testbed.clouds.azure.cloud import TENANT
from testbed.clouds.azure.cloud import Cloud as Azure
from testbed.clouds.gcp.cloud import Cloud as Google
from testbed.clouds.gcp.clusters import AUTHORITY, POOL, SERVER, VERSIONS
from testbed.clouds.gcp.network import CLUSTER, NETWORK, SUBNETWORK

_TRUST = '{"Version": "2012-10-17", "Statement": []}'
_RANGE = "10.20.0.0/16"
_KUBELET = "0d9c8b7a-6f5e-4d3c-8b2a-1f0e9d8c7b6a"
"""The object ID of the identity that the nodes of an AKS cluster use."""
_ISSUER = f"https://westeurope.oic.prod-aks.azure.com/{TENANT}/5c4b3a29-1807-4f6e-9d5c-4b3a29180f7e/"


def create_eks_cluster(cloud: Aws, name: str) -> None:
    """Create a cluster in a network with two zones, and the IAM OIDC provider for its tokens."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ENDPOINT, cloud.variables()[ENDPOINT])
        patch.setenv(FOLDER, str(cloud.folder))
        api = Api.from_environment(cloud.region, OWN)
        vpc = api.call("ec2", "create_vpc", CidrBlock=_RANGE)["Vpc"]["VpcId"]
        subnets = [
            api.call("ec2", "create_subnet", VpcId=vpc, CidrBlock=f"10.20.{at}.0/24", AvailabilityZone=zone)["Subnet"]
            for at, zone in enumerate((f"{cloud.region}a", f"{cloud.region}b"))
        ]
        role = api.call("iam", "create_role", RoleName=f"{name}-cluster", AssumeRolePolicyDocument=_TRUST)["Role"]
        cluster = api.call(
            "eks",
            "create_cluster",
            name=name,
            version="1.36",
            roleArn=role["Arn"],
            resourcesVpcConfig={"subnetIds": [subnet["SubnetId"] for subnet in subnets]},
            accessConfig={"authenticationMode": "API"},
        )["cluster"]
        api.call("iam", "create_open_id_connect_provider", Url=cluster["identity"]["oidc"]["issuer"])


def create_gke_cluster(cloud: Google, name: str, location: str, *, identities: bool = True) -> None:
    """Create a cluster in its own network with a node pool, optionally without Workload Identity Federation."""
    project, region = cloud.api.account, location[:-2]
    network, subnetwork = f"projects/{project}/global/networks/shared", f"projects/{project}/regions/{region}"
    subnetwork = f"{subnetwork}/subnetworks/nodes"
    identifier = f"projects/{project}/locations/{location}/clusters/{name}"
    variables = cloud.variables()
    pool = f"{project}.svc.id.goog"
    _store(cloud, NETWORK, network, {"name": "shared", "project": project})
    block = {"name": "nodes", "region": region, "network": network, "ipCidrRange": "10.20.0.0/20", "project": project}
    _store(cloud, SUBNETWORK, subnetwork, block)
    cluster: dict[str, object] = {
        "name": name,
        "location": location,
        "project": project,
        "network": network,
        "subnetwork": subnetwork,
        "endpoint": variables.get(SERVER, "10.20.0.2"),
        "masterAuth": {"clusterCaCertificate": variables.get(AUTHORITY, "Y2VydGlmaWNhdGU=")},
        "masterVersion": VERSIONS["1.36"],
    }
    if identities:
        cluster["workloadIdentityConfig"] = {"workloadPool": pool}
        cloud.api.store.put("pools", pool, {"project": project})
    _store(cloud, CLUSTER, identifier, cluster)
    account = f"nodes@{project}.iam.gserviceaccount.com"
    nodes = {"name": "general", "cluster": name, "location": location, "nodeConfig": {"serviceAccount": account}}
    _store(cloud, POOL, f"{identifier}/nodePools/general", nodes)
    address = f"projects/{project}/serviceAccounts/{account}"
    _store(cloud, "gcp:serviceaccount/account:Account", address, {"email": account, "accountId": "nodes"})


def create_aks_cluster(cloud: Azure, name: str, dns: str, *, identities: bool = True) -> None:
    """Create a cluster in its own network and group, optionally without workload identity.

    The network's private DNS zones are in the group `dns`.
    """
    group = f"{cloud.group(name)}/providers"
    network, nodes = f"{group}/Microsoft.Network/virtualNetworks/shared", f"{name}-nodes"
    within = {"resourceGroupName": name}
    _store(cloud, azure_network.NETWORK, network, {**within, "virtualNetworkName": "shared"})
    subnet = {**within, "virtualNetworkName": "shared", "subnetName": "nodes", "addressPrefix": "10.20.0.0/20"}
    _store(cloud, azure_network.SUBNET, f"{network}/subnets/nodes", subnet)
    zones = f"{cloud.group(dns)}/providers/Microsoft.Network/privateDnsZones"
    for domain in ("blob.core.windows.net", "postgres.database.azure.com", "azurecr.io", "vaultcore.azure.net"):
        zone = {"resourceGroupName": dns, "privateZoneName": f"privatelink.{domain}"}
        _store(cloud, azure_network.ZONE, f"{zones}/privatelink.{domain}", zone)
    kubelet = f"{group}/Microsoft.ManagedIdentity/userAssignedIdentities/{nodes}"
    identity = {**within, "resourceName": nodes, "principalId": _KUBELET, "clientId": _KUBELET, "tenantId": TENANT}
    _store(cloud, IDENTITY, kubelet, identity)
    cluster = {
        **within,
        "resourceName": name,
        "location": "westeurope",
        "currentKubernetesVersion": "1.36.2",
        "fqdn": f"{name}.hcp.westeurope.azmk8s.io",
        "agentPoolProfiles": [{"name": "general", "vnetSubnetID": f"{network}/subnets/nodes"}],
        "identityProfile": {"kubeletidentity": {"resourceId": kubelet, "objectId": _KUBELET}},
        "oidcIssuerProfile": {"enabled": identities, "issuerURL": _ISSUER if identities else None},
        "securityProfile": {"workloadIdentity": {"enabled": identities}},
    }
    _store(cloud, azure_network.CLUSTER, f"{group}/Microsoft.ContainerService/managedClusters/{name}", cluster)


def _store(cloud: Google | Azure, token: str, identifier: str, values: Mapping[str, object]) -> None:
    cloud.api.store.put(token, identifier, {"declared": dict(values), "assigned": {}})
