"""Network checks: valid regions and CIDR ranges, access to image registries, and public endpoints."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import cache
from ipaddress import IPv4Network, ip_network
from typing import Final

from modelyard.diagnostics import nearest
from modelyard.diagnostics.base import Diagnostic
from modelyard.plan import Plan, Route
from modelyard.spec import target_path
from modelyard_targets.aws.diagnostics import plan as problems
from modelyard_targets.aws.foundation import nat_of
from modelyard_targets.aws.options import vpc_of
from modelyard_targets.kube.placement.placed import target_of

_REGIONS: Final = os.path.join(os.path.dirname(__file__), "regions.json")

_WIDEST: Final = 16
_NARROWEST: Final = 22
"""The smallest range. In a /22, each zone's subnet (an eighth) has 128 addresses, and each Pod uses one."""

_PRIVATE: Final = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))


@cache
def regions() -> tuple[str, ...]:
    """Return all AWS regions, including China and GovCloud."""
    with open(_REGIONS, encoding="utf-8") as file:
        return tuple(json.load(file)["regions"])


def check_region(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report a region that doesn't exist or where modelyard can't create the network."""
    target = target_of(plan, placement)
    where = plan.system.at(*target_path(plan.system, placement), "region")
    known = regions()
    if target.region not in known:
        hint = nearest(target.region, known, "did you mean {}?") or "use an AWS region"
        yield problems.region_refused(where, target.region, "AWS has no region with this name", hint)
    elif target.region.startswith("cn-") and not vpc_of(target).adopt and plan.has_cluster(placement):
        why = "its network needs VPC endpoints, but modelyard does not know the service names used in China"
        yield problems.region_refused(where, target.region, why, "use an existing network with `vpc: {adopt: …}`")


def check_network(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Check the CIDR range of a new network. For an adopted network, only check that it's IPv4."""
    target = target_of(plan, placement)
    vpc = vpc_of(target)
    why = _fault(vpc.cidr, adopted=bool(vpc.adopt)) if vpc.cidr else ""
    if why and plan.has_cluster(placement):
        field = "cluster" if target.cluster.adopt else "vpc"
        where = plan.system.at(*target_path(plan.system, placement), field, "cidr")
        yield problems.range_does_not_fit(where, vpc.cidr, why)


def check_images(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Require internet access or an image mirror so that nodes can pull images."""
    target = target_of(plan, placement)
    if vpc_of(target).adopt or nat_of(plan.system, target) != "none" or not plan.has_cluster(placement):
        return
    if not (target.images.mirror and target.images.registry):
        where = plan.system.at(*target_path(plan.system, placement), "vpc", "nat")
        yield problems.images_out_of_reach(where, placement)


def check_public(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report public endpoints in a network without NAT gateways, because it has no public subnets."""
    target = target_of(plan, placement)
    if vpc_of(target).adopt or nat_of(plan.system, target) != "none":
        return
    for route in plan.of(Route, placement):
        inference = route.value.inference
        if inference.endpoint.exposure == "public":
            where = plan.system.at("inference", inference.name, "endpoint", "exposure")
            yield problems.public_without_way_out(where, inference.name, placement)


def _fault(cidr: str, *, adopted: bool) -> str:
    try:
        network = ip_network(cidr)
    except ValueError:
        return "it does not start at a multiple of its size"
    if not isinstance(network, IPv4Network):
        return "it is IPv6"
    if adopted:
        return ""
    if not _WIDEST <= network.prefixlen <= _NARROWEST:
        return f"/{network.prefixlen} is not between /{_WIDEST} and /{_NARROWEST}"
    if not any(network.subnet_of(private) for private in _PRIVATE):
        return "its addresses are public"
    return ""
