"""Evaluates which addresses and ports NetworkPolicies allow for each Pod and direction.

The evaluation follows the API reference for NetworkPolicy (networking.k8s.io/v1, read 2026-11-25). An `ipBlock` also
matches Pod addresses. The API leaves this to the network plugin, and most plugins that filter by address do so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from typing import cast

from testbed.kubernetes.kubectl import Object

Labels = Mapping[str, str]

ANYWHERE = IPv4Network("0.0.0.0/0")


@dataclass(frozen=True, slots=True)
class Pod:
    """A Pod with its own address. `ports` are its named container ports."""

    namespace: str
    name: str
    address: IPv4Address
    labels: Labels
    ports: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class Block:
    """A range of addresses with exceptions."""

    network: IPv4Network
    excluded: tuple[IPv4Network, ...] = ()

    def __contains__(self, address: IPv4Address) -> bool:
        return address in self.network and not any(address in part for part in self.excluded)


@dataclass(frozen=True, slots=True)
class Range:
    """A range of ports for one protocol, including both ends."""

    protocol: str
    first: int
    last: int

    def holds(self, protocol: str, port: int) -> bool:
        """Return whether the range includes the given port and protocol."""
        return protocol == self.protocol and self.first <= port <= self.last


@dataclass(frozen=True, slots=True)
class Rule:
    """Allows connections to or from the given addresses on the given ports, or on all ports if there are none."""

    blocks: tuple[Block, ...]
    ports: tuple[Range, ...]

    def allows(self, address: IPv4Address, protocol: str, port: int) -> bool:
        """Return whether a connection is allowed."""
        port_matches = not self.ports or any(part.holds(protocol, port) for part in self.ports)
        return port_matches and any(address in block for block in self.blocks)


@dataclass(frozen=True, slots=True)
class Isolation:
    """The rules for a Pod's incoming and outgoing connections, where None means the direction is unrestricted."""

    ingress: tuple[Rule, ...] | None
    egress: tuple[Rule, ...] | None


@dataclass(frozen=True, slots=True)
class Network:
    """Namespaces with their labels, Pods, and all policies."""

    namespaces: Mapping[str, Labels]
    pods: Sequence[Pod]
    policies: Sequence[Object]

    def isolation(self, pod: Pod) -> Isolation:
        """Return the rules that all policies together define for a Pod."""
        return Isolation(self._rules(pod, "ingress", "from"), self._rules(pod, "egress", "to"))

    def connects(self, source: Pod, target: Pod, port: int, protocol: str = "TCP") -> bool:
        """Return whether a Pod can connect to another, given the source's egress and the target's ingress rules."""
        leaves, enters = self.isolation(source).egress, self.isolation(target).ingress
        return _passes(leaves, target.address, protocol, port) and _passes(enters, source.address, protocol, port)

    def reaches(self, source: Pod, address: str, port: int, protocol: str = "TCP") -> bool:
        """Return whether a Pod may connect to an address outside the cluster."""
        return _passes(self.isolation(source).egress, IPv4Address(address), protocol, port)

    def admits(self, target: Pod, address: str, port: int, protocol: str = "TCP") -> bool:
        """Return whether a Pod accepts connections from an address outside the cluster."""
        return _passes(self.isolation(target).ingress, IPv4Address(address), protocol, port)

    def _rules(self, pod: Pod, direction: str, peers: str) -> tuple[Rule, ...] | None:
        selecting = [policy for policy in self.policies if _selects(policy, pod, direction)]
        if not selecting:
            return None
        return tuple(
            resolved
            for policy in selecting
            for rule in _objects(_spec(policy).get(direction))
            for resolved in self._resolved(rule, peers, pod, str(_metadata(policy)["namespace"]))
        )

    def _resolved(self, rule: Object, peers: str, pod: Pod, namespace: str) -> Iterator[Rule]:
        ports = _objects(rule.get("ports"))
        has_names = any(isinstance(port.get("port"), str) for port in ports)
        if peers == "from" or not has_names:
            listening = pod if peers == "from" else None
            ranges = tuple(_range(port, listening) for port in ports)
            known = tuple(part for part in ranges if part is not None)
            if known or not ports:
                yield Rule(tuple(self._blocks(rule, peers, namespace)), known)
            return
        for target in self.pods:  # a port name in an egress rule refers to each target Pod's port
            known = tuple(part for part in (_range(port, target) for port in ports) if part is not None)
            if known and any(target.address in block for block in self._blocks(rule, peers, namespace)):
                yield Rule((_alone(target),), known)

    def _blocks(self, rule: Object, peers: str, namespace: str) -> Iterator[Block]:
        selected = _objects(rule.get(peers))
        if not selected:  # a rule without peers allows all
            yield Block(ANYWHERE)
        for peer in selected:
            if "ipBlock" in peer:
                yield from _block(_object(peer["ipBlock"]))
            else:
                yield from (_alone(pod) for pod in self.pods if self._is_peer(peer, pod, namespace))

    def _is_peer(self, peer: Object, pod: Pod, namespace: str) -> bool:
        if "namespaceSelector" in peer:
            near = matches(_object(peer["namespaceSelector"]), self.namespaces[pod.namespace])
        else:
            near = pod.namespace == namespace
        return near and matches(_object(peer.get("podSelector", {})), pod.labels)


