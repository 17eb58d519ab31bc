"""Tests that networks admit only nodes and connected networks, and that Azure services have private names."""

from __future__ import annotations

from ipaddress import IPv4Network
from types import SimpleNamespace
from typing import Any, cast

import pulumi
import pytest

from modelyard_stacks.azure.firewall import api_rules
from modelyard_stacks.azure.group import ResourceGroup
from modelyard_stacks.azure.network import split
from tests.stacks.aws.programs import Resources, inputs, needs, of
from tests.stacks.azure.programs import (
    GROUP,
    IN_GROUP,
    NETWORK,
    SUBSCRIPTION,
    VAULT,
    configured,
    elsewhere,
    registered_together,
)

VNET = "azure-native:network:VirtualNetwork"
SUBNET = "azure-native:network:Subnet"
RULES = "azure-native:network:NetworkSecurityGroup"
NAT = "azure-native:network:NatGateway"
ZONE = "azure-native:privatedns:PrivateZone"
LINK = "azure-native:privatedns:VirtualNetworkLink"
ENDPOINT = "azure-native:network:PrivateEndpoint"
NAMES = "azure-native:network:PrivateDnsZoneGroup"
HUB = "/subscriptions/0/resourceGroups/hub"
SHARED = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/hub"
ADOPTED = VAULT.replace(NETWORK, "NETWORK").replace(
    "NETWORK",
    f"""{GROUP}
from modelyard_stacks.azure.network import AdoptedNetwork

network = AdoptedNetwork(
    "fraud-prod-main",
    group=group,
    network="{SHARED}/providers/Microsoft.Network/virtualNetworks/shared",
    nodes="ml",
    endpoints="links",
    api_server="aks",
    cidr="10.1.0.0/22",
    endpoints_cidr="10.1.2.0/24",
    api_cidr="10.1.3.0/28",
    pods_cidr="100.64.0.0/16",
    services_cidr="100.96.0.0/16",
)
""",
)


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Resources]:
    """Register a new network, one connected to other networks, and adopted networks."""
    zones = f'services_cidr="100.96.0.0/16",\n    dns_group="{HUB}",'
    return registered_together(
        tmp_path_factory.mktemp("network"),
        {
            "new": (VAULT, ""),
            "connected": (NETWORK, 'apiClients: \'["10.99.0.0/16", "10.98.0.0/16"]\''),
            "adopted": (ADOPTED, ""),
            "with zones": (ADOPTED.replace('services_cidr="100.96.0.0/16",', zones), ""),
        },
    )


@pytest.fixture(scope="module")
def resources(programs: dict[str, Resources]) -> Resources:
    """Return the new network."""
    return programs["new"]


def rules(resources: Resources, use: str) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in inputs(resources, RULES, f"fraud-prod-main-{use}")["securityRules"]}


def test_the_block_is_split_without_overlaps() -> None:
    blocks = split("10.20.0.0/16")

    assert blocks == ("10.20.0.0/18", "10.20.64.0/20", "10.20.80.0/20", "10.20.96.0/19", "10.20.128.0/17")
    assert blocks.of_virtual_network == ["10.20.0.0/18", "10.20.64.0/19"]
    for cidr in ("10.0.0.0/8", "10.0.0.0/10", "10.0.0.0/20"):
        parts = [IPv4Network(block) for block in split(cidr)]
        assert not any(part.overlaps(other) for part in parts for other in parts if part != other)
        assert all(part.subnet_of(IPv4Network(cidr)) for part in parts)
        assert IPv4Network(split(cidr).services).prefixlen >= 16
        assert IPv4Network(split(cidr).api_server).prefixlen <= 28


@pytest.mark.parametrize("cidr", ["10.0.0.0/7", "10.0.0.0/21"])
def test_a_block_of_another_size_is_refused(cidr: str) -> None:
    with pytest.raises((pulumi.RunError, ValueError), match=r"the block must be between|has host bits"):
        split(cidr)


def test_subnets_have_a_gateway_rules_and_no_way_out_of_their_own(resources: Resources) -> None:
    subnets = {name.removeprefix("fraud-prod-main-"): each["inputs"] for name, each in of(resources, SUBNET).items()}

    assert inputs(resources, VNET, "fraud-prod-main")["addressSpace"] == {
        "addressPrefixes": ["10.0.0.0/18", "10.0.64.0/19"]
    }
    assert {use: each["addressPrefix"] for use, each in subnets.items()} == {
        "nodes": "10.0.0.0/18",
        "endpoints": "10.0.64.0/20",
        "api-server": "10.0.80.0/20",
    }
    for use, each in subnets.items():
        assert each["defaultOutboundAccess"] is False
        assert each["privateEndpointNetworkPolicies"] == "Enabled"
        assert each["networkSecurityGroup"]["id"].endswith(f"/networkSecurityGroups/fraud-prod-main-{use}")
        assert ("natGateway" in each) is (use == "nodes")
    assert subnets["api-server"]["delegations"] == [
        {"name": "aks", "serviceName": "Microsoft.ContainerService/managedClusters"}
    ]


def test_a_network_is_changed_in_one_place_at_a_time(resources: Resources) -> None:
    assert f"{SUBNET} fraud-prod-main-nodes" in needs(resources, SUBNET, "fraud-prod-main-endpoints")
    assert f"{SUBNET} fraud-prod-main-endpoints" in needs(resources, SUBNET, "fraud-prod-main-api-server")


def test_the_network_and_its_subnets_are_protected(resources: Resources) -> None:
    assert resources[f"{VNET} fraud-prod-main"]["protect"]
    assert all(each["protect"] for each in of(resources, SUBNET).values())


