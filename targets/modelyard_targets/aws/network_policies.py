"""AWS-specific network policies for egress to the API server and AWS services, and for EKS's own add-ons.

docs/decisions/0037-egress-on-aws.md explains why.
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
from modelyard_targets.kube.placement.context import Context, KubeObject

IDENTITY_AGENTS: Final = ("169.254.170.23/32", "fd00:ec2::23/128")
"""Addresses of the Pod Identity agent on every node (docs.aws.amazon.com/eks, "Set up the Amazon EKS Pod Identity
Agent", 2026-11-24).
"""

STORAGE_RANGES: Final = "s3_ranges"
"""The infrastructure output with S3's address ranges in the region."""

_SERVICES: Final = ("10.100.0.0/16", "172.20.0.0/16")
"""The ranges that EKS chooses from for Services (docs.aws.amazon.com/eks, "CreateCluster", 2026-11-25)."""

_SYSTEM: Final = "kube-system"
_METRICS: Final = 9153
_DNS: Final[list[Value]] = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
_HTTPS: Final = 443


def api_addresses(context: Context) -> tuple[str, ...]:
    """Return the address ranges of the API server's private endpoint and of its Service."""
    cidr = vpc_of(context.target).cidr  # the spec may not state the range of an adopted cluster
    return (cidr, *_SERVICES) if cidr else ()


def reach_services(*services: str) -> Callable[[Context], Iterable[Value]]:
    """Allow a controller's egress to AWS services and to the Pod Identity agent.

    Calls stay within the VPC if it has an endpoint for each service. In an adopted network, they may leave the VPC.
    """

    def rules(context: Context) -> Iterator[Value]:
        vpc = vpc_of(context.target)
        inside = set(services) <= set(endpoints_of(context.plan, context.placement)) and not vpc.adopt
        network: list[Value] = [{"ipBlock": {"cidr": vpc.cidr}}]
        yield {"to": network if inside else list(ANYWHERE), "ports": ports(_HTTPS)}
        yield {"to": [{"ipBlock": {"cidr": cidr}} for cidr in IDENTITY_AGENTS], "ports": ports(80)}

    return rules


def system_policies(context: Context) -> Iterator[KubeObject]:
    """Yield policies for CoreDNS and the EBS driver, since the strict VPC CNI blocks Pods without a policy.

    Node agents use the host network and don't need one.
    """
    if not context.plan.has_cluster(context.placement):
        return
    every: list[Value] = [every_namespace()]
    dns_rule: dict[str, Value] = {"to": every, "ports": _DNS}
    api = reach_api(context)
    yield _policy(
        "coredns",
        {"k8s-app": "kube-dns"},
        context,
        ingress=[{"from": every, "ports": [*_DNS, *ports(_METRICS)]}],
        egress=[api, {"ports": _DNS}],  # a VPC's DHCP options may name any resolver
    )
    volumes = [dns_rule, api, *reach_services("ec2")(context)]
    yield _policy("ebs-csi-controller", {"app": "ebs-csi-controller"}, context, egress=volumes)
    yield _policy("ebs-csi-node", {"app": "ebs-csi-node"}, context, egress=[dns_rule, api])


def _policy(
    name: str,
    selected: dict[str, Value],
    context: Context,
    *,
    ingress: Sequence[Value] = (),
    egress: Sequence[Value],
) -> KubeObject:
    described = metadata(name, _SYSTEM, labels(context.system.metadata.name, name, component=COMPONENT))
    rules = without_empty({"ingress": list(ingress), "egress": list(egress)})
    spec: dict[str, Value] = {"podSelector": {"matchLabels": selected}, "policyTypes": ["Ingress", "Egress"], **rules}
    manifest = object_of("networking.k8s.io/v1", "NetworkPolicy", described, spec=spec)
    return KubeObject(target_path(context.system, context.placement), manifest)