def matches(selector: Object, labels: Labels) -> bool:
    """Return whether a label selector matches the given labels. An empty selector matches everything."""
    required = cast("Labels", selector.get("matchLabels", {}))
    if any(labels.get(key) != value for key, value in required.items()):
        return False
    return all(_meets(expression, labels) for expression in _objects(selector.get("matchExpressions")))


def _meets(expression: Object, labels: Labels) -> bool:
    value = labels.get(str(expression["key"]))
    values = cast("Sequence[str]", expression.get("values", ()))
    return {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }[str(expression["operator"])]


def _passes(rules: Iterable[Rule] | None, address: IPv4Address, protocol: str, port: int) -> bool:
    return rules is None or any(rule.allows(address, protocol, port) for rule in rules)


def _selects(policy: Object, pod: Pod, direction: str) -> bool:
    """Return whether a policy selects a Pod. By default, it applies to ingress, and to egress if it has such rules."""
    spec = _spec(policy)
    types = cast("Sequence[str]", spec.get("policyTypes", ("Ingress", *(("Egress",) if "egress" in spec else ()))))
    mine = _metadata(policy)["namespace"] == pod.namespace and direction.capitalize() in types
    return mine and matches(_object(spec.get("podSelector", {})), pod.labels)


def _block(described: Object) -> Iterator[Block]:
    cidr = str(described["cidr"])
    if ":" not in cidr:
        excluded = cast("Sequence[str]", described.get("except", ()))
        yield Block(IPv4Network(cidr), tuple(IPv4Network(part) for part in excluded))


def _alone(pod: Pod) -> Block:
    return Block(IPv4Network(pod.address))


def _range(port: Object, listening: Pod | None) -> Range | None:
    """Return the ports of an entry in a rule, or None if it names a port that the Pod doesn't have."""
    protocol, number = str(port.get("protocol", "TCP")), port.get("port")
    if number is None:
        return Range(protocol, 0, 65535)
    if isinstance(number, str):
        number = listening.ports.get(number) if listening is not None else None
    if not isinstance(number, int):
        return None
    return Range(protocol, number, int(str(port.get("endPort", number))))


def _spec(policy: Object) -> Object:
    return _object(policy["spec"])


def _metadata(policy: Object) -> Object:
    return _object(policy["metadata"])


def _object(value: object) -> Object:
    return cast("Object", value)


def _objects(value: object) -> Sequence[Object]:
    return cast("Sequence[Object]", value or ())
