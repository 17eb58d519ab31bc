"""Tests that the network policy evaluator follows the API reference for each field."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from testbed.kubernetes.kubectl import Object
from testbed.kubernetes.network_policies import Network, Pod, matches

WEB = Pod("shop", "web", IPv4Address("10.0.0.1"), {"app": "web"}, {"http": 8080, "admin": 9000})
TILL = Pod("shop", "till", IPv4Address("10.0.0.2"), {"app": "till"})
SPY = Pod("other", "spy", IPv4Address("10.0.0.3"), {"app": "till"})
PODS = (WEB, TILL, SPY)
NAMESPACES = {"shop": {"team": "sales"}, "other": {"team": "none"}}


def network(*specs: Object, namespace: str = "shop") -> Network:
    """Return a network with the given policies in one namespace."""
    policies: list[Object] = [
        {"metadata": {"name": f"policy-{at}", "namespace": namespace}, "spec": spec} for at, spec in enumerate(specs)
    ]
    return Network(NAMESPACES, PODS, policies)


def ingress(*rules: Object) -> Object:
    """Return a network policy for the web Pod's ingress."""
    return {"podSelector": {"matchLabels": {"app": "web"}}, "ingress": list(rules)}


def test_without_a_policy_everything_is_open() -> None:
    assert network().connects(SPY, WEB, 8080)
    assert network().reaches(SPY, "8.8.8.8", 443)


def test_policy_without_rules_closes_its_direction() -> None:
    closed = network({"podSelector": {}, "policyTypes": ["Ingress"]})

    assert not closed.connects(TILL, WEB, 8080)
    assert closed.reaches(WEB, "8.8.8.8", 443)
    assert closed.connects(TILL, SPY, 8080)


def test_default_policy_types_follow_from_the_rules() -> None:
    """Without `policyTypes`, a policy applies to ingress, and to egress only if it has egress rules."""
    topology = network({"podSelector": {}, "egress": [{"ports": [{"port": 53, "protocol": "UDP"}]}]})

    assert topology.reaches(WEB, "8.8.8.8", 53, "UDP")
    assert not topology.reaches(WEB, "8.8.8.8", 53)
    assert not topology.connects(SPY, WEB, 8080)


def test_an_empty_rule_opens_everything() -> None:
    assert network(ingress({})).connects(SPY, WEB, 1)


def test_pod_selector_alone_matches_only_the_policys_namespace() -> None:
    topology = network(ingress({"from": [{"podSelector": {"matchLabels": {"app": "till"}}}]}))

    assert topology.connects(TILL, WEB, 8080)
    assert not topology.connects(SPY, WEB, 8080)


def test_both_selectors_of_one_peer_have_to_match() -> None:
    peer: Object = {
        "namespaceSelector": {"matchLabels": {"team": "none"}},
        "podSelector": {"matchLabels": {"app": "web"}},
    }

    assert not network(ingress({"from": [peer]})).connects(SPY, WEB, 8080)


def test_two_peers_are_alternatives() -> None:
    peers: list[Object] = [
        {"namespaceSelector": {"matchLabels": {"team": "none"}}},
        {"podSelector": {"matchLabels": {"app": "till"}}},
    ]
    topology = network(ingress({"from": [*peers]}))

    assert topology.connects(SPY, WEB, 8080)
    assert topology.connects(TILL, WEB, 8080)


def test_rules_of_several_policies_are_combined() -> None:
    topology = network({"podSelector": {}}, ingress({"ports": [{"port": 8080}]}))

    assert topology.connects(SPY, WEB, 8080)
    assert not topology.connects(SPY, TILL, 8080)


def test_egress_and_ingress_must_both_allow_a_connection() -> None:
    closed: Object = {"podSelector": {}, "policyTypes": ["Egress"]}
    topology = Network(
        NAMESPACES,
        PODS,
        [
            {"metadata": {"name": "out", "namespace": "other"}, "spec": closed},
            {"metadata": {"name": "in", "namespace": "shop"}, "spec": ingress({})},
        ],
    )

    assert not topology.connects(SPY, WEB, 8080)


def test_ip_block_exceptions_are_excluded() -> None:
    block: Object = {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}}
    topology = network({"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [block]}]})

    assert topology.reaches(WEB, "8.8.8.8", 443)
    assert not topology.reaches(WEB, "169.254.169.254", 80)


def test_port_range_includes_both_ends() -> None:
    topology = network(ingress({"ports": [{"port": 8000, "endPort": 8002}]}))

    assert [topology.connects(TILL, WEB, port) for port in (7999, 8000, 8002, 8003)] == [False, True, True, False]


def test_port_name_refers_to_a_port_of_the_target_pod() -> None:
    inside = network(ingress({"ports": [{"port": "http"}]}))
    leaving = network({"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"ports": [{"port": "admin"}]}]})

    assert inside.connects(TILL, WEB, 8080)
    assert not inside.connects(TILL, WEB, 9000)
    assert leaving.connects(TILL, WEB, 9000)
    assert not leaving.connects(TILL, SPY, 9000)


@pytest.mark.parametrize(
    ("operator", "values", "is_match"),
    [
        ("In", ["web"], True),
        ("In", ["till"], False),
        ("NotIn", ["web"], False),
        ("NotIn", ["till"], True),
        ("Exists", [], True),
        ("DoesNotExist", [], False),
    ],
)
def test_selector_expressions(operator: str, values: list[str], is_match: bool) -> None:
    expression: Object = {"key": "app", "operator": operator, "values": [*values]}

    assert matches({"matchExpressions": [expression]}, WEB.labels) is is_match
