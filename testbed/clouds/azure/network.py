"""Virtual networks, their outbound routes, private endpoints and private DNS zones."""

from __future__ import annotations

from ipaddress import IPv4Network

from testbed.clouds.azure.api import Api, last, not_found, refused
from testbed.clouds.azure.kinds import kind
from testbed.clouds.shared.stored import at
from testbed.clouds.shared.values import Values

_PREFIX = "azure-native:network:"
NETWORK = f"{_PREFIX}VirtualNetwork"
SUBNET = f"{_PREFIX}Subnet"
RULES = f"{_PREFIX}NetworkSecurityGroup"
GATEWAY = f"{_PREFIX}NatGateway"
ADDRESS = f"{_PREFIX}PublicIPAddress"
ENDPOINT = f"{_PREFIX}PrivateEndpoint"
ZONE_GROUP = f"{_PREFIX}PrivateDnsZoneGroup"
ZONE = "azure-native:privatedns:PrivateZone"
LINK = "azure-native:privatedns:VirtualNetworkLink"
CLUSTER = "azure-native:containerservice:ManagedCluster"
POOL = "azure-native:containerservice:AgentPool"

_PARTS = {
    "Microsoft.Storage/storageAccounts": {"blob", "dfs", "file", "queue", "table", "web"},
    "Microsoft.KeyVault/vaults": {"vault"},
    "Microsoft.ContainerRegistry/registries": {"registry"},
    "Microsoft.DBforPostgreSQL/flexibleServers": {"postgresqlServer"},
}
"""The parts of each resource type that a private endpoint can connect to.

Source: https://learn.microsoft.com/en-us/azure/private-link/private-endpoint-overview, read 2026-11-27.
"""

_LEAST, _MOST = 100, 4096


def _siblings(api: Api, values: Values) -> dict[str, Values]:
    """Return the other subnets of a network."""
    identifier = api.filled(KINDS[SUBNET].path, values)
    start = identifier.rpartition("/")[0]
    return {each: subnet for each, subnet in api.all(SUBNET).items() if each.startswith(start) and each != identifier}


def _range(api: Api, values: Values) -> None:
    """Reject a subnet range that is outside the network's range or overlaps with another subnet.

    Wording: https://learn.microsoft.com/en-us/azure/azure-resource-manager/troubleshooting/common-deployment-errors,
    read 2026-11-27.
    """
    block, name = IPv4Network(str(values["addressPrefix"])), values["subnetName"]
    network = api.find(NETWORK, api.filled(KINDS[NETWORK].path, values)) or {}
    spaces = [IPv4Network(str(each)) for each in at(network, "addressSpace.addressPrefixes")]
    if not any(block.subnet_of(space) for space in spaces):
        raise refused(
            400,
            "NetcfgInvalidSubnet",
            f"Subnet '{name}' is not valid because its IP address range is outside the IP address range of virtual"
            f" network '{values['virtualNetworkName']}'.",
        )
    if any(block.overlaps(IPv4Network(str(each["addressPrefix"]))) for each in _siblings(api, values).values()):
        raise refused(
            400,
            "NetcfgSubnetRangesOverlap",
            f"Subnet '{name}' is not valid because its IP address range overlaps with that of an existing subnet in"
            f" virtual network '{values['virtualNetworkName']}'.",
        )


def _users(api: Api, subnet: str) -> list[str]:
    """Return the IDs of resources with addresses in a subnet."""
    paths = {
        CLUSTER: ("agentPoolProfiles.vnetSubnetID", "apiServerAccessProfile.subnetId"),
        POOL: ("vnetSubnetID",),
        ENDPOINT: ("subnet.id",),
    }
    return [
        user
        for token, places in paths.items()
        for user, values in api.all(token).items()
        if any(subnet in at(values, place) for place in places)
    ]


def _same_range(api: Api, values: Values) -> None:
    """Refuse to change the range of a subnet in use. Source: common virtual network errors, read 2026-11-27."""
    identifier = api.filled(KINDS[SUBNET].path, values)
    before = api.find(SUBNET, identifier)
    if before and before["addressPrefix"] != values["addressPrefix"] and _users(api, identifier):
        raise refused(
            400,
            "InUsePrefixCannotBeDeleted",
            f"IpPrefix {before['addressPrefix']} on Subnet {last(identifier)} has active allocations and cannot be"
            " deleted.",
        )


def _unused_subnet(api: Api, identifier: str, values: Values) -> None:
    """Refuse to delete a subnet in use. Wording: kubernetes-sigs/cluster-api-provider-azure, issue 172, read
    2026-11-27.
    """
    for user in _users(api, identifier):
        raise refused(
            400,
            "InUseSubnetCannotBeDeleted",
            f"Subnet {last(identifier)} is in use by {user} and cannot be deleted. In order to delete the subnet,"
            " delete all the resources within the subnet. See aka.ms/deletesubnet.",
        )


def _unused_network(api: Api, identifier: str, values: Values) -> None:
    """Refuse to delete a network with a subnet in use."""
    for subnet in api.all(SUBNET):
        if subnet.startswith(f"{identifier}/"):
            _unused_subnet(api, subnet, {})


