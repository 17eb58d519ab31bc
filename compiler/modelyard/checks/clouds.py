"""Check cloud-only fields: access to the cluster API, and network ranges."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Final

from modelyard.address_ranges import misaligned
from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import clouds as problems
from modelyard.provider import Rule
from modelyard.spec import Network, System, target_path

_SENSITIVE: Final = frozenset({"pii", "cardholder", "phi"})
_WIDE: Final = ("/0", "/1", "/2", "/3", "/4", "/5", "/6", "/7", "/8")


def access(system: System) -> Iterator[Diagnostic]:
    """Require allowed IP ranges for a public cluster API, and reject them for a private one."""
    for target in system.deployment.targets:
        if not target.in_cloud:
            continue
        path = target_path(system, target.name)
        if target.access and target.network == "private":
            yield problems.access_of_private_network(system.key(*path, "access"), target.name)
        elif target.network == "public" and not target.access:
            yield problems.public_without_access(system.at(*path, "network"), target.name)
        elif _is_everything(target.access):
            yield problems.access_of_everybody(system.key(*path, "access"), target.name)


def egress(system: System) -> Iterator[Diagnostic]:
    """Report targets whose workloads may connect to any IP address, if the system has personal data."""
    classes = {*system.governance.data_classes, *(data.classification for data in system.data.values())}
    for target in system.deployment.targets:
        if _is_everything(target.egress) and not _SENSITIVE.isdisjoint(classes):
            yield problems.egress_to_everywhere(system.key(*target_path(system, target.name), "egress"), target.name)


def _is_everything(ranges: tuple[str, ...]) -> bool:
    """Return whether the ranges add up to the entire address space, e.g. as two halves."""
    if not any(block.endswith(_WIDE) for block in ranges):
        return False
    from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network  # few specs have such ranges

    blocks = [ip_network(block, strict=False) for block in ranges]
    fourth = collapse_addresses(block for block in blocks if isinstance(block, IPv4Network))
    sixth = collapse_addresses(block for block in blocks if isinstance(block, IPv6Network))
    return any(block.prefixlen == 0 for block in fourth) or any(block.prefixlen == 0 for block in sixth)


def ranges(system: System) -> Iterator[Diagnostic]:
    """Report overlapping network ranges. Networks that overlap can't be connected.

    A network shared by two targets counts once. Targets with only buckets have no network.
    """
    with_network = set(_with_network(system))
    candidates = [
        (target, target.options.network) for target in system.deployment.targets if target.name in with_network
    ]
    networks = [(target, network) for target, network in candidates if network is not None]
    for (first, first_network), (second, second_network) in combinations(networks, 2):
        if (not first_network.adopted or first_network.adopted != second_network.adopted) and _overlap(
            first_network, second_network
        ):
            span = system.key(*target_path(system, second.name), *second_network.field)
            yield problems.ranges_overlap(
                span, second.name, second_network.cidr, first.name, first_network.cidr, second_network.example
            )


def _with_network(system: System) -> Iterator[str]:
    """Yield the targets that need a network, for workloads or for a new database."""
    for placed in (system.pipelines, system.inference, system.monitors):
        yield from (workload.target for workload in placed.values())
    if system.registry is not None and not system.registry.adopt:
        yield system.deployment.placement.registry
    yield from (store.target for store in system.stores.values() if store.type == "database" and not store.adopt)


def _overlap(first: Network, second: Network) -> bool:
    from ipaddress import ip_network  # imported here because few specs have two networks

    first_range, second_range = (ip_network(network.cidr, strict=False) for network in (first, second))
    return first_range.version == second_range.version and first_range.overlaps(second_range)


def aligned(system: System) -> Iterator[Diagnostic]:
    """Report address ranges that do not start at a multiple of their size."""
    for target in system.deployment.targets:
        for name, blocks in (("egress", target.egress), ("access", target.access)):
            for at, block in enumerate(blocks):
                yield from misaligned(block, system.at(*target_path(system, target.name), name, at))


def reachability(system: System) -> Iterator[Diagnostic]:
    """Report a target that lists itself in `reachableFrom`."""
    for target in system.deployment.targets:
        for at, name in enumerate(target.reachable_from):
            if name == target.name:
                span = system.at(*target_path(system, target.name), "reachableFrom", at)
                yield problems.reachable_from_itself(span, name)


RULES: Final[tuple[Rule, ...]] = (access, ranges, aligned, reachability, egress)
