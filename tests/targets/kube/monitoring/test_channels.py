"""Tests that a channel receives all alerts with its label and one of its severities."""

from __future__ import annotations

from typing import Any

import pytest

from modelyard_targets.kube.monitoring.channels import channel_label
from tests.emitted import emitted_object, names
from tests.specs import VALID_SPEC, changed

PAGERDUTY = "{type: pagerduty, key: secret://vault/pagerduty#fraud}"


def receiver(channel: str) -> dict[str, Any]:
    (config,) = emitted_object(changed(PAGERDUTY, channel), "AlertmanagerConfig", "oncall")["spec"]["receivers"]
    return {key: value[0] for key, value in config.items() if key != "name"}


def test_route_matches_the_channels_label() -> None:
    route = emitted_object(VALID_SPEC, "AlertmanagerConfig", "oncall")["spec"]["route"]

    assert [(each["name"], each["matchType"], each["value"]) for each in route["matchers"]] == [
        ("channel_oncall", "=", "true"),
        ("severity", "=~", "page|ticket"),
    ]


def test_severities_are_those_of_the_spec() -> None:
    text = changed(PAGERDUTY, "{type: pagerduty, key: secret://vault/pagerduty#fraud, severities: [page]}")
    route = emitted_object(text, "AlertmanagerConfig", "oncall")["spec"]["route"]

    assert route["matchers"][1]["value"] == "page"


def test_channel_label_has_no_dashes() -> None:
    assert channel_label("fraud-on-call") == "channel_fraud_on_call"


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        (
            PAGERDUTY,
            {
                "pagerdutyConfigs": {
                    "routingKey": {"name": "vault.pagerduty", "key": "fraud"},
                    "severity": '{{ if eq .CommonLabels.severity "page" }}critical{{ else }}warning{{ end }}',
                    "sendResolved": True,
                }
            },
        ),
        (
            '{type: slack, url: "secret://vault/slack#url", room: "#fraud"}',
            {
                "slackConfigs": {
                    "apiURL": {"name": "vault.slack", "key": "url"},
                    "channel": "#fraud",
                    "sendResolved": True,
                }
            },
        ),
        (
            '{type: webhook, url: "secret://vault/hook#url"}',
            {"webhookConfigs": {"urlSecret": {"name": "vault.hook", "key": "url"}, "sendResolved": True}},
        ),
        (
            '{type: email, to: a@acme.example, from: b@acme.example, smarthost: "mail.acme.example:587", username: b, '
            "password: secret://vault/mail#password}",
            {
                "emailConfigs": {
                    "to": "a@acme.example",
                    "from": "b@acme.example",
                    "smarthost": "mail.acme.example:587",
                    "authUsername": "b",
                    "authPassword": {"name": "vault.mail", "key": "password"},
                    "requireTLS": True,
                    "sendResolved": True,
                }
            },
        ),
    ],
)
def test_every_type_has_its_receiver(channel: str, expected: dict[str, Any]) -> None:
    assert receiver(channel) == expected


def test_channel_has_the_labels_of_the_clusters_prometheus() -> None:
    text = changed("      residency: eu\n", "      residency: eu\n      telemetry: {labels: {release: platform}}\n")

    assert emitted_object(text, "AlertmanagerConfig", "oncall")["metadata"]["labels"]["release"] == "platform"


def test_cluster_alerts_go_to_the_on_call_channel() -> None:
    """Cluster alerts come from all namespaces, so a configuration in Alertmanager's own namespace routes them."""
    config = emitted_object(VALID_SPEC, "AlertmanagerConfig", "fraud-cluster")

    assert config["metadata"]["namespace"] == "monitoring"
    assert config["spec"]["route"]["matchers"] == [
        {"name": "modelyard_alerts", "value": "cluster", "matchType": "="},
        {"name": "severity", "value": "critical|warning", "matchType": "=~"},
    ]
    assert (
        config["spec"]["receivers"] == emitted_object(VALID_SPEC, "AlertmanagerConfig", "oncall")["spec"]["receivers"]
    )


@pytest.mark.parametrize("severity", ["page", "ticket"])
def test_channel_with_one_severity_gets_all_cluster_alerts(severity: str) -> None:
    """The on-call channel gets all cluster alerts, whatever its own severities are."""
    key = "key: secret://vault/pagerduty#fraud"
    text = changed(f"{key}}}", f"{key}, severities: [{severity}]}}")
    if severity == "ticket":
        text = text.replace("severity: page", "severity: ticket")

    matcher = emitted_object(text, "AlertmanagerConfig", "fraud-cluster")["spec"]["route"]["matchers"][1]
    assert matcher["value"] == "critical|warning"


def test_existing_prometheus_has_no_cluster_channel() -> None:
    text = changed("      residency: eu\n", "      residency: eu\n      present: [prometheus]\n")

    assert names(text, "AlertmanagerConfig") == ["oncall"]
