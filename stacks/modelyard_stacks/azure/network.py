"""A target's network, either new or existing."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Literal, NamedTuple, TypeAlias

import pulumi
from pulumi_azure_native import network as networks

from .firewall import api_rules, endpoint_rules
from .group import ResourceGroup, protected
from .zones import adopted_zones, private_zones

Outbound: TypeAlias = Literal["nat", "routes"]

_LARGEST, _SMALLEST = 8, 20
_LARGEST_SERVICES = 16
"""Addresses for 65,536 Services; AKS accepts no block above /12."""

_OF_API_SERVER = "Microsoft.ContainerService/managedClusters"


class Blocks(NamedTuple):
    """The parts of a network's CIDR block. The first three form the virtual network, the others are cluster-only."""

    nodes: str
    endpoints: str
    api_server: str
    services: str
    pods: str

    @property
    def of_virtual_network(self) -> list[str]:
        """Return the blocks of the virtual network, one for nodes and one for both endpoints and the API server."""
        return [self.nodes, str(IPv4Network(self.endpoints).supernet())]


class AdoptedNetwork:
    """An existing network, whose owner manages its routes, security groups and flow logs.

    `network` is the ID of a virtual network. `nodes`, `endpoints` and `api_server` are the names of its subnets, the
    last of which is delegated to AKS. Nodes reach the internet through their subnet's NAT gateway or routes.
    `dns_group` is the ID of the resource group with the owner's private DNS zones. Without it, zones are created and
    linked.
    """

    def __init__(
        self,
        name: str,
        *,
        group: ResourceGroup,
        network: str,
        nodes: str,
        endpoints: str,
        api_server: str,
        cidr: str,
        endpoints_cidr: str,
        api_cidr: str,
        pods_cidr: str,
        services_cidr: str,
        outbound: Outbound = "nat",
        dns_group: str = "",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        self.title = name
        self.cidr = cidr
        self.endpoints_cidr = self.storage_ranges = endpoints_cidr
        self.api_cidr = api_cidr
        self.pods_cidr, self.services_cidr = pods_cidr, services_cidr
        self.outbound: Outbound = outbound
        self.network_id = pulumi.Output.from_input(group.own(network))
        self.nodes_id, self.endpoints_id, self.api_server_id = (
            pulumi.Output.from_input(f"{network}/subnets/{subnet}") for subnet in (nodes, endpoints, api_server)
        )
        self.nat_id: pulumi.Output[str] | None = None
        self.ready: tuple[pulumi.Resource, ...] = ()
        if dns_group:
            self.zones = adopted_zones(dns_group)
        else:
            within = pulumi.ResourceOptions.merge(group.options(opts), pulumi.ResourceOptions(parent=group))
            self.zones, links = private_zones(name, group=group, network_id=network, opts=within)
            self.ready = tuple(links)


class Network(pulumi.ComponentResource):
    """A virtual network with one subnet each for nodes, private endpoints and the API server.

    Nothing outside can connect to it. Nodes reach the internet through a NAT gateway, which AKS and Entra ID require.
    Azure's stores, vaults, databases and registries are reached at private endpoints, which their names resolve to via
    private DNS zones. Only nodes, and the networks in the stack setting `apiClients`, can reach these endpoints and the
    API server.

    `cidr` is split: the first quarter for nodes, a sixteenth each for endpoints and the API server, an eighth for
    Services, and the upper half for Pods. Machines must wait for `ready` before they can reach anything.
    """

    network_id: pulumi.Output[str]
    nodes_id: pulumi.Output[str]
    endpoints_id: pulumi.Output[str]
    api_server_id: pulumi.Output[str]
    nat_id: pulumi.Output[str] | None
    outbound: Outbound
    cidr: str
    endpoints_cidr: str
    api_cidr: str
    pods_cidr: str
    services_cidr: str
    storage_ranges: str
    ready: tuple[pulumi.Resource, ...]

    def __init__(
        self, name: str, *, group: ResourceGroup, cidr: str = "10.0.0.0/16", opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("modelyard:azure:Network", name, None, group.options(opts))
        blocks = split(cidr)
        self.title, self.cidr, self.outbound = name, cidr, "nat"
        self.endpoints_cidr = self.storage_ranges = blocks.endpoints
        self.api_cidr, self.pods_cidr, self.services_cidr = blocks.api_server, blocks.pods, blocks.services
        self._group = group
        self._child = pulumi.ResourceOptions(parent=self)
        # AKS, endpoints and the API server cannot move to another network
        self._lasting = pulumi.ResourceOptions(parent=self, protect=protected())
        network = self._virtual_network(blocks)
        gateway = self._nat()
        self.network_id, self.nat_id = network.id, gateway.id
        subnets = self._subnets(network, gateway, blocks)
        self.nodes_id, self.endpoints_id, self.api_server_id = (subnet.id for subnet in subnets)
        self.zones, links = private_zones(name, group=group, network_id=network.id, opts=self._child)
        self.ready = (*subnets, *links)
        self.register_outputs({"networkId": self.network_id})

    def _virtual_network(self, blocks: Blocks) -> networks.VirtualNetwork:
        return networks.VirtualNetwork(
            self.title,
            networks.VirtualNetworkInitArgs(
                resource_group_name=self._group.group,
                location=self._group.region_name,
                virtual_network_name=self.title,
                address_space=networks.AddressSpaceArgs(address_prefixes=blocks.of_virtual_network),
                tags=self._group.common_tags,
            ),
            self._lasting,
        )

    def _nat(self) -> networks.NatGateway:
        """Create a gateway in a zone chosen by Azure, as one for all zones would need a different kind of address."""
        address = networks.PublicIPAddress(
            self.title,
            networks.PublicIPAddressInitArgs(
                resource_group_name=self._group.group,
                location=self._group.region_name,
                sku=networks.PublicIPAddressSkuArgs(name="Standard"),
                public_ip_allocation_method="Static",
                public_ip_address_version="IPv4",
                tags=self._group.common_tags,
            ),
            self._child,
        )
        return networks.NatGateway(
            self.title,
            networks.NatGatewayInitArgs(
                resource_group_name=self._group.group,
                location=self._group.region_name,
                sku=networks.NatGatewaySkuArgs(name="Standard"),
                public_ip_addresses=[networks.SubResourceArgs(id=address.id)],
                tags=self._group.common_tags,
            ),
            self._child,
        )

    def _subnets(
        self, network: networks.VirtualNetwork, gateway: networks.NatGateway, blocks: Blocks
    ) -> tuple[networks.Subnet, networks.Subnet, networks.Subnet]:
        """Create the subnets in sequence, since Azure makes only one change to a network at a time."""
        nodes = self._subnet("nodes", network, blocks.nodes, gateway=gateway)
        endpoints = self._subnet("endpoints", network, blocks.endpoints, after=nodes)
        api_server = self._subnet("api-server", network, blocks.api_server, after=endpoints)
        return nodes, endpoints, api_server

    def _subnet(
        self,
        use: str,
        network: networks.VirtualNetwork,
        block: str,
        *,
        gateway: networks.NatGateway | None = None,
        after: networks.Subnet | None = None,
    ) -> networks.Subnet:
        delegation = networks.DelegationArgs(name="aks", service_name=_OF_API_SERVER)
        return networks.Subnet(
            f"{self.title}-{use}",
            networks.SubnetInitArgs(
                resource_group_name=self._group.group,
                virtual_network_name=network.name,
                subnet_name=use,
                address_prefix=block,
                # by default, machines without a gateway reach the internet through one of Azure's addresses
                default_outbound_access=False,
                # by default, rules do not apply to endpoints
                private_endpoint_network_policies="Enabled",
                nat_gateway=networks.SubResourceArgs(id=gateway.id) if gateway is not None else None,
                network_security_group=networks.NetworkSecurityGroupArgs(id=self._rules(use).id),
                delegations=[delegation] if use == "api-server" else [],
            ),
            pulumi.ResourceOptions.merge(
                self._lasting, pulumi.ResourceOptions(depends_on=[after] if after is not None else [])
            ),
        )

    def _rules(self, use: str) -> networks.NetworkSecurityGroup:
        """Create the rules for a subnet. For nodes, Azure's defaults already block the internet."""
        nodes = split(self.cidr).nodes
        rules = {"nodes": [], "endpoints": endpoint_rules(nodes), "api-server": api_rules(nodes, self.api_cidr)}
        return networks.NetworkSecurityGroup(
            f"{self.title}-{use}",
            networks.NetworkSecurityGroupInitArgs(
                resource_group_name=self._group.group,
                location=self._group.region_name,
                security_rules=rules[use],
                tags=self._group.common_tags,
            ),
            self._child,
        )


def split(cidr: str) -> Blocks:
    """Split a network's CIDR block. Raises RunError if the block is too large or too small."""
    network = IPv4Network(cidr)
    if not _LARGEST <= network.prefixlen <= _SMALLEST:
        raise pulumi.RunError(f"network {cidr}: the block must be between /{_LARGEST} and /{_SMALLEST}")
    lower, pods = network.subnets(prefixlen_diff=1)
    nodes, rest = lower.subnets(prefixlen_diff=1)
    virtual, other = rest.subnets(prefixlen_diff=1)
    endpoints, api_server = virtual.subnets(prefixlen_diff=1)
    services = next(other.subnets(new_prefix=max(other.prefixlen, _LARGEST_SERVICES)))
    return Blocks(*map(str, (nodes, endpoints, api_server, services, pods)))
