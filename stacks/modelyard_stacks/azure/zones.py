"""Private DNS zones, where the names of Azure's services resolve to private endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import pulumi
from pulumi_azure_native import privatedns

from .group import ResourceGroup

Part: TypeAlias = Literal["blob", "postgresqlServer", "registry", "vault"]
"""Private Link's name for the part of a resource to which an endpoint connects."""

ZONES: Mapping[Part, str] = {
    "blob": "privatelink.blob.core.windows.net",
    "postgresqlServer": "privatelink.postgres.database.azure.com",
    "registry": "privatelink.azurecr.io",
    "vault": "privatelink.vaultcore.azure.net",
}
"""Source: https://learn.microsoft.com/en-us/azure/private-link/private-endpoint-dns, 2026-11-27."""


def private_zones(
    name: str, *, group: ResourceGroup, network_id: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> tuple[dict[Part, pulumi.Output[str]], list[pulumi.Resource]]:
    """Create the zones and link them to a network. Returns the zone IDs, and the links they need to work.

    A name without a record in its zone is resolved in public DNS. Otherwise, other owners' stores that have a private
    endpoint in another network couldn't be resolved.
    """
    zones: dict[Part, pulumi.Output[str]] = {}
    links: list[pulumi.Resource] = []
    for part, domain in ZONES.items():
        title = f"{name}-{part}"
        zone = privatedns.PrivateZone(
            title,
            privatedns.PrivateZoneArgs(
                resource_group_name=group.group,
                private_zone_name=domain,
                location="Global",
                tags=group.common_tags,
            ),
            opts,
        )
        link = privatedns.VirtualNetworkLink(
            title,
            privatedns.VirtualNetworkLinkArgs(
                resource_group_name=group.group,
                private_zone_name=zone.name,
                virtual_network_link_name=name,
                location="Global",
                virtual_network=privatedns.SubResourceArgs(id=network_id),
                registration_enabled=False,
                resolution_policy="NxDomainRedirect",
                tags=group.common_tags,
            ),
            opts,
        )
        zones[part] = zone.id
        links.append(link)
    return zones, links


def adopted_zones(dns_group: str) -> dict[Part, pulumi.Output[str]]:
    """Return the IDs of the zones that a network's owner keeps in a resource group, given by its ID."""
    return {
        part: pulumi.Output.from_input(f"{dns_group}/providers/Microsoft.Network/privateDnsZones/{domain}")
        for part, domain in ZONES.items()
    }
