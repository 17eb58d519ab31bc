"""The AWS-only fields of a target: account and network."""

from __future__ import annotations

from modelyard.nodes import Node, mapping, text, texts
from modelyard.records import record
from modelyard.spec import Network, Options, TargetSpec


@record
class Vpc:
    """An existing VPC with its private subnets, or the CIDR range and NAT setup of a new VPC."""

    adopt: str = ""  # VPC ID
    subnets: tuple[str, ...] = ()  # subnet IDs of an adopted VPC
    cidr: str = "10.0.0.0/16"
    nat: str = ""  # none, one or per-zone; only for a new VPC


@record
class AwsOptions(Options):
    """The fields that `provider: aws` adds to a target."""

    account: str = ""  # twelve digits
    vpc: Vpc = Vpc()

    @property
    def network(self) -> Network:
        """Return the VPC as a network."""
        return Network(self.vpc.cidr, ("vpc", "cidr"), "vpc: {cidr: 10.1.0.0/16}", self.vpc.adopt)


def resolve_options(node: Node, is_enterprise: bool) -> AwsOptions:
    """Parse the options of a valid target."""
    return AwsOptions(text(node, "account"), _vpc(mapping(node, "vpc"), is_enterprise))


def _vpc(node: Node, is_enterprise: bool) -> Vpc:
    """Parse the VPC. For an enterprise, a new VPC has NAT in each zone by default, to survive a zone failure."""
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


def vpc_of(target: TargetSpec) -> Vpc:
    """Return the VPC of an AWS target."""
    return options_of(target).vpc
