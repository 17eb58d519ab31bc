"""The fields that only Azure targets have: account (a subscription), tenant, resource group and network."""

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

They exist in the cluster alone: Pods call the outside by their node's address (learn.microsoft.com/azure/aks, "Azure
CNI Overlay", read 2026-11-25). Each node takes 256, so the range holds more than the 5,000 nodes of a cluster.
"""

_LARGEST_SERVICES: Final = 16
"""Addresses for 65,536 Services: a larger range would only take them from others."""


@record
class Vpc:
    """A virtual network: an existing one with its subnets, or the address range and way out of a new one."""

    adopt: str = ""  # resource id
    subnet: str = ""  # of an adopted network, for nodes
    endpoints: str = ""  # its subnet for private endpoints
    api_server: str = ""  # its subnet for the API of the cluster
    cidr: str = _CIDR  # of the whole network, or of the adopted subnets
    outbound: str = ""  # nat routes; of an adopted network
    dns_group: str = ""  # resource id of the group with its private DNS zones
    nat: str = ""  # none one per-zone; of a new network


@record
class Ranges:
    """The parts of a network, in the order of their addresses: half of it is for Pods and a quarter for nodes."""

    nodes: str
    endpoints: str
    api: str
    services: str
    pods: str


@record
class Cluster:
    """What only Azure needs to know of a cluster that a target adopts. Without one, `adopt` is empty."""

    adopt: str = ""
    resource_group: str = ""
    endpoints: str = ""  # resource id of a subnet; by default that of the nodes
    dns_group: str = ""  # resource id of the group with the network's private DNS zones


@record
class AzureOptions(Options):
    """The fields that `provider: azure` adds to a target.

    `vpc` is the network of an adopted cluster too. Its range is then "" if the spec does not have it.
    """

    account: str = ""  # subscription ID
    tenant: str = ""
    resource_group: str = ""  # an existing one
    vpc: Vpc = Vpc()
    cluster: Cluster = Cluster()

    @property
    def group(self) -> tuple[str, str]:
        """Return the subscription and the existing resource group, as far as the spec names them."""
        return self.account, self.resource_group

    @property
    def network(self) -> Network | None:
        """Return the virtual network."""
        return network_of(self.vpc.cidr, self.vpc.adopt, self.cluster.adopt)


def resolve_options(node: Node, is_enterprise: bool) -> AzureOptions:
    """Parse the options of a target that passed validation."""
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
    """Parse the network. The NAT gateway serves all zones of a region, so that `one` and `per-zone` mean the same."""
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
    """Return the subscription of an Azure target, or "" if the spec does not name it."""
    return options_of(target).account


def vpc_of(target: TargetSpec) -> Vpc:
    """Return the network of an Azure target."""
    return options_of(target).vpc


def has_nat(target: TargetSpec) -> bool:
    """Return whether the network is created here, with a NAT gateway as its way out."""
    return not vpc_of(target).adopt


def ranges_of(target: TargetSpec) -> Ranges:
    """Divide the range of a new network, which the check requires to be divisible. An adopted one is not divided."""
    vpc = vpc_of(target)
    if vpc.adopt or not is_divisible(vpc.cidr):
        return Ranges(vpc.cidr, vpc.cidr, vpc.cidr, SERVICES, PODS)
    lower, pods = IPv4Network(vpc.cidr).subnets()
    nodes, others = lower.subnets()
    network, services = others.subnets()
    endpoints, api = network.subnets()
    if services.prefixlen < _LARGEST_SERVICES:
        services = next(services.subnets(new_prefix=_LARGEST_SERVICES))
    return Ranges(str(nodes), str(endpoints), str(api), str(services), str(pods))


def is_divisible(cidr: str) -> bool:
    """Return whether `ranges_of` can divide a range; an invalid one is reported elsewhere."""
    try:
        network = ip_network(cidr)
    except ValueError:
        return False
    return isinstance(network, IPv4Network) and network.prefixlen <= 24
