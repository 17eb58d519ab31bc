"""The fields of a target that only AWS has, as a record: the account, and the network."""

from __future__ import annotations

from modelyard.nodes import Node, mapping, text, texts
from modelyard.records import record
from modelyard.spec import Network, Options, TargetSpec


@record
class Vpc:
    """A network of AWS: an existing one with its private subnets, or the range and the way out of the one made here."""

    adopt: str = ""  # its id
    subnets: tuple[str, ...] = ()  # ids, of an adopted one
    cidr: str = "10.0.0.0/16"
    nat: str = ""  # none one per-zone; of one that is made


@record
class AwsOptions(Options):
    """What `provider: aws` adds to a target."""

    account: str = ""  # twelve digits
    vpc: Vpc = Vpc()

    @property
    def network(self) -> Network:
        """The VPC."""
        return Network(self.vpc.cidr, ("vpc", "cidr"), "vpc: {cidr: 10.1.0.0/16}", self.vpc.adopt)


def resolve_options(node: Node, is_enterprise: bool) -> AwsOptions:
    """The options of a target whose fields are valid."""
    return AwsOptions(text(node, "account"), _vpc(mapping(node, "vpc"), is_enterprise))


def _vpc(node: Node, is_enterprise: bool) -> Vpc:
    """A network; of one that is made here, an enterprise survives the loss of a zone."""
    adopt = text(node, "adopt")
    usual = "per-zone" if is_enterprise else "one"
    return Vpc(
        adopt=adopt,
        subnets=texts(node, "subnets"),
        cidr=text(node, "cidr", "10.0.0.0/16"),
        nat="" if adopt else text(node, "nat", usual),
    )


def options_of(target: TargetSpec) -> AwsOptions:
    """The options of a target on AWS."""
    assert isinstance(target.options, AwsOptions)
    return target.options


def vpc_of(target: TargetSpec) -> Vpc:
    """The network of a target on AWS."""
    return options_of(target).vpc
