"""Private endpoints, i.e. network addresses for reaching stores, vaults, databases and registries."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import network as networks

from .existing import ClusterNetwork
from .group import ResourceGroup
from .network import AdoptedNetwork, Network
from .zones import Part


def private_endpoint(
    title: str,
    *,
    group: ResourceGroup,
    network: Network | AdoptedNetwork | ClusterNetwork,
    target: pulumi.Input[str],
    part: Part,
    opts: pulumi.ResourceOptions,
) -> networks.PrivateDnsZoneGroup:
    """Give a resource an address in the network's endpoint subnet, which its name then resolves to.

    Returns the resource that clients must depend on.
    """
    endpoint = networks.PrivateEndpoint(
        title,
        networks.PrivateEndpointArgs(
            resource_group_name=group.group,
            location=group.region_name,
            # only a reference; without the policy, the SDK would send its own default
            subnet=networks.SubnetArgs(id=network.endpoints_id, private_endpoint_network_policies="Enabled"),
            private_link_service_connections=[
                networks.PrivateLinkServiceConnectionArgs(name=part, private_link_service_id=target, group_ids=[part])
            ],
            tags=group.common_tags,
        ),
        pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=list(network.ready))),
    )
    return networks.PrivateDnsZoneGroup(
        title,
        networks.PrivateDnsZoneGroupArgs(
            resource_group_name=group.group,
            private_endpoint_name=endpoint.name,
            private_dns_zone_group_name="default",
            private_dns_zone_configs=[
                networks.PrivateDnsZoneConfigArgs(name=part.lower(), private_dns_zone_id=network.zones[part])
            ],
        ),
        opts,
    )
