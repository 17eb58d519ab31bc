"""An existing AKS cluster that other systems also use, and its network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
from pulumi_azure_native import containerservice
from pulumi_azure_native import network as networks
from pulumi_azure_native.containerservice import GetManagedClusterResult

from .access import kubeconfig
from .adopted import AdoptedCluster
from .group import ResourceGroup
from .settings import training_zones
from .zones import adopted_zones

_KUBELET = "kubeletidentity"


class ExistingCluster(AdoptedCluster):
    """A cluster in the subscription's `resource_group`, as AKS describes it at each `up`. Nothing in it is changed.

    It needs workload identity, which is the only way for Pods to get permissions of their own. The login that applies
    the workloads needs a role on the cluster to get its kubeconfig, and permissions in its API. The nodes of each pool
    in `training_pools` are in one zone, since their Pods train together.
    """

    resource_group: pulumi.Output[str]
    version: pulumi.Output[str]
    training_zones: Mapping[str, str]
    kubeconfig: pulumi.Output[str]
    kubelet_principal: pulumi.Output[str]
    nodes_subnet: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        group: ResourceGroup,
        cluster: str,
        resource_group: str,
        training_pools: Sequence[str] = (),
    ) -> None:
        existing = containerservice.get_managed_cluster_output(
            resource_group_name=resource_group,
            resource_name=cluster,
            opts=pulumi.InvokeOutputOptions(provider=group),
        )
        super().__init__(name, group=group, cluster_name=cluster, issuer=existing.apply(_issuer))
        self.resource_group = pulumi.Output.from_input(resource_group)
        self.version = existing.apply(lambda answer: answer.current_kubernetes_version)
        self.training_zones = training_zones(training_pools)
        self.kubelet_principal = existing.apply(_kubelet)
        self.nodes_subnet = existing.apply(_nodes_subnet)
        self.kubeconfig = kubeconfig(cluster, group, resource_group=resource_group, cluster_name=cluster)


class ClusterNetwork:
    """The network of an existing cluster, managed by its owner.

    Private endpoints are created in the subnet with the ID `endpoints`, or in that of the cluster's nodes. They are
    registered in the owner's DNS zones, in the resource group `dns_group`, because a network can only be linked to one
    zone with a given name, and all systems on the cluster need the same zones.
    """

    def __init__(
        self, name: str, *, group: ResourceGroup, cluster: ExistingCluster, dns_group: str, endpoints: str = ""
    ) -> None:
        self.title = name
        self.nodes_id = cluster.nodes_subnet
        self.endpoints_id = pulumi.Output.from_input(group.own(endpoints)) if endpoints else cluster.nodes_subnet
        self.nat_id: pulumi.Output[str] | None = None
        self.ready: tuple[pulumi.Resource, ...] = ()
        self.zones = adopted_zones(dns_group)
        parts = self.endpoints_id.apply(lambda subnet: subnet.split("/"))
        subnet = networks.get_subnet_output(
            resource_group_name=parts.apply(lambda each: each[4]),
            virtual_network_name=parts.apply(lambda each: each[8]),
            subnet_name=parts.apply(lambda each: each[10]),
            opts=pulumi.InvokeOutputOptions(provider=group),
        )
        self.storage_ranges = subnet.apply(
            lambda answer: answer.address_prefix or ",".join(answer.address_prefixes or ())
        )


def _issuer(cluster: GetManagedClusterResult) -> str:
    issuer = cluster.oidc_issuer_profile.issuer_url if cluster.oidc_issuer_profile is not None else None
    profile = cluster.security_profile
    identities = profile.workload_identity if profile is not None else None
    if not issuer or identities is None or not identities.enabled:
        raise pulumi.RunError(
            f"cluster {cluster.name} has no workload identity, which Pods need: "
            f"az aks update --name {cluster.name} --enable-oidc-issuer --enable-workload-identity"
        )
    return issuer


def _kubelet(cluster: GetManagedClusterResult) -> str:
    identity = (cluster.identity_profile or {}).get(_KUBELET)
    if identity is None or not identity.object_id:
        raise pulumi.RunError(f"AKS reports no identity for the nodes of cluster {cluster.name}")
    return identity.object_id


def _nodes_subnet(cluster: GetManagedClusterResult) -> str:
    subnets = [pool.vnet_subnet_id for pool in cluster.agent_pool_profiles or () if pool.vnet_subnet_id]
    if not subnets:
        raise pulumi.RunError(
            f"cluster {cluster.name} is in a network of AKS: set the target's cluster.endpoints to a subnet for "
            "private endpoints"
        )
    return subnets[0]
