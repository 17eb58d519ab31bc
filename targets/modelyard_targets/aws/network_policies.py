"""What network policies open in AWS: addresses of the API and of AWS's services, and Pods of the cluster's own add-ons.

docs/decisions/0037-egress-on-aws.md has the reasons.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from modelyard.manifest import labels, metadata, object_of, without_empty
from modelyard.spec import target_path
from modelyard.stack import Value
from modelyard_targets.aws.foundation import endpoints_of
from modelyard_targets.aws.options import vpc_of
from modelyard_targets.kube.network.policies import ANYWHERE, COMPONENT, every_namespace, ports, reach_api
from modelyard_targets.kube.placement.context import Context, Made

IDENTITY_AGENTS: Final = ("169.254.170.23/32", "fd00:ec2::23/128")
"""EKS Pod Identity on every node (docs.aws.amazon.com/eks, "Set up the Amazon EKS Pod Identity Agent", 2026-11-24)."""

STORAGE_RANGES: Final = "s3_ranges"
"""The output of the infrastructure with the addresses of S3 in its region."""

_SERVICES: Final = ("10.100.0.0/16", "172.20.0.0/16")
"""EKS takes one of them for Services where none is asked for (docs.aws.amazon.com/eks, "CreateCluster", 2026-11-25)."""

_SYSTEM: Final = "kube-system"
_METRICS: Final = 9153
_DNS: Final[list[Value]] = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
_HTTPS: Final = 443


def api_addresses(context: Context) -> tuple[str, ...]:
    """The private endpoint in the network, and the Service that leads to it."""
    return (vpc_of(context.target).cidr, *_SERVICES)


def reach_services(*services: str) -> Callable[[Context], Iterable[Value]]:
    """Egress of a controller to services of AWS, and to the agent that hands out its role's credentials.

    By endpoints in the network where it has one for each; an adopted network may reach them either way.
    """

    def rules(context: Context) -> Iterator[Value]:
        vpc = vpc_of(context.target)
        inside = set(services) <= set(endpoints_of(context.plan, context.placement)) and not vpc.adopt
        network: list[Value] = [{"ipBlock": {"cidr": vpc.cidr}}]
        yield {"to": network if inside else list(ANYWHERE), "ports": ports(_HTTPS)}
        yield {"to": [{"ipBlock": {"cidr": cidr}} for cidr in IDENTITY_AGENTS], "ports": ports(80)}

    return rules


def system_policies(context: Context) -> Iterator[Made]:
    """CoreDNS and the EBS driver, which start closed as every Pod does where the VPC CNI is strict.

    Agents of nodes share their node's network and have no policy.
    """
    if not context.plan.has_cluster(context.placement):
        return
    every: list[Value] = [every_namespace()]
    asked: dict[str, Value] = {"to": every, "ports": _DNS}
    api = reach_api(context)
    yield _policy(
        "coredns",
        {"k8s-app": "kube-dns"},
        context,
        ingress=[{"from": every, "ports": [*_DNS, *ports(_METRICS)]}],
        egress=[api, {"ports": _DNS}],  # resolvers of a network are where its DHCP options say
    )
    volumes = [asked, api, *reach_services("ec2")(context)]
    yield _policy("ebs-csi-controller", {"app": "ebs-csi-controller"}, context, egress=volumes)
    yield _policy("ebs-csi-node", {"app": "ebs-csi-node"}, context, egress=[asked, api])


def _policy(
    name: str,
    selected: dict[str, Value],
    context: Context,
    *,
    ingress: Sequence[Value] = (),
    egress: Sequence[Value],
) -> Made:
    described = metadata(name, _SYSTEM, labels(context.system.metadata.name, name, component=COMPONENT))
    rules = without_empty({"ingress": list(ingress), "egress": list(egress)})
    spec: dict[str, Value] = {"podSelector": {"matchLabels": selected}, "policyTypes": ["Ingress", "Egress"], **rules}
    manifest = object_of("networking.k8s.io/v1", "NetworkPolicy", described, spec=spec)
    return Made(target_path(context.system, context.placement), manifest)
