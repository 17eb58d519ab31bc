"""Network checks: valid regions and address ranges, and access to image registries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Network, ip_network
from typing import Final

from modelyard.diagnostics import nearest
from modelyard.diagnostics.base import Diagnostic
from modelyard.patterns import pattern
from modelyard.plan import Plan
from modelyard.spec import target_path
from modelyard_targets.gcp.diagnostics import cluster as problems
from modelyard_targets.gcp.machines import regions
from modelyard_targets.gcp.options import vpc_of
from modelyard_targets.gcp.pools import most_nodes
from modelyard_targets.kube.placement.placed import target_of

_WIDEST: Final = 8
_NARROWEST: Final = 20
_ADDRESSES_OF_A_NODE: Final = 128
"""The addresses that GKE reserves for a node, twice its 64 Pods (docs.cloud.google.com/kubernetes-engine/docs/how-to/
flexible-pod-cidr, read 2026-11-27).
"""

_PRIVATE: Final = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))

_RANGES: Final = f"use a private IPv4 range from /{_WIDEST} to /{_NARROWEST}, such as 10.20.0.0/16"

_AWS: Final = pattern(r"(us|ca|eu|ap|sa|me|il|af)-[a-z]+-\d")
_CONTINENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "us": ("us-",),
    "ca": ("northamerica-northeast",),
    "eu": ("europe-",),
    "ap": ("asia-", "australia-"),
    "sa": ("southamerica-",),
    "me": ("me-",),
    "il": ("me-west",),
    "af": ("africa-",),
}
"""Prefixes of Google Cloud regions on the same continent, by the first part of an AWS region."""


def check_region(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report a region that does not exist in Google Cloud."""
    region, known = target_of(plan, placement).region, regions()
    if region not in known:
        where = plan.system.at(*target_path(plan.system, placement), "region")
        zone = region[:-2] if region[-2:-1] == "-" and region[:-2] in known else ""
        hint = f"use {zone}, the region of this zone" if zone else _of_aws(region, known)
        hint = hint or nearest(region, known, "did you mean {}?")
        yield problems.region_refused(where, region, hint or "use a Google Cloud region such as europe-west4")


def _of_aws(region: str, known: Iterable[str]) -> str:
    """List Google Cloud regions on an AWS region's continent, since similar names can be far apart."""
    match = _AWS.fullmatch(region)
    prefixes = _CONTINENTS.get(match[1], ()) if match is not None else ()
    there = [name for name in known if name.startswith(prefixes)] if prefixes else []
    return f"this is an AWS region; nearby Google Cloud regions are {', '.join(there)}" if there else ""


def check_network(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Check that a new network's address range is valid and large enough for all nodes. An adopted network must use
    IPv4.
    """
    if not plan.has_cluster(placement):
        return
    target = target_of(plan, placement)
    field = "cluster" if target.cluster.adopt else "vpc"
    vpc, where = vpc_of(target), (*target_path(plan.system, placement), field, "cidr")
    why = _fault(vpc.cidr, adopted=bool(vpc.adopt)) if vpc.cidr else ""
    if why:
        hint = "use the IPv4 range of the subnet" if vpc.adopt else _RANGES
        yield problems.range_does_not_fit(plan.system.at(*where), vpc.cidr, why, hint)
    elif not vpc.adopt:
        nodes, room = most_nodes(plan, placement), _room(IPv4Network(vpc.cidr).prefixlen)
        if nodes > room:
            prefix = next(prefix for prefix in range(_NARROWEST, _WIDEST - 1, -1) if _room(prefix) >= nodes)
            yield problems.too_few_addresses(plan.system.at(*where), vpc.cidr, nodes, room, f"/{prefix}")


def check_images(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Require internet access or an image mirror so that nodes can pull images."""
    target = target_of(plan, placement)
    vpc = vpc_of(target)
    if vpc.adopt or vpc.nat != "none" or not plan.has_cluster(placement):
        return
    if not (target.images.mirror and target.images.registry):
        where = plan.system.at(*target_path(plan.system, placement), "vpc", "nat")
        yield problems.images_out_of_reach(where, placement)


def _room(prefix: int) -> int:
    """Return how many nodes fit in a range with the given prefix length. Half of the range is reserved for Pods."""
    return int(2 ** (32 - prefix - 1) // _ADDRESSES_OF_A_NODE)


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
