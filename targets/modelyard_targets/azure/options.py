"""The Azure-only fields of a target: account (a subscription), tenant, resource group and network."""

from __future__ import annotations

from ipaddress import IPv4Network, ip_network
from typing import Final

from modelyard.nodes import Node, mapping, text
from modelyard.records import record
from modelyard.spec import Network, Options, TargetSpec
from modelyard_targets.cloud.existing import network_of

_CIDR: Final = "10.0.0.0/16"

PODS: Final = "100.64.0.0/11"
SERVICES: Final = "100.96.0.0/16"
OVERLAY: Final = "100.64.0.0/10"
"""Addresses of Pods and Services in an adopted network, whose own range has no room for them.

They exist only inside the cluster: Pods use their node's address for outgoing connections
(learn.microsoft.com/azure/aks, "Azure CNI Overlay", read 2026-11-25). Each node takes 256 addresses, so the range is
enough for more than the 5,000 nodes that a cluster may have.
"""

_LARGEST_SERVICES: Final = 16
"""The range of Services, with 65,536 addresses. A larger range would only waste addresses."""


@record
class Vpc:
    """A virtual network, either existing with its subnets, or new with an address range and outbound route."""

    adopt: str = ""  # resource ID
    subnet: str = ""  # node subnet of an adopted network
    endpoints: str = ""  # its subnet for private endpoints
    api_server: str = ""  # its subnet for the cluster's API server
    cidr: str = _CIDR  # range of the whole network, or of the adopted subnets
    outbound: str = ""  # nat routes; only for an adopted network
    dns_group: str = ""  # resource ID of the group with its private DNS zones
    nat: str = ""  # none one per-zone; only for a new network


@record
class Ranges:
    """The ranges a new network is divided into, in address order. Half is for Pods and a quarter for nodes."""

    nodes: str
    endpoints: str
    api: str
    services: str
    pods: str


@record
class Cluster:
    """Azure-only settings for an adopted cluster. `adopt` is empty if the cluster isn't adopted."""

    adopt: str = ""
    resource_group: str = ""
    endpoints: str = ""  # resource ID of a subnet; by default the nodes' subnet
    dns_group: str = ""  # resource ID of the group with the network's private DNS zones


@record
class AzureOptions(Options):
    """The fields that `provider: azure` adds to a target.

    `vpc` is also the network of an adopted cluster, in which case its range is "" if not set in the spec.
    """

    account: str = ""  # subscription ID
    tenant: str = ""
    resource_group: str = ""  # an existing group
    vpc: Vpc = Vpc()
    cluster: Cluster = Cluster()

    @property
    def group(self) -> tuple[str, str]:
        """Return the subscription and the existing resource group, each "" if not set in the spec."""
        return self.account, self.resource_group

    @property
    def network(self) -> Network | None:
        """Return the virtual network."""
        return network_of(self.vpc.cidr, self.vpc.adopt, self.cluster.adopt)

    @property
    def derived(self) -> tuple[str, ...]:
        """Return the VPC if it is an adopted cluster's network."""
        return ("vpc",) if self.cluster.adopt else ()


def resolve_options(node: Node, is_enterprise: bool) -> AzureOptions:
    """Parse the options of a valid target."""
    adopted = mapping(node, "cluster")
    cluster = Cluster(
        text(adopted, "adopt"), text(adopted, "resourceGroup"), text(adopted, "endpoints"), text(adopted, "dnsGroup")
    )
    return AzureOptions(
        account=text(node, "account"),
        tenant=text(node, "tenant"),
        resource_group=text(node, "resourceGroup"),
        vpc=Vpc(cluster.adopt, cidr=text(adopted, "cidr")) if cluster.adopt else _vpc(mapping(node, "vpc")),
        cluster=cluster,
    )


def _vpc(node: Node) -> Vpc:
    """Parse the network. The NAT gateway serves all zones of a region, so `one` and `per-zone` are equivalent."""
    adopt = text(node, "adopt")
    return Vpc(
        adopt=adopt,
        subnet=text(node, "subnet"),
        endpoints=text(node, "endpoints"),
        api_server=text(node, "apiServer"),
        cidr=text(node, "cidr", _CIDR),
        outbound=text(node, "outbound", "nat") if adopt else "",
        dns_group=text(node, "dnsGroup"),
        nat="" if adopt else text(node, "nat", "one"),
    )


def options_of(target: TargetSpec) -> AzureOptions:
    """Return the options of an Azure target."""
    assert isinstance(target.options, AzureOptions)
    return target.options


def account_of(target: TargetSpec) -> str:
    """Return the subscription of an Azure target, or "" if the spec doesn't set one."""
    return options_of(target).account


def vpc_of(target: TargetSpec) -> Vpc:
    """Return the network of an Azure target."""
    return options_of(target).vpc


def has_nat(target: TargetSpec) -> bool:
    """Return whether modelyard creates the network with a NAT gateway for outgoing traffic."""
    return not vpc_of(target).adopt


def ranges_of(target: TargetSpec) -> Ranges:
    """Divide the range of a new network, which the checks require to be divisible. Adopted networks are kept whole."""
    vpc = vpc_of(target)
    if vpc.adopt or not is_divisible(vpc.cidr):
        return Ranges(vpc.cidr, vpc.cidr, vpc.cidr, SERVICES, PODS)
    lower, pods = IPv4Network(vpc.cidr).subnets()
    nodes, rest = lower.subnets()
    network, services = rest.subnets()
    endpoints, api = network.subnets()
    if services.prefixlen < _LARGEST_SERVICES:
        services = next(services.subnets(new_prefix=_LARGEST_SERVICES))
    return Ranges(str(nodes), str(endpoints), str(api), str(services), str(pods))


def is_divisible(cidr: str) -> bool:
    """Return whether `ranges_of` can divide a range. Invalid ranges are reported elsewhere."""
    try:
        network = ip_network(cidr)
    except ValueError:
        return False
    return isinstance(network, IPv4Network) and network.prefixlen <= 24
