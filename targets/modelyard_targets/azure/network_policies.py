"""Addresses allowed by network policies on AKS: the cluster API, private endpoints, and Microsoft Entra ID.

docs/decisions/0071-azure.md explains why.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from modelyard.stack import Value
from modelyard_targets.azure.options import ranges_of
from modelyard_targets.kube.network.policies import anywhere, ports
from modelyard_targets.kube.placement.context import Context

ENTRA_ID: Final = ("20.20.32.0/19", "20.190.128.0/18", "20.231.128.0/19", "40.126.0.0/18")
ENTRA_PORTS: Final = (443,)
"""IPv4 ranges of login.microsoftonline.com, where Pods exchange their tokens for Azure tokens (Microsoft 365 endpoints,
number 56, learn.microsoft.com/microsoft-365/enterprise/urls-and-ip-address-ranges, as of 2026-07-12).
"""

WIRE_SERVER: Final = ("168.63.129.16/32",)
"""Azure's address for machine agents, which serves data that only the node may know. It is not a link-local address."""

STORAGE_RANGES: Final = "storage_ranges"
"""The infrastructure output with the address range of the stores' private endpoints."""


def api_addresses(context: Context) -> tuple[str, ...]:
    """Return the address ranges of the API server in the network and of its Service."""
    if context.target.cluster.adopt:  # the ranges of its Services and possibly of its network are unknown
        return ()
    ranges = ranges_of(context.target)
    return (ranges.api, ranges.services)


def reach_vault(context: Context) -> Iterable[Value]:
    """Allow a controller's egress to the vault's private endpoint and to Entra ID."""
    endpoints = ranges_of(context.target).endpoints
    if not endpoints:  # the spec may not state the range of an adopted cluster
        return ({"to": anywhere(context), "ports": ports(*ENTRA_PORTS)},)
    cidrs = (endpoints, *ENTRA_ID)
    return ({"to": [{"ipBlock": {"cidr": cidr}} for cidr in cidrs], "ports": ports(*ENTRA_PORTS)},)
