"""An existing GKE cluster that other systems also use, and its network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
from pulumi_gcp import container
from pulumi_gcp.container import GetClusterResult

from .access import kubeconfig
from .adopted import AdoptedCluster
from .network import AdoptedNetwork
from .project import Project
from .zones import training_zones

_DEFAULT = "default"
"""GKE's name for the project's default service account of machines."""


class ExistingCluster(AdoptedCluster):
    """A cluster in the project, given by name and location, as GKE describes it at each `up`. It isn't changed.

    Without `location`, the cluster spans the whole region. It needs Workload Identity Federation, which is the only way
    for Pods to get permissions of their own. With the stack setting `dnsEndpoint`, the kubeconfig uses the cluster's
    DNS name. The login that applies the workloads needs a role in the project that gives access to the cluster's API.
    The nodes of each pool in `training_pools` are in one zone, since their Pods train together.
    """

    location: str
    training_zones: Mapping[str, str]
    kubeconfig: pulumi.Output[str]
    network: pulumi.Output[str]
    subnetwork: pulumi.Output[str]
    node_account: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        project: Project,
        cluster: str,
        location: str = "",
        training_pools: Sequence[str] = (),
    ) -> None:
        super().__init__(name, project=project, cluster_name=cluster)
        self.location = location or project.region_name
        self.training_zones = training_zones(training_pools)
        existing = container.get_cluster_output(
            name=cluster,
            location=self.location,
            project=project.project_id,
            # without `ready`: the service of an existing cluster is already enabled, so the first preview finds it
            opts=pulumi.InvokeOutputOptions(provider=project),
        )
        self.name = existing.apply(lambda answer: _identified(answer, project.workload_pool))
        self.network, self.subnetwork = existing.network, existing.subnetwork
        self.node_account = pulumi.Output.all(existing, project.number).apply(lambda pair: _node_account(*pair))
        self.kubeconfig = _kubeconfig(cluster, existing)


class ClusterNetwork(AdoptedNetwork):
    """The network and subnetwork of an existing cluster, managed by their owner. Nothing is created."""

    def __init__(self, name: str, *, cluster: ExistingCluster, google_ranges: str) -> None:
        super().__init__(
            name,
            project=cluster.project,
            network=cluster.network,
            subnetwork=cluster.subnetwork,
            pods_range="",
            services_range="",
            cidr="",
            google_ranges=google_ranges,
        )


def _identified(cluster: GetClusterResult, pool: str) -> str:
    """Return the cluster's name. Raises RunError if its Pods have no identities in this project's pool."""
    pools = [config.workload_pool for config in cluster.workload_identity_configs]
    if pools != [pool]:
        raise pulumi.RunError(
            f"cluster {cluster.name} has no Workload Identity Federation with the pool {pool}, which Pods need: "
            f"gcloud container clusters update {cluster.name} --workload-pool={pool}"
        )
    return cluster.name


def _node_account(cluster: GetClusterResult, number: str) -> str:
    """Return the service account of the cluster's nodes. Raises RunError if they have more than one."""
    accounts = {config.service_account for pool in cluster.node_pools for config in pool.node_configs}
    default = f"{number}-compute@developer.gserviceaccount.com"
    names: Sequence[str] = sorted(default if account in ("", _DEFAULT) else account for account in accounts)
    if len(names) != 1:
        raise pulumi.RunError(
            f"the nodes of cluster {cluster.name} use {len(names)} service accounts, so it is unclear which one pulls "
            "images and which one new nodes should use: set the target's images.registry to a registry that all of "
            "them may read, and omit nodePools"
        )
    return names[0]


def _kubeconfig(name: str, cluster: pulumi.Output[GetClusterResult]) -> pulumi.Output[str]:
    if pulumi.Config().get_bool("dnsEndpoint") is True:
        host = cluster.apply(_dns_name)
        return kubeconfig(name, server=pulumi.Output.concat("https://", host), authority=None)
    authority = cluster.apply(lambda answer: answer.master_auths[0].cluster_ca_certificate)
    return kubeconfig(name, server=pulumi.Output.concat("https://", cluster.endpoint), authority=authority)


def _dns_name(cluster: GetClusterResult) -> str:
    names = [
        by_name.endpoint
        for endpoints in cluster.control_plane_endpoints_configs
        for by_name in endpoints.dns_endpoint_configs
        if by_name.endpoint
    ]
    if not names:
        raise pulumi.RunError(f"cluster {cluster.name} has no DNS endpoint")
    return names[0]
