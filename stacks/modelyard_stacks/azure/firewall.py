"""Network security group rules that control who can reach private endpoints and a cluster's API server.

By default, everything in a virtual network and in connected networks can reach everything else.
"""

from __future__ import annotations

from collections.abc import Sequence

from pulumi_azure_native import network

from .settings import connected_networks

_LAST = 4096


def endpoint_rules(nodes: str) -> list[network.SecurityRuleArgs]:
    """Let Pods, which use their nodes' addresses here, and connected networks reach stores and databases."""
    return _rules([("nodes", [nodes], ["443", "5432"]), ("clients", connected_networks(), ["443", "5432"])])


def api_rules(nodes: str, api_server: str) -> list[network.SecurityRuleArgs]:
    """Let nodes and connected networks reach the API, and let the API server and Azure's load balancer reach it too.

    Source: https://learn.microsoft.com/en-us/azure/aks/api-server-vnet-integration, 2026-11-27.
    """
    return _rules(
        [
            ("nodes", [nodes], ["443", "4443"]),
            ("clients", connected_networks(), ["443"]),
            ("itself", [api_server], ["*"]),
            ("probes", ["AzureLoadBalancer"], ["9988"]),
        ]
    )


def _rules(allowed: Sequence[tuple[str, Sequence[str], Sequence[str]]]) -> list[network.SecurityRuleArgs]:
    rules = [
        _rule(f"allow-{name}", 100 + 10 * number, "Allow", source, ports)
        for number, (name, sources, ports) in enumerate(allowed)
        if (source := list(sources))
    ]
    return [*rules, _rule("deny-others", _LAST, "Deny", ["VirtualNetwork"], ["*"])]


def _rule(
    name: str, priority: int, access: str, sources: Sequence[str], ports: Sequence[str]
) -> network.SecurityRuleArgs:
    """Create a rule. A tag such as VirtualNetwork must be the only source, as only CIDR blocks can be listed."""
    single = sources[0] if len(sources) == 1 else None
    any_port = list(ports) == ["*"]
    return network.SecurityRuleArgs(
        name=name,
        priority=priority,
        access=access,
        direction="Inbound",
        protocol="*" if any_port else "Tcp",
        source_address_prefix=single,
        source_address_prefixes=None if single else list(sources),
        source_port_range="*",
        destination_address_prefix="*",
        destination_port_range="*" if any_port else None,
        destination_port_ranges=None if any_port else list(ports),
    )
