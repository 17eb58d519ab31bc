"""The fields of a target that only Google Cloud has, as a record: project, billing account and network."""

from __future__ import annotations

from ipaddress import IPv4Network, ip_network
from typing import Final

from modelyard.nodes import Node, mapping, text
from modelyard.records import record
from modelyard.spec import Network, Options, TargetSpec

_CIDR: Final = "10.0.0.0/16"
_LARGEST_SERVICES: Final = 16
"""Addresses for 65,536 Services: a larger range would only take them from others."""


@record
class Vpc:
    """A VPC network: an existing one with its subnet, or the address range and way out of a new one."""

    adopt: str = ""  # name of the network, or its path if it belongs to another project
    subnet: str = ""  # of an adopted network, for nodes
    pods: str = ""  # name of the adopted subnet's secondary range for Pods
    services: str = ""  # name of its secondary range for Services
    cidr: str = _CIDR  # of the whole network, or of the adopted subnet
    nat: str = ""  # none one per-zone; of a new network


@record
class Ranges:
    """The parts of a new network: half of it is for Pods, a quarter for nodes, an eighth for Services."""

    nodes: str
    pods: str
    services: str


@record
class GcpOptions(Options):
    """The fields that `provider: gcp` adds to a target."""

    project: str = ""  # project ID
    billing_account: str = ""
    vpc: Vpc = Vpc()

    @property
    def identities(self) -> str:
        """Return the project, in which IAM knows workloads of all clusters; "" if the spec does not name it."""
        return self.project

    @property
    def network(self) -> Network:
        """Return the VPC network."""
        return Network(self.vpc.cidr, ("vpc", "cidr"), "vpc: {cidr: 10.1.0.0/16}", self.vpc.adopt)


def resolve_options(node: Node, is_enterprise: bool) -> GcpOptions:
    """Parse the options of a target that passed validation."""
    return GcpOptions(text(node, "project"), text(node, "billingAccount"), _vpc(mapping(node, "vpc")))


def _vpc(node: Node) -> Vpc:
    """Parse the network. Cloud NAT serves all zones of a region, so that `one` and `per-zone` mean the same."""
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


def vpc_of(target: TargetSpec) -> Vpc:
    """Return the network of a Google Cloud target."""
    return options_of(target).vpc


def subnetwork_of(target: TargetSpec) -> str:
    """Return an adopted subnet: its name, or its path in the host project that its network belongs to.

    Google looks up a name in the project of the cluster alone.
    """
    vpc = vpc_of(target)
    if "/" not in vpc.adopt:
        return vpc.subnet
    host = vpc.adopt.split("/")[1]
    return f"projects/{host}/regions/{target.region}/subnetworks/{vpc.subnet}"


def has_nat(target: TargetSpec) -> bool:
    """Return whether a network created here has a way out to the internet."""
    vpc = vpc_of(target)
    return not vpc.adopt and vpc.nat != "none"


def ranges_of(vpc: Vpc) -> Ranges:
    """Divide the range of a new network; the check has already refused ranges that cannot be divided."""
    whole = IPv4Network(vpc.cidr)
    lower, pods = whole.subnets()
    nodes, rest = lower.subnets()
    services = next(rest.subnets(new_prefix=max(rest.prefixlen + 1, _LARGEST_SERVICES)))
    return Ranges(str(nodes), str(pods), str(services))


def is_divisible(cidr: str) -> bool:
    """Return whether `ranges_of` can divide a range; an invalid one is reported elsewhere."""
    try:
        network = ip_network(cidr)
    except ValueError:
        return False
    return isinstance(network, IPv4Network) and network.prefixlen <= 29


def nodes_cidr(target: TargetSpec) -> str:
    """Return the range of nodes, which also holds the control plane's and databases' private addresses."""
    vpc = vpc_of(target)
    return vpc.cidr if vpc.adopt else ranges_of(vpc).nodes
