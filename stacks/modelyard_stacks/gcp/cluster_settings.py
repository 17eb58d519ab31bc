"""GKE cluster settings that do not depend on other resources."""

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
    """Make the API reachable in the network, from the given CIDR blocks and, with `by_name`, by its DNS name.

    The addresses of the subnetwork and of Pods can always reach the private address. Without `public_access_cidrs`,
    there is no public address.
    """
    blocks = [*public_access_cidrs, *api_clients]
    arguments.private_cluster_config = container.ClusterPrivateClusterConfigArgs(
        enable_private_nodes=True,  # by default every node has a public address
        enable_private_endpoint=not public_access_cidrs,  # by default the API is open to the whole world
        # by default a VPN or an interconnect in another region cannot reach the private address
        master_global_access_config=container.ClusterPrivateClusterConfigMasterGlobalAccessConfigArgs(enabled=True),
    )
    arguments.master_authorized_networks_config = container.ClusterMasterAuthorizedNetworksConfigArgs(
        cidr_blocks=[container.ClusterMasterAuthorizedNetworksConfigCidrBlockArgs(cidr_block=each) for each in blocks],
        gcp_public_cidrs_access_enabled=False,  # such addresses include other customers' machines
        # by default the private address accepts everything that is connected to the network
        private_endpoint_enforcement_enabled=True,
    )
    arguments.control_plane_endpoints_config = container.ClusterControlPlaneEndpointsConfigArgs(
        dns_endpoint_config=container.ClusterControlPlaneEndpointsConfigDnsEndpointConfigArgs(
            allow_external_traffic=by_name, enable_k8s_certs_via_dns=False, enable_k8s_tokens_via_dns=False
        ),
        ip_endpoints_config=container.ClusterControlPlaneEndpointsConfigIpEndpointsConfigArgs(enabled=True),
    )


def harden(arguments: container.ClusterArgs) -> None:
    """Turn off legacy and anonymous access, some of which is on by default."""
    arguments.enable_shielded_nodes = True
    arguments.enable_legacy_abac = False
    arguments.anonymous_authentication_config = container.ClusterAnonymousAuthenticationConfigArgs(
        mode="LIMITED"  # only for health checks
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
    arguments.binary_authorization = container.ClusterBinaryAuthorizationArgs(
        evaluation_mode="PROJECT_SINGLETON_POLICY_ENFORCE"  # admits every image until the project has a policy
    )
    arguments.security_posture_config = container.ClusterSecurityPostureConfigArgs(
        mode="BASIC"  # reports findings about workloads, free of charge
    )


def observe(arguments: container.ClusterArgs) -> None:
    """Collect logs and metrics from the control plane and GKE's own Pods. Our Pods use Prometheus, which is free.

    Google's versions of the add-ons installed by the workloads project are off, since they would manage the same
    objects.
    """
    arguments.logging_config = container.ClusterLoggingConfigArgs(enable_components=list(_LOGS))
    arguments.monitoring_config = container.ClusterMonitoringConfigArgs(
        enable_components=["SYSTEM_COMPONENTS"],
        managed_prometheus=container.ClusterMonitoringConfigManagedPrometheusArgs(enabled=False),
    )
    # NetworkPolicies allow access to kube-dns Pods; Cloud DNS would answer at an address on each node instead
    arguments.dns_config = container.ClusterDnsConfigArgs(cluster_dns="KUBE_DNS")
    arguments.gateway_api_config = container.ClusterGatewayApiConfigArgs(channel="CHANNEL_DISABLED")
    arguments.addons_config = container.ClusterAddonsConfigArgs(
        gce_persistent_disk_csi_driver_config=container.ClusterAddonsConfigGcePersistentDiskCsiDriverConfigArgs(
            enabled=True
        ),
        # NetworkPolicies would also have to allow the address of the cache on each node
        dns_cache_config=container.ClusterAddonsConfigDnsCacheConfigArgs(enabled=False),
        # Dataplane V2 enforces NetworkPolicies itself and is incompatible with this
        network_policy_config=container.ClusterAddonsConfigNetworkPolicyConfigArgs(disabled=True),
        ray_operator_configs=[container.ClusterAddonsConfigRayOperatorConfigArgs(enabled=False)],
    )
