"""Addresses that network policies open on AKS: the cluster's API, private endpoints, and Microsoft Entra ID.

docs/decisions/0071-azure.md has the reasons.
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
"""IPv4 ranges of login.microsoftonline.com, where Pods exchange their token for one of Azure (Microsoft 365 endpoints,
number 56, learn.microsoft.com/microsoft-365/enterprise/urls-and-ip-address-ranges, as of 2026-07-12).
"""

WIRE_SERVER: Final = ("168.63.129.16/32",)
"""Azure's address for agents of a machine, which holds what only the node may know. It is not a link-local one."""

STORAGE_RANGES: Final = "storage_ranges"
"""The infrastructure's output with the address range of the stores' private endpoints."""


def api_addresses(context: Context) -> tuple[str, ...]:
    """Return the ranges of the API server's address in the network and of the Service in front of it."""
    if context.target.cluster.adopt:  # the range of its Services is not known, nor may that of its network be
        return ()
    ranges = ranges_of(context.target)
    return (ranges.api, ranges.services)


def reach_vault(context: Context) -> Iterable[Value]:
    """Allow a controller's egress to the vault's private endpoint and to Entra ID."""
    endpoints = ranges_of(context.target).endpoints
    if not endpoints:  # of an adopted cluster, the spec may not have the range
        return ({"to": anywhere(context), "ports": ports(*ENTRA_PORTS)},)
    cidrs = (endpoints, *ENTRA_ID)
    return ({"to": [{"ipBlock": {"cidr": cidr}} for cidr in cidrs], "ports": ports(*ENTRA_PORTS)},)
