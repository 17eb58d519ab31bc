"""A Gateway is made from a class where a route needs it, with TLS where there is a certificate."""

from __future__ import annotations

from tests.crds import problems
from tests.emitted import names, one
from tests.specs import VALID_SPEC, changed

EXISTING = "{name: edge, namespace: gateways, mirrors: true}"


def test_an_existing_gateway_is_used() -> None:
    assert names(VALID_SPEC, "Gateway") == []


def test_one_is_made_from_a_class() -> None:
    made = one(changed(EXISTING, "{class: cilium}"), "Gateway", "fraud")

    assert made["spec"]["gatewayClassName"] == "cilium"
    assert [(each["protocol"], each["port"]) for each in made["spec"]["listeners"]] == [("HTTP", 80)]
    assert problems(made) == []


def test_a_certificate_makes_it_https() -> None:
    made = one(changed(EXISTING, "{class: cilium, certificate: secret://vault/tls}"), "Gateway", "fraud")
    (listener,) = made["spec"]["listeners"]

    assert (listener["protocol"], listener["port"]) == ("HTTPS", 443)
    assert listener["tls"]["certificateRefs"] == [{"kind": "Secret", "name": "vault.tls"}]
    assert problems(made) == []


def test_none_is_made_where_no_route_needs_it() -> None:
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