def _priorities(api: Api, values: Values) -> None:
    """Reject security rules with invalid or duplicate priorities, or with missing or contradictory address prefixes.

    Source: https://learn.microsoft.com/en-us/azure/virtual-network/network-security-groups-overview, 2026-11-27.
    """
    rules = values.get("securityRules") or []
    places = [(each["direction"], each["priority"]) for each in rules]
    if any(not _LEAST <= priority <= _MOST for _, priority in places) or len(set(places)) < len(places):
        raise refused(
            400, "SecurityRuleConflict", f"Priorities are unique and from {_LEAST} to {_MOST}, and not {places}."
        )
    for each in rules:
        for end in ("source", "destination"):
            prefixes = [each.get(f"{end}AddressPrefix"), each.get(f"{end}AddressPrefixes") or None]
            if sum(value is not None for value in prefixes) != 1:
                raise refused(
                    400,
                    "SecurityRuleParameterMissing",
                    f"Security rule {each['name']} has one of {end}AddressPrefix and {end}AddressPrefixes.",
                )


def _target(api: Api, values: Values) -> None:
    """Reject private endpoints whose target resource doesn't exist or doesn't have the requested part.

    Also rejects endpoints to registries that don't support them.
    """
    for each in values["privateLinkServiceConnections"]:
        target = str(each["privateLinkServiceId"])
        if not api.exists(target):
            raise not_found(target)
        kind = "/".join(target.partition("/providers/")[2].split("/")[:2])
        if not set(each["groupIds"]) <= _PARTS.get(kind, set()):
            raise refused(
                400,
                "InvalidRequestFormat",
                f"Call to {kind} failed. Error message: groupId {each['groupIds']} is not supported.",
            )
        registry = api.find("azure-native:containerregistry:Registry", target)
        if registry and registry["sku"]["name"] != "Premium":
            raise refused(
                400, "PrivateEndpointNotSupported", "Private endpoints are supported on the Premium SKU only."
            )


def _one_zone(api: Api, values: Values) -> None:
    """Reject a second link from a network to a zone of the same name.

    Wording: https://learn.microsoft.com/en-us/azure/dns/private-dns-virtual-network-links, read 2026-11-27.
    """
    identifier = api.filled(KINDS[LINK].path, values)
    for other, each in api.all(LINK).items():
        same = each["virtualNetwork"]["id"] == values["virtualNetwork"]["id"]
        if same and other != identifier and each["privateZoneName"] == values["privateZoneName"]:
            zone = values["privateZoneName"]
            raise refused(
                409,
                "Conflict",
                "A virtual network cannot be linked to multiple zones with overlapping namespaces. You tried to link"
                f" virtual network with '{zone}' and '{zone}' zones.",
            )


def _unlinked(api: Api, identifier: str, values: Values) -> None:
    """Refuse to delete a zone with links.

    Wording: https://learn.microsoft.com/en-us/azure/dns/dns-private-zones-troubleshooting, read 2026-11-27.
    """
    if any(link.startswith(f"{identifier}/") for link in api.all(LINK)):
        raise refused(409, "CannotDeleteResource", "Can not delete resource before nested resources are deleted.")


KINDS = {
    # one write at a time: Microsoft.Network, read 2026-11-27
    NETWORK: kind(NETWORK, guards=(_unused_network,)),
    SUBNET: kind(
        SUBNET,
        tracked=False,
        rules=(_range, _same_range),
        guards=(_unused_subnet,),
        references={"natGateway.id": GATEWAY, "networkSecurityGroup.id": RULES},
        busy=(
            429,
            "AnotherOperationInProgress",
            "Another operation on this or dependent resource is in progress: {0}.",
        ),
    ),
    RULES: kind(
        RULES,
        rules=(_priorities,),
        blocked_by=(SUBNET,),
        # wording: https://aka.ms/deletensg
        used=(
            400,
            "InUseNetworkSecurityGroupCannotBeDeleted",
            "Network security group {0} cannot be deleted because it is in use by the following resources: {1}."
            " In order to delete the Network security group, remove the association with the resource(s). To learn"
            " how to do this, see aka.ms/deletensg.",
        ),
    ),
    GATEWAY: kind(
        GATEWAY,
        references={"publicIpAddresses.id": ADDRESS},
        frozen=frozenset({"sku", "zones"}),
        blocked_by=(SUBNET,),
        # wording: Azure-Samples/Copilot-Studio-with-Azure-AI-Search, issue 62, read 2026-11-27
        used=(
            400,
            "CannotDeleteNatGatewayAssociatedToSubnet",
            "NAT Gateway {0} is still configured on 1 subnets. Remove NAT Gateway from all referenced subnets and then"
            " delete NAT Gateway.",
        ),
    ),
    ADDRESS: kind(
        ADDRESS,
        fixed=frozenset({"publicIPAddressVersion", "publicIPPrefix", "sku"}),
        frozen=frozenset({"zones"}),
        blocked_by=(GATEWAY,),
        # wording: hashicorp/terraform-provider-azurerm, issue 6052, read 2026-11-27
        used=(
            400,
            "PublicIPAddressCannotBeDeleted",
            "Public IP address {0} can not be deleted since it is still allocated to resource {1}. In order to delete"
            " the public IP, disassociate/detach the Public IP address from the resource. To learn how to do this, see"
            " aka.ms/deletepublicip.",
        ),
    ),
    ENDPOINT: kind(
        ENDPOINT,
        fixed=frozenset({"subnet"}),
        frozen=frozenset({"privateLinkServiceConnections"}),
        references={"subnet.id": SUBNET},
        rules=(_target,),
    ),
    ZONE_GROUP: kind(ZONE_GROUP, tracked=False, references={"privateDnsZoneConfigs.privateDnsZoneId": ZONE}),
    ZONE: kind(ZONE, guards=(_unlinked,)),
    LINK: kind(
        LINK, frozen=frozenset({"virtualNetwork"}), references={"virtualNetwork.id": NETWORK}, rules=(_one_zone,)
    ),
}
