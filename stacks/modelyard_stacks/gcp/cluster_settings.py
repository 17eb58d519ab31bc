"""Settings of a GKE cluster that do not depend on its surroundings."""

from __future__ import annotations

from collections.abc import Sequence

from pulumi_gcp import container

_LOGS = ("SYSTEM_COMPONENTS", "APISERVER", "CONTROLLER_MANAGER", "SCHEDULER")


def open_api(
    arguments: container.ClusterArgs,
    public_access_cidrs: Sequence[str],
    api_clients: Sequence[str],
    *,
    by_name: bool,
) -> None:
    """Open the API inside the network, to these blocks of connected networks and of the internet, and `by_name`.

    Nodes and Pods reach the private address in any case. Without blocks of the internet, there is no public address.
    """
    blocks = [*public_access_cidrs, *api_clients]
    arguments.private_cluster_config = container.ClusterPrivateClusterConfigArgs(
        enable_private_nodes=True,  # off by default: every node has a public address
        enable_private_endpoint=not public_access_cidrs,  # off by default: the API is open to the world
        # off by default: a VPN or an interconnect of another region does not reach the private address
        master_global_access_config=container.ClusterPrivateClusterConfigMasterGlobalAccessConfigArgs(enabled=True),
    )
    arguments.master_authorized_networks_config = container.ClusterMasterAuthorizedNetworksConfigArgs(
        cidr_blocks=[container.ClusterMasterAuthorizedNetworksConfigCidrBlockArgs(cidr_block=each) for each in blocks],
        gcp_public_cidrs_access_enabled=False,  # machines of all customers have such addresses
    )
    arguments.control_plane_endpoints_config = container.ClusterControlPlaneEndpointsConfigArgs(
        dns_endpoint_config=container.ClusterControlPlaneEndpointsConfigDnsEndpointConfigArgs(
            allow_external_traffic=by_name, enable_k8s_certs_via_dns=False, enable_k8s_tokens_via_dns=False
        ),
        ip_endpoints_config=container.ClusterControlPlaneEndpointsConfigIpEndpointsConfigArgs(enabled=True),
    )


def harden(arguments: container.ClusterArgs) -> None:
    """Turn off old and anonymous ways in, which are on by default or could be turned on."""
    arguments.enable_shielded_nodes = True
    arguments.enable_legacy_abac = False
    arguments.anonymous_authentication_config = container.ClusterAnonymousAuthenticationConfigArgs(
        mode="LIMITED"  # health checks only
    )
    arguments.rbac_binding_config = container.ClusterRbacBindingConfigArgs(
        enable_insecure_binding_system_authenticated=False, enable_insecure_binding_system_unauthenticated=False
    )
    arguments.master_auth = container.ClusterMasterAuthArgs(
        client_certificate_config=container.ClusterMasterAuthClientCertificateConfigArgs(issue_client_certificate=False)
    )
    arguments.node_pool_defaults = container.ClusterNodePoolDefaultsArgs(
        node_config_defaults=container.ClusterNodePoolDefaultsNodeConfigDefaultsArgs(
            insecure_kubelet_readonly_port_enabled="FALSE"
        )
    )
    arguments.security_posture_config = container.ClusterSecurityPostureConfigArgs(
        mode="BASIC"  # findings about workloads, without a charge
    )


def observe(arguments: container.ClusterArgs) -> None:
    """Write logs and metrics of the control plane and of GKE's own Pods; ours have Prometheus, and cost nothing here.

    Add-ons that workloads bring themselves, in versions of their own, are off: Google's would claim the same objects.
    """
    arguments.logging_config = container.ClusterLoggingConfigArgs(enable_components=list(_LOGS))
    arguments.monitoring_config = container.ClusterMonitoringConfigArgs(
        enable_components=["SYSTEM_COMPONENTS"],
        managed_prometheus=container.ClusterMonitoringConfigManagedPrometheusArgs(enabled=False),
    )
    # NetworkPolicies open its Pods; Cloud DNS would answer at an address of each node instead
    arguments.dns_config = container.ClusterDnsConfigArgs(cluster_dns="KUBE_DNS")
    arguments.gateway_api_config = container.ClusterGatewayApiConfigArgs(channel="CHANNEL_DISABLED")
    arguments.addons_config = container.ClusterAddonsConfigArgs(
        gce_persistent_disk_csi_driver_config=container.ClusterAddonsConfigGcePersistentDiskCsiDriverConfigArgs(
            enabled=True
        ),
        # a cache on each node, whose address NetworkPolicies would have to open as well
        dns_cache_config=container.ClusterAddonsConfigDnsCacheConfigArgs(enabled=False),
        # Dataplane V2 enforces NetworkPolicies itself, and excludes this
        network_policy_config=container.ClusterAddonsConfigNetworkPolicyConfigArgs(disabled=True),
        ray_operator_configs=[container.ClusterAddonsConfigRayOperatorConfigArgs(enabled=False)],
    )
