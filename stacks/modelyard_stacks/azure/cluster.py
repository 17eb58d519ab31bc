"""A private Kubernetes cluster on AKS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
from pulumi_azure_native import authorization, containerservice, managedidentity

from .access import administrators, kubeconfig
from .cluster_settings import (
    PODS_OF_A_NODE,
    api_access,
    autoscaler,
    encrypts_hosts,
    entra_login,
    maintenance_window,
    network_profile,
    patches,
    security,
    volumes,
)
from .group import ResourceGroup, protected
from .key import Key
from .network import AdoptedNetwork, Network
from .roles import (
    CRYPTO_USER,
    DISK_ENCRYPTION,
    IDENTITY_OPERATOR,
    NETWORK_CONTRIBUTOR,
    VAULT_CONTRIBUTOR,
    assign,
)
from .settings import training_zones

_LONGEST_NAME = 40
_LONGEST_GROUP = 80
"""Source: https://learn.microsoft.com/en-us/azure/aks/faq, "node resource group", 2026-11-27."""

_FIRST_POOL = "aks"
_SCHEDULES = ("aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule")
"""The names that AKS reserves for the maintenance windows of Kubernetes upgrades and of node upgrades.

Source: https://learn.microsoft.com/en-us/azure/aks/planned-maintenance, 2026-11-27.
"""


