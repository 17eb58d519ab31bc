"""Tests that a channel receives all alerts with its label and one of its severities."""

from __future__ import annotations

from typing import Any

import pytest

from modelyard_targets.kube.monitoring.channels import channel_label
from tests.emitted import emitted_object, names
from tests.specs import VALID_SPEC, changed

MONITOR = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: mini}
governance: {owner: {team: fresh, email: fresh@acme.example, oncall: oncall}}
deployment:
  mode: on-prem
  provider: kubernetes
  context: c
  capacity: [{count: 3, cpu: 8, memory: 32Gi}]
  secretStores: {vault: {via: existing}}
registry: {adopt: "https://mlflow.acme.example"}
stores: {lake: {type: object, adopt: lake, endpoint: "https://s3.acme.example", credentials: "secret://vault/lake"}}
data: {x: {store: lake, path: x, format: parquet, timestamp: at}}
monitors:
  fresh: {type: data-quality, watch: data.x, checks: {freshness_s: {max: 90000}}, onBreach: {notify: [team]}}
channels:
  oncall: {type: pagerduty, key: "secret://vault/pd#key"}
  team: {type: slack, url: "secret://vault/slack#url"}
"""
"""A system whose only alerts go to a channel other than the owner's."""

URGENCY = '{{ if eq .CommonLabels.severity "page" "critical" }}critical{{ else }}warning{{ end }}'
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
                    "severity": URGENCY,
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


@pytest.mark.parametrize(("severity", "urgency"), [("page", "critical"), ("ticket", "warning")])
def test_channel_with_one_severity_gets_all_cluster_alerts_with_that_severity(severity: str, urgency: str) -> None:
    """No other channel gets cluster alerts, so they take the channel's severity, like the system's own alerts."""
    key = "key: secret://vault/pagerduty#fraud"
    text = changed(f"{key}}}", f"{key}, severities: [{severity}]}}")
    if severity == "ticket":
        text = text.replace("severity: page", "severity: ticket")

    spec = emitted_object(text, "AlertmanagerConfig", "fraud-cluster")["spec"]
    assert spec["route"]["matchers"][1]["value"] == "critical|warning"
    assert spec["receivers"][0]["pagerdutyConfigs"][0]["severity"] == urgency


@pytest.mark.parametrize("name", ["oncall", "fraud-cluster"])
def test_alerts_of_different_severity_are_never_in_one_group(name: str) -> None:
    """Groups never mix severities, because a page would then arrive as a warning.

    The common labels of a mixed group would have no severity.
    """
    assert "severity" in emitted_object(VALID_SPEC, "AlertmanagerConfig", name)["spec"]["route"]["groupBy"]


def test_cluster_alerts_reach_the_owner_if_every_alert_has_its_own_channel() -> None:
    assert sorted(names(MONITOR, "AlertmanagerConfig")) == ["mini-cluster", "oncall", "team"]


def test_existing_prometheus_has_no_cluster_channel() -> None:
    text = changed("      residency: eu\n", "      residency: eu\n      present: [prometheus]\n")

    assert names(text, "AlertmanagerConfig") == ["oncall"]
