"""The Google Cloud-only fields of a target: account (project), billing account and network."""

from __future__ import annotations

from ipaddress import IPv4Network, ip_network
from typing import Final

from modelyard.nodes import Node, mapping, text
from modelyard.records import record
from modelyard.spec import Network, Options, TargetSpec
from modelyard_targets.cloud.existing import network_of

_CIDR: Final = "10.0.0.0/16"
_LARGEST_SERVICES: Final = 16
"""The prefix length for 65,536 Services. A larger range would only take addresses from the other ranges."""


@record
class Vpc:
    """An existing VPC network with its subnet, or the address range and NAT setup of a new network."""

    adopt: str = ""  # name of the network, or its path if it belongs to another project
    subnet: str = ""  # the adopted network's subnet for nodes
    pods: str = ""  # name of the adopted subnet's secondary range for Pods
    services: str = ""  # name of the adopted subnet's secondary range for Services
    cidr: str = _CIDR  # range of a new network or of the adopted subnet
    nat: str = ""  # none, one or per-zone; only for a new network


@record
class Ranges:
    """The ranges that a new network is divided into: half for Pods, a quarter for nodes, an eighth for Services."""

    nodes: str
    pods: str
    services: str


@record
class Cluster:
    """Google Cloud-only settings for an adopted cluster. `adopt` is empty if the cluster isn't adopted."""

    adopt: str = ""
    location: str = ""  # the zone of a zonal cluster


@record
class GcpOptions(Options):
    """The fields that `provider: gcp` adds to a target.

    `vpc` is also the network of an adopted cluster, in which case its range is "" if not set in the spec.
    """

    account: str = ""  # project ID
    billing_account: str = ""
    vpc: Vpc = Vpc()
    cluster: Cluster = Cluster()

    @property
    def identities(self) -> str:
        """Return the project whose clusters share workload identities, or "" if the spec doesn't set one."""
        return self.account

    @property
    def network(self) -> Network | None:
        """Return the VPC network."""
        return network_of(self.vpc.cidr, self.vpc.adopt, self.cluster.adopt)

    @property
    def derived(self) -> tuple[str, ...]:
        """Return the VPC if it is an adopted cluster's network."""
        return ("vpc",) if self.cluster.adopt else ()


def resolve_options(node: Node, is_enterprise: bool) -> GcpOptions:
    """Parse the options of a valid target."""
    adopted = mapping(node, "cluster")
    cluster = Cluster(text(adopted, "adopt"), text(adopted, "location"))
    vpc = Vpc(cluster.adopt, cidr=text(adopted, "cidr")) if cluster.adopt else _vpc(mapping(node, "vpc"))
    return GcpOptions(text(node, "account"), text(node, "billingAccount"), vpc, cluster)


def _vpc(node: Node) -> Vpc:
    """Parse the network. Cloud NAT serves all zones of a region, so `one` and `per-zone` are equivalent."""
    adopt = text(node, "adopt")
    return Vpc(
        adopt=adopt,
        subnet=text(node, "subnet"),
        pods=text(node, "pods"),
        services=text(node, "services"),
        cidr=text(node, "cidr", _CIDR),
        nat="" if adopt else text(node, "nat", "one"),
    )


def options_of(target: TargetSpec) -> GcpOptions:
    """Return the options of a Google Cloud target."""
    assert isinstance(target.options, GcpOptions)
    return target.options


def account_of(target: TargetSpec) -> str:
    """Return the project of a Google Cloud target, or "" if the spec doesn't set one."""
    return options_of(target).account


def vpc_of(target: TargetSpec) -> Vpc:
    """Return the network of a Google Cloud target."""
    return options_of(target).vpc


def subnetwork_of(target: TargetSpec) -> str:
    """Return an adopted subnet's name, or its full path if its network is in another project.

    Google only looks up names in the cluster's project.
    """
    vpc = vpc_of(target)
    if "/" not in vpc.adopt:
        return vpc.subnet
    host = vpc.adopt.split("/")[1]
    return f"projects/{host}/regions/{target.region}/subnetworks/{vpc.subnet}"


def has_nat(target: TargetSpec) -> bool:
    """Return whether modelyard creates the network with internet access."""
    vpc = vpc_of(target)
    return not vpc.adopt and vpc.nat != "none"


def ranges_of(vpc: Vpc) -> Ranges:
    """Divide the range of a new network. Indivisible ranges have already been rejected."""
    network = IPv4Network(vpc.cidr)
    lower, pods = network.subnets()
    nodes, rest = lower.subnets()
    services = next(rest.subnets(new_prefix=max(rest.prefixlen + 1, _LARGEST_SERVICES)))
    return Ranges(str(nodes), str(pods), str(services))


def is_divisible(cidr: str) -> bool:
    """Return whether `ranges_of` can divide a range. Invalid ranges are reported elsewhere."""
    try:
        network = ip_network(cidr)
    except ValueError:
        return False
    return isinstance(network, IPv4Network) and network.prefixlen <= 29


def nodes_cidr(target: TargetSpec) -> str:
    """Return the address range for nodes, the control plane's private endpoint and databases."""
    vpc = vpc_of(target)
    return vpc.cidr if vpc.adopt else ranges_of(vpc).nodes