def test_nodes_get_out_by_one_address(resources: Resources) -> None:
    gateway = inputs(resources, NAT, "fraud-prod-main")
    address = inputs(resources, "azure-native:network:PublicIPAddress", "fraud-prod-main")

    assert gateway["sku"] == {"name": "Standard"}
    assert gateway["publicIpAddresses"] == [{"id": f"{IN_GROUP}/Microsoft.Network/publicIPAddresses/fraud-prod-main"}]
    assert (address["sku"], address["publicIPAllocationMethod"]) == ({"name": "Standard"}, "Static")


def test_only_nodes_reach_endpoints_and_the_api(resources: Resources) -> None:
    """By default, everything connected to a virtual network could reach everything else in it."""
    assert rules(resources, "nodes") == {}
    for use, allowed in (
        ("endpoints", {"allow-nodes": ("10.0.0.0/18", ["443", "5432"])}),
        (
            "api-server",
            {"allow-nodes": ("10.0.0.0/18", ["443", "4443"]), "allow-probes": ("AzureLoadBalancer", ["9988"])},
        ),
    ):
        security_rules = rules(resources, use)
        opened = {name: each for name, each in security_rules.items() if each["access"] == "Allow"}
        assert (
            allowed.items()
            <= {
                name: (each["sourceAddressPrefix"], each.get("destinationPortRanges")) for name, each in opened.items()
            }.items()
        )
        last = security_rules["deny-others"]
        assert (last["access"], last["sourceAddressPrefix"], last["destinationPortRange"]) == (
            "Deny",
            "VirtualNetwork",
            "*",
        )
        assert last["priority"] > max(each["priority"] for each in opened.values())
        assert all(each["direction"] == "Inbound" for each in security_rules.values())
    assert rules(resources, "api-server")["allow-itself"]["sourceAddressPrefix"] == "10.0.80.0/20"


def test_connected_networks_reach_the_api_and_the_stores_by_a_setting(programs: dict[str, Resources]) -> None:
    for use, ports in (("api-server", ["443"]), ("endpoints", ["443", "5432"])):
        rule = rules(programs["connected"], use)["allow-clients"]
        assert rule["sourceAddressPrefixes"] == ["10.99.0.0/16", "10.98.0.0/16"]
        assert "sourceAddressPrefix" not in rule
        assert rule["destinationPortRanges"] == ports


def test_names_of_azures_services_lead_to_endpoints(resources: Resources) -> None:
    domains = {each["inputs"]["privateZoneName"] for each in of(resources, ZONE).values()}

    assert domains == {
        "privatelink.blob.core.windows.net",
        "privatelink.postgres.database.azure.com",
        "privatelink.azurecr.io",
        "privatelink.vaultcore.azure.net",
    }
    for each in of(resources, LINK).values():
        link = each["inputs"]
        assert link["virtualNetwork"]["id"].endswith("/virtualNetworks/fraud-prod-main")
        assert link["registrationEnabled"] is False
        assert link["resolutionPolicy"] == "NxDomainRedirect", "another owner's store has no record in this zone"


def test_an_endpoint_waits_for_its_subnet_and_has_a_name(resources: Resources) -> None:
    endpoint = inputs(resources, ENDPOINT, "fraud-prod-main-secrets")
    zone = f"{IN_GROUP}/Microsoft.Network/privateDnsZones/privatelink.vaultcore.azure.net"

    assert endpoint["subnet"]["id"].endswith("/virtualNetworks/fraud-prod-main/subnets/endpoints")
    assert inputs(resources, NAMES, "fraud-prod-main-secrets")["privateDnsZoneConfigs"] == [
        {"name": "vault", "privateDnsZoneId": zone}
    ]
    assert {f"{LINK} fraud-prod-main-vault", f"{SUBNET} fraud-prod-main-api-server"} <= needs(
        resources, ENDPOINT, "fraud-prod-main-secrets"
    )


def test_an_adopted_network_is_left_as_it_is(programs: dict[str, Resources]) -> None:
    resources = programs["adopted"]
    network = f"{SHARED}/providers/Microsoft.Network/virtualNetworks/shared"

    assert not any(of(resources, kind) for kind in (VNET, SUBNET, RULES, NAT))
    assert inputs(resources, ENDPOINT, "fraud-prod-main-secrets")["subnet"]["id"] == f"{network}/subnets/links"
    assert {each["inputs"]["virtualNetwork"]["id"] for each in of(resources, LINK).values()} == {network}


def test_zones_of_the_owner_are_used_where_there_are_any(programs: dict[str, Resources]) -> None:
    resources = programs["with zones"]
    zone = f"{HUB}/providers/Microsoft.Network/privateDnsZones/privatelink.vaultcore.azure.net"

    assert not of(resources, ZONE)
    assert inputs(resources, NAMES, "fraud-prod-main-secrets")["privateDnsZoneConfigs"][0]["privateDnsZoneId"] == zone


def test_connected_networks_of_another_form_are_refused() -> None:
    with (
        configured(apiClients='["10.99.0.1/16"]'),
        pytest.raises(pulumi.RunError, match=r"the setting apiClients has CIDR blocks such as 10.99.0.0/16"),
    ):
        api_rules("10.0.0.0/18", "10.0.80.0/20")


def test_everything_belongs_to_the_subscription(programs: dict[str, Resources]) -> None:
    assert not any(elsewhere(each) for each in programs.values())


def test_networks_for_private_endpoints_are_in_the_subscription_of_the_group() -> None:
    """The compiler cannot compare them if the spec names no subscription."""
    group = cast("ResourceGroup", SimpleNamespace(subscription=SUBSCRIPTION))

    assert ResourceGroup.own(group, SHARED) == SHARED
    with pytest.raises(pulumi.RunError, match="is in subscription 0, but private endpoints are created in"):
        ResourceGroup.own(group, HUB)
