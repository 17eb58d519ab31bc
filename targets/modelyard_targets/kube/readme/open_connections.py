"""The README's table of allowed connections, which is complete because it's derived from network policies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import cast

from modelyard.manifest import NAME
from modelyard.records import record
from modelyard.stack import Manifest, Value
from modelyard_targets.kube.network.policies import ANYWHERE, NAMESPACE_NAME, is_anywhere
from modelyard_targets.kube.readme.prose import Markup, as_code

_DIRECTIONS = (("ingress", "from", "accept from"), ("egress", "to", "connect to"))
_EACH_OTHER = "each other"
_ANY_PORT = "any"


@record
class Open:
    """A row in the table: Pods, the direction of their connections, peers, and ports."""

    pods: Markup
    direction: str
    peers: Markup
    ports: str


def open_connections(policies: Iterable[Manifest], own: str) -> tuple[Open, ...]:
    """Return a row for each distinct network policy rule, with all Pods it applies to.

    The namespace is omitted if it is `own`.
    """
    by_rule: dict[tuple[str, str, str], dict[str, None]] = {}
    for policy in policies:
        described, spec = _mapping(policy["metadata"]), _mapping(policy.get("spec"))
        space = str(described["namespace"])
        pods = _pods(_selector(spec), "" if space == own else space)
        for rule in _rules(spec, space, own):
            by_rule.setdefault(rule, {})[pods] = None
    return tuple(
        Open(Markup(", ".join(pods)), direction, Markup(peers), ports)
        for (direction, peers, ports), pods in by_rule.items()
    )


def _rules(spec: Mapping[str, Value], space: str, own: str) -> Iterator[tuple[str, str, str]]:
    for field, side, direction in _DIRECTIONS:
        for rule in _list(spec.get(field)):
            entry = _mapping(rule)
            yield direction, _peers(_list(entry.get(side)), _selector(spec), space, own), _ports(entry.get("ports"))


def _peers(peers: Sequence[Value], selector: Value, space: str, own: str) -> str:
    if not peers:
        return "any address"
    blocks = [_mapping(peer) for peer in peers]
    anywhere = ["any address but link-local ones"] if sum(map(is_anywhere, blocks)) == len(ANYWHERE) else []
    rest = [peer for peer in blocks if not (anywhere and is_anywhere(peer))]
    texts = [*(_peer(peer, selector, space, own) for peer in rest), *anywhere]
    return ", ".join(dict.fromkeys(texts))


def _peer(peer: Mapping[str, Value], selector: Value, space: str, own: str) -> str:
    if "ipBlock" in peer:
        return as_code(str(_mapping(peer["ipBlock"])["cidr"]))
    if "namespaceSelector" not in peer:
        if _selector(peer) == selector:
            return _EACH_OTHER
        return _pods(_selector(peer), "" if space == own else space)
    spaces = _mapping(peer["namespaceSelector"])
    name = _mapping(spaces.get("matchLabels")).get(NAMESPACE_NAME)
    pods = _selector(peer)
    if name is not None:
        return _pods(pods, "" if name == own else str(name))
    return f"{_selected(pods) or 'every Pod'} in any namespace{_with(spaces)}"


def _pods(selector: Mapping[str, Value], space: str) -> str:
    return (_selected(selector) or "every Pod") + (f" in {as_code(space)}" if space else "")


def _selected(selector: Mapping[str, Value]) -> str:
    """Describe a Pod selector by its name label if that is the only one, or by all of its labels."""
    labels = _mapping(selector.get("matchLabels"))
    if set(labels) == {NAME} and "matchExpressions" not in selector:
        return as_code(str(labels[NAME]))
    return f"Pods{_with(selector)}" if selector else ""


def _with(selector: Mapping[str, Value]) -> str:
    labels = [as_code(f"{key}={value}") for key, value in _mapping(selector.get("matchLabels")).items()]
    labels += [as_code(str(_mapping(each)["key"])) for each in _list(selector.get("matchExpressions"))]
    return f" with {' and '.join(labels)}" if labels else ""


def _ports(ports: Value) -> str:
    entries = [_mapping(port) for port in _list(ports)]
    texts = [f"{port.get('port', _ANY_PORT)}{'/UDP' if port.get('protocol') == 'UDP' else ''}" for port in entries]
    return ", ".join(texts) or _ANY_PORT


def _selector(value: Mapping[str, Value]) -> Mapping[str, Value]:
    """Return the Pod selector in a policy or peer. An empty selector matches all Pods in the namespace."""
    return _mapping(value.get("podSelector"))


def _mapping(value: Value) -> Mapping[str, Value]:
    """Return the value as a mapping, or an empty mapping if the field is missing."""
    if value is None:
        return {}
    assert isinstance(value, (dict, Mapping))  # dict first, because an abstract class is slow to check
    return value


def _list(value: Value) -> Sequence[Value]:
    return cast("Sequence[Value]", value or ())
