"""Tests the checks for IP addresses used as hosts, ports blocked by clouds, and tokens shared by endpoints."""

from __future__ import annotations

import pytest

from tests.compiler.checks.checked_specs import codes_in, places_in, where
from tests.specs import changed

ONCALL = "oncall: {type: pagerduty, key: secret://vault/pagerduty#fraud}"
MAIL = "oncall: {{type: email, to: a@acme.example, from: b@acme.example, smarthost: '{}'}}"
CLOUD = (
    "deployment:\n  mode: on-prem\n  targets:\n",
    "deployment:\n  mode: hybrid\n  targets:\n    far: {provider: aws, region: eu-central-1}\n",
)
ELSEWHERE = ("  placement: {default: main}", "  placement: {default: main, monitors: main}")
HOST = "      host: scores.acme.example\n"
TOKEN = "      auth: {type: bearer-token, token: secret://vault/scorer#token}\n"
SECOND = """  second:
    variants: {only: {model: fraud-xgb@champion}}
    compute: cpu
    endpoint: {clients: [shop], auth: {type: bearer-token, %s}}
monitors:
"""


@pytest.mark.parametrize(("port", "codes"), [(25, ["W0910"]), (587, []), (2525, []), (465, [])])
def test_port_25_is_reported_only_in_clouds(port: int, codes: list[str]) -> None:
    """Clouds block outgoing port 25. A company's own network does not."""
    mail = MAIL.format(f"smtp.acme.example:{port}")

    assert codes_in(changed(ONCALL, mail, CLOUD)) == codes
    assert codes_in(changed(ONCALL, mail)) == []


@pytest.mark.parametrize(("host", "codes"), [("10.20.0.15", ["E0913"]), ("10.20.0.15.acme.example", [])])
def test_an_ip_address_as_endpoint_host_is_reported(host: str, codes: list[str]) -> None:
    assert codes_in(changed(HOST, f"      host: {host}\n")) == codes


@pytest.mark.parametrize(
    ("old", "new", "pointed"),
    [
        ('endpoint: "https://s3.acme.example"', 'endpoint: "https://10.0.0.5"', '"https://10.0.0.5"'),
        ("{database: runs, artifacts: lake}", '{adopt: "https://10.0.0.5:5000/x"}', '"https://10.0.0.5:5000/x"'),
        (
            "      context: frankfurt\n",
            '      context: frankfurt\n      headState: {redis: "rediss://10.0.0.5:6379"}\n',
            '"rediss://10.0.0.5:6379"',
        ),
        (
            "      context: frankfurt\n",
            '      context: frankfurt\n      telemetry: {remoteWrite: "https://10.0.0.5/write"}\n',
            '"https://10.0.0.5/write"',
        ),
        (
            "      context: frankfurt\n",
            '      context: frankfurt\n      telemetry: {prometheus: "https://10.0.0.5:9090"}\n',
            '"https://10.0.0.5:9090"',
        ),
        (ONCALL, MAIL.format("10.0.0.5:587"), "'10.0.0.5:587'"),
    ],
)
def test_tls_to_an_ip_address_is_reported(old: str, new: str, pointed: str) -> None:
    """An IP address is reported in every field whose address is called over TLS."""
    spec = changed(old, new)

    assert where(spec, pointed, "W0914") in places_in(spec)
    assert codes_in(spec).count("W0914") == 1


def test_an_ip_address_without_tls_is_not_reported_here() -> None:
    """Sending credentials to such an address unencrypted is reported by a different check."""
    spec = changed('endpoint: "https://s3.acme.example"', 'endpoint: "http://10.0.0.5"')

    assert "W0914" not in codes_in(spec)


@pytest.mark.parametrize(
    ("auth", "codes"),
    [
        ("token: secret://vault/scorer#token", ["W0912"]),
        ("tokens: {shop: secret://vault/shop#token, app: secret://vault/scorer#token}", ["W0912"]),
        ("token: secret://vault/scorer#other", []),
        ("token: secret://vault/second#token", []),
        ("token: secret://vault/pagerduty#fraud", ["W0912"]),
    ],
)
def test_a_token_shared_between_endpoints_is_reported(auth: str, codes: list[str]) -> None:
    """An endpoint's token must not be used for another endpoint or for a channel."""
    assert codes_in(changed("monitors:\n", SECOND % auth)) == codes


def test_a_shared_token_is_reported_at_its_second_use() -> None:
    """The diagnostic points at the second use of the token."""
    spec = changed("monitors:\n", SECOND % "tokens: {app: secret://vault/scorer#token}")

    assert places_in(spec) == [where(spec, "secret://vault/scorer#token}}}", "W0912")]


FAR = """    far: {provider: kubernetes, context: far, residency: eu, secretStores: {vault: {via: %s}}}
"""


@pytest.mark.parametrize(
    ("store", "via", "codes"),
    [
        ("vault", "external-secrets, store: vault", ["W0912"]),
        ("vault", "external-secrets, store: other", []),
        ("vault", "existing", []),
        ("kubernetes", "external-secrets, store: vault", []),
    ],
)
def test_equal_secret_names_in_two_clusters_may_be_separate_secrets(store: str, via: str, codes: list[str]) -> None:
    """Two secrets with the same name only count as one if both clusters fetch it from the same external store."""
    second = SECOND.replace("    compute: cpu\n", "    compute: cpu\n    target: far\n")
    spec = changed(
        "monitors:\n",
        second % f"token: secret://{store}/scorer#token",
        ("token: secret://vault/scorer#token", f"token: secret://{store}/scorer#token"),
        ("  placement: {default: main}\n", FAR % via + "  placement: {default: main}\n"),
    )

    assert codes_in(spec) == codes
