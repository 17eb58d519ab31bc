"""Compare lists of address ranges by the addresses they cover, regardless of notation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from modelyard.patterns import pattern

_RANGE: Final = pattern(r"[0-9a-fA-F.:]+/[0-9]{1,3}")


def are_ranges(items: Iterable[str]) -> bool:
    """Return whether all items have the form of an address range."""
    return all(_RANGE.fullmatch(item) for item in items)


def covers(ranges: Iterable[str], others: Iterable[str]) -> bool:
    """Return whether every address in the ranges `others` is in one of `ranges`."""
    from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network  # few changes involve ranges

    known, inner = ([ip_network(item, strict=False) for item in side] for side in (ranges, others))
    fourth = list(collapse_addresses(network for network in known if isinstance(network, IPv4Network)))
    sixth = list(collapse_addresses(network for network in known if isinstance(network, IPv6Network)))
    return all(
        any(network.subnet_of(other) for other in fourth)
        if isinstance(network, IPv4Network)
        else any(network.subnet_of(other) for other in sixth)
        for network in inner
    )
