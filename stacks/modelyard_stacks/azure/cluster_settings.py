"""AKS cluster settings that do not depend on other resources."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network

import pulumi
from pulumi_azure_native import containerservice

from .key import Key
from .network import AdoptedNetwork, Network

PODS_OF_A_NODE = 64
"""The default is 250. AKS reserves memory on each node for its maximum number of Pods."""

_OUTBOUND = {"nat": "userAssignedNATGateway", "routes": "userDefinedRouting"}
_DNS = 10
"""The index of the DNS service's address in the block for Services."""

_WEEK_H = 7 * 24


def encrypts_hosts() -> bool:
    """Return the `encryptionAtHost` setting, which also encrypts caches and local disks.

    The subscription needs the feature EncryptionAtHost, and the machine has to support it.
    """
    return pulumi.Config().get_bool("encryptionAtHost") is True


def network_profile(network: Network | AdoptedNetwork) -> containerservice.ContainerServiceNetworkProfileArgs:
    """Give Pods their own addresses behind those of their nodes, and let Cilium enforce NetworkPolicies."""
    services = IPv4Network(network.services_cidr)
    return containerservice.ContainerServiceNetworkProfileArgs(
        network_plugin="azure",
        network_plugin_mode="overlay",
        network_dataplane="cilium",
        network_policy="cilium",  # by default NetworkPolicies are accepted and not enforced
        pod_cidr=network.pods_cidr,
        service_cidr=network.services_cidr,
        dns_service_ip=str(services[_DNS]),
        load_balancer_sku="standard",
        outbound_type=_OUTBOUND[network.outbound],
        ip_families=["IPv4"],
    )


def api_access(
    network: Network | AdoptedNetwork, public_access_cidrs: Sequence[str]
) -> containerservice.ManagedClusterAPIServerAccessProfileArgs:
    """Make the API reachable at an address in the network, and from the given public CIDR blocks, if any.

    Nodes always use the address in the network, which is the same whether or not the API is also public.
    """
    return containerservice.ManagedClusterAPIServerAccessProfileArgs(
        enable_vnet_integration=True,
        subnet_id=network.api_server_id,
        enable_private_cluster=not public_access_cidrs,  # off by default, which opens the API to the world
        enable_private_cluster_public_fqdn=None if public_access_cidrs else False,
        private_dns_zone=None if public_access_cidrs else "system",
        authorized_ip_ranges=list(public_access_cidrs) or None,
        disable_run_command=True,  # otherwise, Azure runs commands in the cluster on behalf of its administrators
    )


def entra_login(tenant_id: pulumi.Input[str]) -> containerservice.ManagedClusterAADProfileArgs:
    """Authenticate people with Entra ID, and authorize them with Azure roles."""
    return containerservice.ManagedClusterAADProfileArgs(managed=True, enable_azure_rbac=True, tenant_id=tenant_id)


def security(key: Key) -> containerservice.ManagedClusterSecurityProfileArgs:
    """Encrypt Secrets with our key, give Pods their own identities, and clean up unused images."""
    return containerservice.ManagedClusterSecurityProfileArgs(
        workload_identity=containerservice.ManagedClusterSecurityProfileWorkloadIdentityArgs(enabled=True),
        azure_key_vault_kms=containerservice.AzureKeyVaultKmsArgs(
            enabled=True,
            key_id=key.secrets.key_uri_with_version,
            key_vault_network_access="Private",
            key_vault_resource_id=key.vault_id,
        ),
        image_cleaner=containerservice.ManagedClusterSecurityProfileImageCleanerArgs(
            enabled=True, interval_hours=_WEEK_H
        ),
    )


def patches() -> containerservice.ManagedClusterAutoUpgradeProfileArgs:
    """Install patches for Kubernetes and nodes, without changing the minor version set by the program."""
    return containerservice.ManagedClusterAutoUpgradeProfileArgs(
        upgrade_channel="patch", node_os_upgrade_channel="NodeImage"
    )


def volumes() -> containerservice.ManagedClusterStorageProfileArgs:
    """Enable disks only, because file and blob shares would need account keys."""
    return containerservice.ManagedClusterStorageProfileArgs(
        disk_csi_driver=containerservice.ManagedClusterStorageProfileDiskCSIDriverArgs(enabled=True),
        file_csi_driver=containerservice.ManagedClusterStorageProfileFileCSIDriverArgs(enabled=False),
        blob_csi_driver=containerservice.ManagedClusterStorageProfileBlobCSIDriverArgs(enabled=False),
        snapshot_controller=containerservice.ManagedClusterStorageProfileSnapshotControllerArgs(enabled=True),
    )


def autoscaler() -> containerservice.ManagedClusterPropertiesAutoScalerProfileArgs:
    """Choose pools in the order listed in a ConfigMap in the cluster, and remove idle nodes."""
    return containerservice.ManagedClusterPropertiesAutoScalerProfileArgs(
        expander="priority",
        # Ray Pods have scratch folders, which by default prevent the removal of their node
        skip_nodes_with_local_storage="false",
        skip_nodes_with_system_pods="true",
        balance_similar_node_groups="false",
        # a node with GPUs may take longer than the default of 15 minutes to start
        max_node_provision_time="25m",
        max_graceful_termination_sec="600",
        scale_down_unneeded_time="10m",
    )


def maintenance_window() -> containerservice.MaintenanceWindowArgs:
    """Return the maintenance window, which is Saturdays from 0:00 to 8:00 UTC."""
    return containerservice.MaintenanceWindowArgs(
        schedule=containerservice.ScheduleArgs(
            weekly=containerservice.WeeklyScheduleArgs(day_of_week="Saturday", interval_weeks=1)
        ),
        start_time="00:00",
        duration_hours=8,
        utc_offset="+00:00",
    )
