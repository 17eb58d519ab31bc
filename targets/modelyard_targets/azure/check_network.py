"""Checks for networks that Azure cannot provide: regions, address ranges, and clusters without internet access."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network, ip_network
from typing import Final

from modelyard.diagnostics import nearest
from modelyard.diagnostics.base import Diagnostic
from modelyard.patterns import pattern
from modelyard.plan import Plan
from modelyard.spec import target_path
from modelyard_targets.azure.diagnostics import cluster as problems
from modelyard_targets.azure.machines import regions
from modelyard_targets.azure.options import OVERLAY, options_of, vpc_of
from modelyard_targets.azure.pools import most_nodes
from modelyard_targets.kube.placement.placed import target_of

_WIDEST: Final = 10
_NARROWEST: Final = 20
_ADDRESSES_OF_A_NODE: Final = 256
"""Addresses that each node takes for Pods, however many it runs (learn.microsoft.com/azure/aks, "Azure CNI Overlay",
read 2026-11-25).
"""

_PRIVATE: Final = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))
_TAKEN: Final = tuple(map(IPv4Network, ("169.254.0.0/16", "172.30.0.0/16", "172.31.0.0/16", "192.0.2.0/24")))
"""Ranges that AKS refuses for nodes, Pods and Services (same page)."""

_RANGES: Final = f"use a private IPv4 range from /{_WIDEST} to /{_NARROWEST}, such as 10.20.0.0/16"

_OTHER_CLOUD: Final = pattern(r"([a-z]+)-[a-z]+-?\d+(-[a-z])?")
_EUROPE: Final = ("westeurope", "northeurope", "germanywestcentral", "francecentral", "swedencentral")
_AMERICA: Final = ("eastus2", "centralus", "westus3")
_ASIA: Final = ("southeastasia", "japaneast", "koreacentral", "centralindia", "australiaeast")
CONTINENTS: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("eu", "europe"), _EUROPE),
    "us": _AMERICA,
    **dict.fromkeys(("ap", "asia", "australia"), _ASIA),
    **dict.fromkeys(("ca", "northamerica"), ("canadacentral", "canadaeast")),
    **dict.fromkeys(("sa", "southamerica"), ("brazilsouth", "chilecentral")),
    **dict.fromkeys(("me", "il"), ("uaenorth", "qatarcentral", "israelcentral")),
    **dict.fromkeys(("af", "africa"), ("southafricanorth",)),
}
"""Azure regions on the same continent, by the first part of another cloud's region."""


def check_region(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report a region for which the table has no machine prices."""
    region, known = target_of(plan, placement).region, regions()
    if region not in known:
        where = plan.system.at(*target_path(plan.system, placement), "region")
        hint = _of_other_cloud(region) or nearest(region, known, "did you mean {}?")
        yield problems.region_refused(where, region, hint or "use an Azure region such as westeurope")


def _of_other_cloud(region: str) -> str:
    """List Azure regions on the same continent as another cloud's region, since similar names can be far apart."""
    match = _OTHER_CLOUD.fullmatch(region)
    there = CONTINENTS.get(match[1], ()) if match is not None else ()
    return f"this is another cloud's region; nearby Azure regions are {', '.join(there)}" if there else ""


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
        hint = "use the IPv4 range of the network" if vpc.adopt else _RANGES
        yield problems.range_does_not_fit(plan.system.at(*where), vpc.cidr, why, hint)
    elif not vpc.adopt:
        nodes, room = most_nodes(plan, placement), _room(IPv4Network(vpc.cidr).prefixlen)
        if nodes > room:
            wide = (prefix for prefix in range(_NARROWEST, _WIDEST - 1, -1) if _room(prefix) >= nodes)
            prefix = next(wide, _WIDEST)
            yield problems.too_few_addresses(plan.system.at(*where), vpc.cidr, nodes, room, f"/{prefix}")


def check_subscription(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report a private endpoint network outside the target's subscription, if the spec sets the subscription.

    Source: https://learn.microsoft.com/en-us/azure/private-link/private-endpoint-overview, read 2026-12-01.
    """
    if not plan.has_cluster(placement):
        return
    target, here = target_of(plan, placement), target_path(plan.system, placement)
    options = options_of(target)
    adopted = {"cluster.endpoints": options.cluster.endpoints}
    if not target.cluster.adopt:
        adopted["vpc.adopt"] = options.vpc.adopt
    for field, identifier in adopted.items():
        subscription = identifier.split("/")[2] if identifier else options.account
        if options.account and subscription != options.account:
            where = plan.system.at(*here, *field.split("."))
            yield problems.network_elsewhere(where, field, subscription, options.account)


def check_way_out(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Require internet access in a new network with a cluster."""
    vpc = vpc_of(target_of(plan, placement))
    if not vpc.adopt and vpc.nat == "none" and plan.has_cluster(placement):
        yield problems.no_way_out(plan.system.at(*target_path(plan.system, placement), "vpc", "nat"))


def _room(prefix: int) -> int:
    """Return how many nodes fit in a range with the given prefix length. Half of the range is for Pods."""
    return int(2 ** (32 - prefix - 1) // _ADDRESSES_OF_A_NODE)


def _fault(cidr: str, *, adopted: bool) -> str:
    try:
        network = ip_network(cidr)
    except ValueError:
        return "it does not start at a multiple of its size"
    if not isinstance(network, IPv4Network):
        return "it is IPv6"
    reserved = next((other for other in _TAKEN if network.overlaps(other)), None)
    if reserved is not None:
        return f"AKS does not allow addresses in {reserved}"
    if adopted:
        overlaps = network.overlaps(IPv4Network(OVERLAY))
        return f"it overlaps {OVERLAY}, which Pods and Services use" if overlaps else ""
    if not _WIDEST <= network.prefixlen <= _NARROWEST:
        return f"/{network.prefixlen} is not between /{_WIDEST} and /{_NARROWEST}"
    if not any(network.subnet_of(private) for private in _PRIVATE):
        return "its addresses are public"
    return ""
