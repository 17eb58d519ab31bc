"""Settings of an AKS cluster that do not depend on its surroundings."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network

import pulumi
from pulumi_azure_native import containerservice

from .network import AdoptedNetwork, Network

PODS_OF_A_NODE = 64
"""250 by default; AKS reserves memory of each node for as many Pods as it may have."""

_OUTBOUND = {"nat": "userAssignedNATGateway", "routes": "userDefinedRouting"}
_DNS = 10
"""The place of the DNS service among the addresses of Services."""


def encrypts_hosts() -> bool:
    """The setting `encryptionAtHost`: also caches and local disks are encrypted.

    The subscription needs the feature EncryptionAtHost, and the machine has to support it.
    """
    return pulumi.Config().get_bool("encryptionAtHost") is True


def connect(arguments: containerservice.ManagedClusterArgs, network: Network | AdoptedNetwork) -> None:
    """Give Pods addresses of their own, behind those of nodes, and have Cilium enforce NetworkPolicies."""
    services = IPv4Network(network.services_cidr)
    arguments.network_profile = containerservice.ContainerServiceNetworkProfileArgs(
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


def open_api(
    arguments: containerservice.ManagedClusterArgs,
    network: Network | AdoptedNetwork,
    public_access_cidrs: Sequence[str],
) -> None:
    """Open the API at an address of the network, and to these blocks of the internet, if any.

    Nodes use the address of the network in any case. It is the same whether the API is also public or not.
    """
    arguments.api_server_access_profile = containerservice.ManagedClusterAPIServerAccessProfileArgs(
        enable_vnet_integration=True,
        subnet_id=network.api_server_id,
        enable_private_cluster=not public_access_cidrs,  # off by default: the API is open to the world
        enable_private_cluster_public_fqdn=None if public_access_cidrs else False,
        private_dns_zone=None if public_access_cidrs else "system",
        authorized_ip_ranges=list(public_access_cidrs) or None,
        disable_run_command=True,  # otherwise Azure runs commands in the cluster for whoever may administer it
    )


def harden(arguments: containerservice.ManagedClusterArgs, tenant_id: pulumi.Input[str]) -> None:
    """Admit people and machines by Entra ID alone, and Pods to Azure by their own identity."""
    arguments.enable_rbac = True
    arguments.disable_local_accounts = True  # on by default: a certificate for administrators that cannot be revoked
    arguments.aad_profile = containerservice.ManagedClusterAADProfileArgs(
        managed=True, enable_azure_rbac=True, tenant_id=tenant_id
    )
    arguments.oidc_issuer_profile = containerservice.ManagedClusterOIDCIssuerProfileArgs(enabled=True)
    # nobody changes nodes, disks and load balancers behind the cluster's back
    arguments.node_resource_group_profile = containerservice.ManagedClusterNodeResourceGroupProfileArgs(
        restriction_level="ReadOnly"
    )


def maintain(arguments: containerservice.ManagedClusterArgs) -> None:
    """Install patches of Kubernetes and of nodes; the minor version stays that of the program."""
    arguments.auto_upgrade_profile = containerservice.ManagedClusterAutoUpgradeProfileArgs(
        upgrade_channel="patch", node_os_upgrade_channel="NodeImage"
    )
    arguments.support_plan = "KubernetesOfficial"
    arguments.sku = containerservice.ManagedClusterSKUArgs(
        name="Base",
        tier="Standard",  # by default Free: no promise about the API's availability
    )
    arguments.storage_profile = containerservice.ManagedClusterStorageProfileArgs(
        disk_csi_driver=containerservice.ManagedClusterStorageProfileDiskCSIDriverArgs(enabled=True),
        file_csi_driver=containerservice.ManagedClusterStorageProfileFileCSIDriverArgs(enabled=False),
        blob_csi_driver=containerservice.ManagedClusterStorageProfileBlobCSIDriverArgs(enabled=False),
        snapshot_controller=containerservice.ManagedClusterStorageProfileSnapshotControllerArgs(enabled=True),
    )


def scale(arguments: containerservice.ManagedClusterArgs) -> None:
    """Let the autoscaler take pools in the order that a ConfigMap in the cluster lists, and give back idle nodes."""
    arguments.auto_scaler_profile = containerservice.ManagedClusterPropertiesAutoScalerProfileArgs(
        expander="priority",
        # Pods of Ray have scratch folders, which by default keep their node for ever
        skip_nodes_with_local_storage="false",
        skip_nodes_with_system_pods="true",
        balance_similar_node_groups="false",
        # a node with GPUs may take longer than the default of 15 minutes to start
        max_node_provision_time="25m",
        max_graceful_termination_sec="600",
        scale_down_unneeded_time="10m",
    )