class Cluster(pulumi.ComponentResource):
    """The control plane, and a pool for AKS's own Pods, which is always required. Workloads need their own pools.

    The API is reachable from inside the network, and from outside only for `public_access_cidrs`, if any. The stack's
    setting `admins` names administrators by their object IDs in Entra ID, such as `group:ID`. Without it, the login
    that first runs Pulumi becomes an administrator. Secrets and disks are encrypted with the key, NetworkPolicies are
    enforced, and Pods get their own identity instead of their node's.

    `version` is the minor version. Azure installs patches on Saturdays. The first pool has `nodes` of size `machine`
    with the taint `CriticalAddonsOnly`, in `zones`, if any. AKS cannot change its machine size. `issuer` signs the
    tokens of ServiceAccounts. The nodes of each pool in `training_pools` are in one zone, because their Pods train
    together.
    """

    name: pulumi.Output[str]
    resource_group: pulumi.Output[str]
    id: pulumi.Output[str]
    kubeconfig: pulumi.Output[str]
    issuer: pulumi.Output[str]
    kubelet_principal: pulumi.Output[str]
    training_zones: Mapping[str, str]

    def __init__(
        self,
        name: str,
        *,
        group: ResourceGroup,
        network: Network | AdoptedNetwork,
        key: Key,
        version: str,
        machine: str,
        nodes: int = 2,
        disk_gib: int = 64,
        zones: Sequence[str] = (),
        training_pools: Sequence[str] = (),
        public_access_cidrs: Sequence[str] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        if len(name) > _LONGEST_NAME:
            raise pulumi.RunError(f"cluster {name}: a name can have at most {_LONGEST_NAME} characters")
        if len(nodes_in := group.node_group_name) > _LONGEST_GROUP:
            raise pulumi.RunError(f"{nodes_in}, the nodes' group, can have at most {_LONGEST_GROUP} characters")
        super().__init__("modelyard:azure:Cluster", name, None, group.options(opts))
        self.title, self.version = name, version
        self.group, self.resource_group = group, group.group
        self._network, self._key = network, key
        self.training_zones = training_zones(training_pools)
        self._child = pulumi.ResourceOptions(parent=self)
        control, kubelet = self._identity("control-plane"), self._identity("nodes")
        self.kubelet_principal = kubelet.principal_id
        rights = self._rights(control, kubelet)
        pool = self._first_pool(machine, nodes, disk_gib, zones)
        cluster = self._control_plane(control, kubelet, pool, public_access_cidrs, rights)
        self.name, self.id = cluster.name, cluster.id
        self.issuer = cluster.oidc_issuer_profile.apply(_issuer)
        self._schedule(cluster)
        administrators(name, group=group, cluster_id=cluster.id, opts=self._child)
        self.kubeconfig = kubeconfig(
            name, group, resource_group=group.group, cluster_name=cluster.name, depends_on=[cluster]
        )
        self.register_outputs({"name": self.name, "issuer": self.issuer})

    def _identity(self, use: str) -> managedidentity.UserAssignedIdentity:
        return managedidentity.UserAssignedIdentity(
            f"{self.title}-{use}",
            managedidentity.UserAssignedIdentityArgs(
                resource_group_name=self.group.group,
                location=self.group.region_name,
                tags=self.group.common_tags,
            ),
            self._child,
        )

    def _rights(
        self, control: managedidentity.UserAssignedIdentity, kubelet: managedidentity.UserAssignedIdentity
    ) -> list[authorization.RoleAssignment]:
        """Grant the access the control plane needs before it's created: to subnets, keys and the identity of its nodes.

        Sources: https://learn.microsoft.com/en-us/azure/aks/use-kms-etcd-encryption and
        https://learn.microsoft.com/en-us/azure/aks/use-managed-identity, 2026-11-27.
        """
        key, network = self._key, self._network
        roles: dict[str, tuple[str, pulumi.Output[str]]] = {
            "subnet": (NETWORK_CONTRIBUTOR, network.nodes_id),
            "api-subnet": (NETWORK_CONTRIBUTOR, network.api_server_id),
            "kubelet": (IDENTITY_OPERATOR, kubelet.id),
            "disks": (DISK_ENCRYPTION, key.disks.id),
            "secrets": (CRYPTO_USER, key.secrets.id),
            # the cluster connects the vault to its control plane
            "vault": (VAULT_CONTRIBUTOR, key.vault_id),
        }
        return [
            assign(
                f"{self.title}-{use}",
                group=self.group,
                role=role,
                principal=control.principal_id,
                scope=scope,
                opts=self._child,
            )
            for use, (role, scope) in roles.items()
        ]

    def _first_pool(
        self, machine: str, nodes: int, disk_gib: int, zones: Sequence[str]
    ) -> containerservice.ManagedClusterAgentPoolProfileArgs:
        return containerservice.ManagedClusterAgentPoolProfileArgs(
            name=_FIRST_POOL,
            mode="System",
            type="VirtualMachineScaleSets",
            orchestrator_version=self.version,
            vm_size=machine,
            availability_zones=list(zones) or None,
            count=nodes,
            enable_auto_scaling=True,
            min_count=nodes,
            max_count=nodes + 2,
            max_pods=PODS_OF_A_NODE,
            node_taints=["CriticalAddonsOnly=true:NoSchedule"],
            os_type="Linux",
            os_sku="Ubuntu",
            os_disk_type="Managed",
            os_disk_size_gb=disk_gib,
            enable_encryption_at_host=encrypts_hosts(),
            enable_node_public_ip=False,
            enable_fips=False,
            vnet_subnet_id=self._network.nodes_id,
            upgrade_settings=containerservice.AgentPoolUpgradeSettingsArgs(max_surge="1", max_unavailable="0"),
            tags=self.group.common_tags,
        )

    def _control_plane(
        self,
        control: managedidentity.UserAssignedIdentity,
        kubelet: managedidentity.UserAssignedIdentity,
        pool: containerservice.ManagedClusterAgentPoolProfileArgs,
        public_access_cidrs: Sequence[str],
        rights: Sequence[pulumi.Resource],
    ) -> containerservice.ManagedCluster:
        group = self.group
        return containerservice.ManagedCluster(
            self.title,
            resource_name_=self.title,
            resource_group_name=group.group,
            location=group.region_name,
            dns_prefix=self.title,
            node_resource_group=group.node_group_name,
            # only the cluster itself may change its nodes, disks and load balancers
            node_resource_group_profile=containerservice.ManagedClusterNodeResourceGroupProfileArgs(
                restriction_level="ReadOnly"
            ),
            kubernetes_version=self.version,
            sku=containerservice.ManagedClusterSKUArgs(
                name="Base",
                tier="Standard",  # by default Free, which has no SLA for the API
            ),
            support_plan="KubernetesOfficial",
            auto_upgrade_profile=patches(),
            agent_pool_profiles=[pool],
            auto_scaler_profile=autoscaler(),
            identity=containerservice.ManagedClusterIdentityArgs(
                type=containerservice.ResourceIdentityType.USER_ASSIGNED, user_assigned_identities=[control.id]
            ),
            identity_profile={
                "kubeletidentity": containerservice.UserAssignedIdentityArgs(
                    resource_id=kubelet.id, client_id=kubelet.client_id, object_id=kubelet.principal_id
                )
            },
            network_profile=network_profile(self._network),
            api_server_access_profile=api_access(self._network, public_access_cidrs),
            enable_rbac=True,
            # on by default: a certificate for administrators that cannot be revoked
            disable_local_accounts=True,
            aad_profile=entra_login(group.tenant),
            oidc_issuer_profile=containerservice.ManagedClusterOIDCIssuerProfileArgs(enabled=True),
            security_profile=security(self._key),
            disk_encryption_set_id=self._key.disks.id,
            storage_profile=volumes(),
            tags=group.common_tags,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[*rights, *self._network.ready],
                protect=protected(),
                # fields of the first pool that the autoscaler sets, or that cannot change
                ignore_changes=[
                    f"agentPoolProfiles[0].{field}"
                    for field in ("count", "vmSize", "osDiskSizeGB", "availabilityZones", "enableEncryptionAtHost")
                ],
            ),
        )

    def _schedule(self, cluster: containerservice.ManagedCluster) -> None:
        for schedule in _SCHEDULES:
            containerservice.MaintenanceConfiguration(
                f"{self.title}-{schedule}",
                resource_group_name=self.group.group,
                resource_name_=cluster.name,
                config_name=schedule,
                maintenance_window=maintenance_window(),
                opts=self._child,
            )


def _issuer(profile: containerservice.outputs.ManagedClusterOIDCIssuerProfileResponse | None) -> str:
    if profile is None or not profile.issuer_url:
        raise pulumi.RunError("AKS returned no issuer for this cluster")
    return profile.issuer_url
