"""Enforces the API server's NetworkPolicies on the node of the whole Kubernetes using nftables rules.

The rules decide on the first packet of a TCP connection, whether it crosses the bridge between Pods or goes to a
Service through the node. Connections from the node itself are always allowed, as the API requires for probes.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import cast

from testbed.kubernetes.kubectl import Kubectl, Object
from testbed.kubernetes.network_policies import Network, Pod, Rule
from testbed.kubernetes.whole_kubernetes import PODS, WholeKubernetes

_FAMILIES = ("bridge", "ip")
_TABLE = "policies"


def enforce(cluster: WholeKubernetes, *, held: bool = False) -> Network:
    """Enforce the policies for the current Pods, and replace all earlier rules.

    If `held`, later Pods cannot connect until the next call, as network plugins hold a Pod until its policies apply.
    """
    network = network_of(cluster.kubectl)
    _nft(cluster, "".join(line + "\n" for line in ruleset(network, held=held)))
    return network


def stop(cluster: WholeKubernetes) -> None:
    """Remove all rules."""
    _nft(cluster, "".join(f"add table {family} {_TABLE}\ndelete table {family} {_TABLE}\n" for family in _FAMILIES))


def network_of(kubectl: Kubectl) -> Network:
    """Return the API server's namespaces, its policies, and those of its Pods that have their own address."""
    namespaces = {_name(each): _labels(each) for each in kubectl.all("namespaces")}
    pods = [pod for each in kubectl.all("pods") for pod in _pod(each)]
    return Network(namespaces, pods, kubectl.all("networkpolicies"))


def ruleset(network: Network, *, held: bool = False) -> Iterator[str]:
    """Yield the lines of one table per path a packet can take. nftables applies either all tables or none."""
    for family in _FAMILIES:
        yield f"add table {family} {_TABLE}"
        yield f"delete table {family} {_TABLE}"
        yield f"table {family} {_TABLE} {{"
        judged: list[str] = []
        for number, pod in enumerate(network.pods):
            isolation = network.isolation(pod)
            for own, other, rules in (("saddr", "daddr", isolation.egress), ("daddr", "saddr", isolation.ingress)):
                if rules is not None:
                    yield f"chain {own}-{number} {{"
                    yield from (_allowed(rule, other) for rule in rules if rule.blocks)
                    yield "drop; }"
                    judged.append(f"ip {own} {pod.address} jump {own}-{number};")
        yield "chain judged {"
        yield from judged
        if held:
            known = ", ".join(str(pod.address) for pod in network.pods)
            yield f"ip saddr {PODS} ip saddr != {{ {known} }} drop;" if known else f"ip saddr {PODS} drop;"
        yield "}"
        yield "chain forward { type filter hook forward priority 0; policy accept;"
        yield "tcp flags & (syn | ack) == syn jump judged; }"
        yield "}"


def _allowed(rule: Rule, other: str) -> str:
    """Return the nftables rules for a policy rule, one line per address block, since each has its own exceptions."""
    ports = ", ".join(f"{part.first}-{part.last}" for part in rule.ports if part.protocol == "TCP")
    if rule.ports and not ports:
        return ""  # the rule is for another protocol
    port_match = f"tcp dport {{ {ports} }} " if ports else ""
    lines: list[str] = []
    for block in rule.blocks:
        excluded = ", ".join(map(str, block.excluded))
        without = f"ip {other} != {{ {excluded} }} " if excluded else ""
        lines.append(f"ip {other} {block.network} {without}{port_match}return;")
    return "\n".join(lines)


def _pod(described: Object) -> Iterator[Pod]:
    spec, status = cast("Object", described["spec"]), cast("Object", described.get("status", {}))
    if spec.get("hostNetwork") or "podIP" not in status:
        return
    containers = cast("list[Object]", spec["containers"])
    ports = [port for each in containers for port in cast("list[Object]", each.get("ports", []))]
    named_ports = {str(port["name"]): int(str(port["containerPort"])) for port in ports if "name" in port}
    address = IPv4Address(str(status["podIP"]))
    yield Pod(_namespace(described), _name(described), address, _labels(described), named_ports)


def _name(described: Object) -> str:
    return str(cast("Object", described["metadata"])["name"])


def _namespace(described: Object) -> str:
    return str(cast("Object", described["metadata"])["namespace"])


def _labels(described: Object) -> dict[str, str]:
    return cast("dict[str, str]", cast("Object", described["metadata"]).get("labels", {}))


def _nft(cluster: WholeKubernetes, rules: str) -> None:
    result = subprocess.run(
        [*cluster.within, "nft", "-f", "-"], input=rules, capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise RuntimeError(f"nftables does not take the rules: {result.stderr}")
