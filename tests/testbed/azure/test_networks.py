"""Tests networks, private endpoints and private DNS zones in the Azure stand-in."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.clouds.azure.network import ENDPOINT, LINK, RULES, SUBNET, ZONE
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.values import Values
from tests.testbed.azure.world import HERE, IN_GROUP, World, a_network, a_vault, subnet_inputs


@pytest.fixture
def network(world: World) -> dict[str, Values]:
    return a_network(world)


def _endpoint(network: dict[str, Values], target: str, part: str) -> dict[str, Any]:
    connection = {"name": part, "privateLinkServiceId": target, "groupIds": [part]}
    return {**HERE, "subnet": {"id": network["nodes"]["id"]}, "privateLinkServiceConnections": [connection]}


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("10.1.0.0/24", "outside the IP address range of virtual network 'net'"),
        ("10.0.64.0/24", "overlaps with that of an existing subnet in virtual network 'net'"),
    ],
)
def test_ranges_of_subnets(world: World, network: dict[str, Values], block: str, message: str) -> None:
    with pytest.raises(Refused, match=message):
        world.make("more", SUBNET, **subnet_inputs("more", block, network["gateway"]["id"]))


def test_a_network_changes_in_one_place_at_a_time(world: World, network: dict[str, Values]) -> None:
    world.lifecycle.api("").store.put("under way", f"{network['net']['id']}", {})

    with pytest.raises(Refused, match="Another operation on this or dependent resource is in progress"):
        world.make("more", SUBNET, **subnet_inputs("more", "10.0.80.0/24", network["gateway"]["id"]))


def test_what_is_used_cannot_be_deleted(world: World, network: dict[str, Values]) -> None:
    vault = a_vault(world)
    world.make("endpoint", ENDPOINT, **_endpoint(network, vault["id"], "vault"))

    with pytest.raises(Refused, match=r"PublicIPAddressCannotBeDeleted.*can not be deleted since it is"):
        world.remove("address")
    with pytest.raises(Refused, match="CannotDeleteNatGatewayAssociatedToSubnet"):
        world.remove("gateway")
    with pytest.raises(Refused, match=r"Subnet nodes is in use by .*/privateEndpoints/.* and cannot be deleted"):
        world.remove("nodes")
    with pytest.raises(Refused, match="InUseSubnetCannotBeDeleted"):
        world.remove("net")
    with pytest.raises(Refused, match=r"IpPrefix 10.0.0.0/18 on Subnet nodes has active allocations"):
        world.change("nodes", addressPrefix="10.0.0.0/19")
    for name in ("endpoint", "nodes", "api-server", "gateway", "address", "net"):
        world.remove(name)


def test_targets_of_endpoints(world: World, network: dict[str, Values]) -> None:
    vault = a_vault(world)
    with pytest.raises(Refused, match=r"groupId \['blob'\] is not supported"):
        world.make("endpoint", ENDPOINT, **_endpoint(network, vault["id"], "blob"))
    with pytest.raises(Refused, match="ResourceNotFound"):
        world.make("endpoint", ENDPOINT, **_endpoint(network, f"{vault['id']}2", "vault"))
    world.make("endpoint", ENDPOINT, **_endpoint(network, vault["id"], "vault"))
    assert world.replaced_by("endpoint", subnet={"id": network["api-server"]["id"]}) == ["subnet.id"]
    with pytest.raises(Refused, match="Changing property 'privateLinkServiceConnections' is not allowed"):
        world.change("endpoint", privateLinkServiceConnections=[])


def test_rules(world: World) -> None:
    rule = {
        "name": "a",
        "priority": 100,
        "access": "Allow",
        "direction": "Inbound",
        "protocol": "Tcp",
        "sourceAddressPrefix": "10.0.0.0/8",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": "443",
    }
    world.make("rules", RULES, **HERE, securityRules=[rule])
    with pytest.raises(Refused, match="SecurityRuleConflict"):
        world.change("rules", securityRules=[rule, {**rule, "name": "b"}])
    with pytest.raises(Refused, match="one of sourceAddressPrefix and sourceAddressPrefixes"):
        world.change("rules", securityRules=[{**rule, "sourceAddressPrefixes": ["10.0.0.0/8"]}])


def test_zones(world: World, network: dict[str, Values]) -> None:
    name = "privatelink.vaultcore.azure.net"
    world.make("zone", ZONE, **IN_GROUP, privateZoneName=name, location="Global")
    link = {
        **IN_GROUP,
        "privateZoneName": name,
        "location": "Global",
        "virtualNetwork": {"id": network["net"]["id"]},
        "registrationEnabled": False,
    }
    world.make("link", LINK, **link, virtualNetworkLinkName="first")
    with pytest.raises(Refused, match="cannot be linked to multiple zones with overlapping namespaces"):
        world.make("second", LINK, **link, virtualNetworkLinkName="second")
    with pytest.raises(Refused, match="Can not delete resource before nested resources are deleted"):
        world.remove("zone")
    world.remove("link")
    world.remove("zone")
