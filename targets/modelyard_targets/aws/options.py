"""The AWS-only fields of a target: account and network."""

from __future__ import annotations

from modelyard.nodes import Node, mapping, text, texts
from modelyard.records import record
from modelyard.spec import Network, Options, TargetSpec
from modelyard_targets.cloud.existing import network_of


@record
class Vpc:
    """An existing VPC with its private subnets, or the CIDR range and NAT setup of a new VPC."""

    adopt: str = ""  # VPC ID
    subnets: tuple[str, ...] = ()  # subnet IDs of an adopted VPC
    cidr: str = "10.0.0.0/16"
    nat: str = ""  # none, one or per-zone; only for a new VPC


@record
class Cluster:
    """AWS-only settings for an adopted cluster. `adopt` is empty if the cluster isn't adopted."""

    adopt: str = ""
    identity_agent: str = "present"  # present install


@record
class AwsOptions(Options):
    """The fields that `provider: aws` adds to a target.

    `vpc` is also the network of an adopted cluster, in which case its range is "" if not set in the spec.
    """

    account: str = ""  # twelve digits
    vpc: Vpc = Vpc()
    cluster: Cluster = Cluster()

    @property
    def network(self) -> Network | None:
        """Return the VPC as a network."""
        return network_of(self.vpc.cidr, self.vpc.adopt, self.cluster.adopt)

    @property
    def derived(self) -> tuple[str, ...]:
        """Return the VPC if it is an adopted cluster's network."""
        return ("vpc",) if self.cluster.adopt else ()


def resolve_options(node: Node, is_enterprise: bool) -> AwsOptions:
    """Parse the options of a valid target."""
    cluster = _cluster(mapping(node, "cluster"))
    cidr = text(mapping(node, "cluster"), "cidr")
    vpc = Vpc(cluster.adopt, cidr=cidr) if cluster.adopt else _vpc(mapping(node, "vpc"), is_enterprise)
    return AwsOptions(text(node, "account"), vpc, cluster)


def _cluster(node: Node) -> Cluster:
    return Cluster(text(node, "adopt"), text(node, "identityAgent", "present"))


def _vpc(node: Node, is_enterprise: bool) -> Vpc:
    """Parse the VPC. For an enterprise, a new VPC has NAT in each zone by default, to survive a zone outage."""
    adopt = text(node, "adopt")
    usual = "per-zone" if is_enterprise else "one"
    return Vpc(
        adopt=adopt,
        subnets=texts(node, "subnets"),
        cidr=text(node, "cidr", "10.0.0.0/16"),
        nat="" if adopt else text(node, "nat", usual),
    )


def options_of(target: TargetSpec) -> AwsOptions:
    """Return the options of an AWS target."""
    assert isinstance(target.options, AwsOptions)
    return target.options


def account_of(target: TargetSpec) -> str:
    """Return the account of an AWS target, or "" if the spec does not name it."""
    return options_of(target).account


def vpc_of(target: TargetSpec) -> Vpc:
    """Return the VPC of an AWS target."""
    return options_of(target).vpc
