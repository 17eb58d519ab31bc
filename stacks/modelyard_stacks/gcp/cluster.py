"""A private Kubernetes cluster on GKE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import pulumi
from pulumi_gcp import container, projects, serviceaccount
from pulumi_gcp.container import outputs

from .access import administrators, api_clients, kubeconfig
from .cluster_settings import harden, observe, open_api
from .key import Key
from .network import AdoptedNetwork, Network
from .project import Project, account_id, protected
from .zones import training_zones

Channel: TypeAlias = Literal["RAPID", "REGULAR", "STABLE", "EXTENDED"]

_LONGEST_NAME = 40
_PODS_OF_A_NODE = 64
_NODES = "roles/container.defaultNodeServiceAccount"
_WEEKENDS = ("2026-01-03T00:00:00Z", "2026-01-03T08:00:00Z", "FREQ=WEEKLY;BYDAY=SA,SU")
"""Start, end and recurrence of the maintenance window, in UTC. Google requires 48 hours in any 32 days.

Source: https://docs.cloud.google.com/kubernetes-engine/docs/concepts/maintenance-windows-and-exclusions, 2026-11-27.
"""


class Cluster(pulumi.ComponentResource):
    """A control plane in three zones and a service account for nodes. It has no nodes of its own.

    The API is reachable from inside the network, and from outside only for `public_access_cidrs`. The stack's setting
    `apiClients` lists the CIDR blocks of connected networks that may reach it. The setting `dnsEndpoint` adds a DNS
    name on the internet, which is protected only by IAM and used in the kubeconfig. The setting `admins` names
    administrators in addition to the project's owners. Secrets are encrypted with the key, NetworkPolicies are
    enforced, and Pods get credentials for their own ServiceAccount instead of their node's.

    `version` is the lowest minor version. Google upgrades the cluster within `channel`, on weekends. `zones` are the
    zones for nodes, which Google chooses if `zones` is empty. The nodes of each pool in `training_pools` are in one
    zone, because their Pods train together. Nodes and Pod identities must wait for `ready`. `issuer` signs the tokens
    of ServiceAccounts, and anyone can read its public keys.
    """

    name: pulumi.Output[str]
    endpoint: pulumi.Output[str]
    issuer: pulumi.Output[str]
    kubeconfig: pulumi.Output[str]
    node_account: pulumi.Output[str]
    location: str
    training_zones: Mapping[str, str]
    ready: tuple[pulumi.Resource, ...]

    def __init__(
        self,
        name: str,
        *,
        project: Project,
        network: Network | AdoptedNetwork,
        key: Key,
        version: str,
        channel: Channel = "REGULAR",
        zones: Sequence[str] = (),
        training_pools: Sequence[str] = (),
        public_access_cidrs: Sequence[str] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:gcp:Cluster", name, None, project.options(opts))
        if len(name) > _LONGEST_NAME:
            raise pulumi.RunError(f"cluster {name}: a name can have at most {_LONGEST_NAME} characters")
        self.title = name
        self.project = project
        self.location = project.region_name
        self.network = network
        self.key = key
        self.training_zones = training_zones(training_pools)
        self._child = pulumi.ResourceOptions(parent=self)
        account, rights = self._node_account()
        self.node_account = account.email
        by_name = pulumi.Config().get_bool("dnsEndpoint") is True
        cluster = self._control_plane(version, channel, zones, public_access_cidrs, by_name)
        self.name, self.endpoint = cluster.name, cluster.endpoint
        # Source: https://docs.cloud.google.com/kubernetes-engine/docs/how-to/workload-identity, 2026-11-27
        self.issuer = pulumi.Output.concat(
            f"https://container.googleapis.com/v1/projects/{project.project_id}/locations/{project.region_name}/clusters/",
            cluster.name,
        )
        administrators(name, project=project, cluster_name=name, opts=self._child)
        self.kubeconfig = _kubeconfig(name, cluster, by_name)
        self.ready = (cluster, rights)
        self.register_outputs({"name": self.name, "endpoint": self.endpoint})

    def _node_account(self) -> tuple[serviceaccount.Account, projects.IAMMember]:
        """Create the nodes' service account, which only writes logs and metrics.

        The default one can edit the project.
        """
        title = f"{self.title}-nodes"
        account = serviceaccount.Account(
            title,
            serviceaccount.AccountArgs(
                account_id=account_id(self.title, "nodes"), display_name=f"Nodes of {self.title}"
            ),
            pulumi.ResourceOptions(parent=self, depends_on=list(self.project.ready)),
        )
        rights = projects.IAMMember(
            title,
            projects.IAMMemberArgs(project=self.project.project_id, role=_NODES, member=account.member),
            self._child,
        )
        return account, rights

    def _control_plane(
        self, version: str, channel: Channel, zones: Sequence[str], public_access_cidrs: Sequence[str], by_name: bool
    ) -> container.Cluster:
        arguments = container.ClusterArgs(
            name=self.title,
            description=f"modelyard {self.title}",
            location=self.project.region_name,
            node_locations=list(zones) or None,
            min_master_version=version,
            release_channel=container.ClusterReleaseChannelArgs(channel=channel),
            maintenance_policy=_on_weekends(),
            deletion_protection=protected(),
            resource_labels=dict(self.project.common_labels),
            cost_management_config=container.ClusterCostManagementConfigArgs(enabled=True),
            # our pools are separate resources; GKE always creates a default pool, which can only be removed afterwards
            remove_default_node_pool=True,
            initial_node_count=1,
            node_config=self._first_node(),
        )
        self._connect(arguments)
        open_api(arguments, public_access_cidrs, api_clients(), by_name=by_name)
        self._harden(arguments)
        observe(arguments)
        return container.Cluster(
            self.title,
            arguments,
            pulumi.ResourceOptions(
                parent=self,
                depends_on=[*self.network.ready, self.key.granted("container"), self.key.granted("compute")],
                protect=protected(),
                # this belongs to the removed default pool; later it describes one of ours
                ignore_changes=["nodeConfig"],
            ),
        )

    def _connect(self, arguments: container.ClusterArgs) -> None:
        network = self.network
        arguments.network, arguments.subnetwork = network.network_id, network.subnetwork_id
        arguments.networking_mode = "VPC_NATIVE"
        arguments.ip_allocation_policy = container.ClusterIpAllocationPolicyArgs(
            cluster_secondary_range_name=network.pods_range, services_secondary_range_name=network.services_range
        )
        # 110 by default, which reserves twice as many addresses for each node
        arguments.default_max_pods_per_node = _PODS_OF_A_NODE
        # by default NetworkPolicies are accepted but not enforced
        arguments.datapath_provider = "ADVANCED_DATAPATH"
        arguments.enable_intranode_visibility = True  # flow logs also show connections within a node

    def _harden(self, arguments: container.ClusterArgs) -> None:
        arguments.workload_identity_config = container.ClusterWorkloadIdentityConfigArgs(
            workload_pool=self.project.workload_pool
        )
        arguments.database_encryption = container.ClusterDatabaseEncryptionArgs(state="ENCRYPTED", key_name=self.key.id)
        harden(arguments)

    def _first_node(self) -> container.ClusterNodeConfigArgs:
        """Secure the nodes of the short-lived default pool like all others, in case the organization enforces this."""
        return container.ClusterNodeConfigArgs(
            service_account=self.node_account,
            oauth_scopes=["https://www.googleapis.com/auth/cloud-platform"],
            boot_disk_kms_key=self.key.id,
            disk_size_gb=30,
            disk_type="pd-standard",  # does not count towards the SSD quota, which is small in a new project
            shielded_instance_config=container.ClusterNodeConfigShieldedInstanceConfigArgs(
                enable_secure_boot=True, enable_integrity_monitoring=True
            ),
            workload_metadata_config=container.ClusterNodeConfigWorkloadMetadataConfigArgs(mode="GKE_METADATA"),
            metadata={"disable-legacy-endpoints": "true"},
        )


def _on_weekends() -> container.ClusterMaintenancePolicyArgs:
    start, end, repetition = _WEEKENDS
    return container.ClusterMaintenancePolicyArgs(
        recurring_window=container.ClusterMaintenancePolicyRecurringWindowArgs(
            start_time=start, end_time=end, recurrence=repetition
        )
    )


def _kubeconfig(name: str, cluster: container.Cluster, by_name: bool) -> pulumi.Output[str]:
    if by_name:
        host = cluster.control_plane_endpoints_config.apply(_dns_name)
        return kubeconfig(name, server=pulumi.Output.concat("https://", host), authority=None)
    authority = cluster.master_auth.apply(lambda auth: auth.cluster_ca_certificate or "")
    return kubeconfig(name, server=pulumi.Output.concat("https://", cluster.endpoint), authority=authority)


def _dns_name(endpoints: outputs.ClusterControlPlaneEndpointsConfig) -> str:
    by_name = endpoints.dns_endpoint_config
    if by_name is None or not by_name.endpoint:
        raise pulumi.RunError("GKE returned no DNS endpoint for this cluster")
    return by_name.endpoint
