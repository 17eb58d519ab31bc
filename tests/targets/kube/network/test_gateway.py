"""Tests that a Gateway is created if an HTTPRoute needs one, using TLS if there is a certificate."""

from __future__ import annotations

from tests.crds import problems
from tests.emitted import emitted_object, files, names
from tests.specs import VALID_SPEC, changed

EXISTING = "{name: edge, namespace: gateways, mirrors: true}"


def test_an_existing_gateway_is_used() -> None:
    assert names(VALID_SPEC, "Gateway") == []


def test_gateway_is_created_from_a_class() -> None:
    gateway = emitted_object(changed(EXISTING, "{class: cilium}"), "Gateway", "fraud")

    assert gateway["spec"]["gatewayClassName"] == "cilium"
    assert [(each["protocol"], each["port"]) for each in gateway["spec"]["listeners"]] == [("HTTP", 80)]
    assert problems(gateway) == []


def test_gateway_with_a_certificate_uses_https() -> None:
    gateway = emitted_object(changed(EXISTING, "{class: cilium, certificate: secret://vault/tls}"), "Gateway", "fraud")
    (listener,) = gateway["spec"]["listeners"]

    assert (listener["protocol"], listener["port"]) == ("HTTPS", 443)
    assert listener["tls"]["certificateRefs"] == [{"kind": "Secret", "name": "vault.tls"}]
    assert problems(gateway) == []


def test_no_gateway_without_a_route() -> None:
    text = changed(
        EXISTING,
        "{class: cilium}",
        (
            "      challenger: {model: fraud-xgb@candidate, replicas: 1}\n    traffic: {champion: 95, challenger: 5}\n",
            "",
        ),
        ("      exposure: internal\n      host: scores.acme.example\n", ""),
    )

    assert names(text, "Gateway") == []


def test_proxies_next_to_a_gateway_are_allowed() -> None:
    """A policy allows connections from the Gateway's proxies, which may be running in the system's namespace."""
    text = changed(EXISTING, "{class: istio}")
    policy = emitted_object(text, "NetworkPolicy", "gateway.proxies")["spec"]

    assert policy["podSelector"]["matchExpressions"][0]["key"] == "gateway.networking.k8s.io/gateway-name"
    assert (policy["ingress"], policy["egress"]) == ([{}], [{"to": [{"namespaceSelector": {}}]}])
    assert problems(emitted_object(text, "NetworkPolicy", "gateway.proxies")) == []
    assert "gateway.proxies" not in names(VALID_SPEC, "NetworkPolicy")
    assert "every namespace may call the servers behind a route" in files(text)["README.md"]
    assert "every namespace may call" not in files(VALID_SPEC)["README.md"]


def test_proxies_of_a_rollout_are_allowed() -> None:
    """The same policy covers proxies of Gateways that KubeRay creates for a rollout."""
    text = changed(
        EXISTING,
        "{class: istio}",
        (
            "      challenger: {model: fraud-xgb@candidate, replicas: 1}\n    traffic: {champion: 95, challenger: 5}\n",
            "",
        ),
        ("      exposure: internal\n      host: scores.acme.example\n", ""),
        ("    slo: {", "    rollout: {strategy: incremental}\n    slo: {"),
    )

    assert names(text, "Gateway") == []
    assert "gateway.proxies" in names(text, "NetworkPolicy")


def test_proxies_of_an_existing_gateway_in_our_namespace_are_allowed() -> None:
    """An existing Gateway's proxies in the system's namespace are allowed even if the spec names no namespace."""
    for gateway in ("{name: edge}", "{name: edge, namespace: fraud}"):
        text = changed(EXISTING, gateway)

        assert "gateway.proxies" in names(text, "NetworkPolicy")
        assert "Proxies in `fraud` itself have to fit" in files(text)["README.md"]
