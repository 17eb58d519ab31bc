"""Tests that the README's table lists exactly the connections allowed by the network policies."""

from __future__ import annotations

import pytest

from modelyard.stack import Manifest, Value
from modelyard_targets.kube.readme.open_connections import open_connections
from tests.connection_table import Table, rows_of
from tests.connections import ADDON_PODS, STRANGER, network_of, pods_by_name, system_pods
from tests.emitted import emitted, files
from tests.specs import VALID_SPEC, changed

PORTS = (3000, 5000, 5432, 6379, 8000, 8080, 8265, 9090, 9093, 9094, 9187, 9443, 10250)
PODS = {
    **{name: pod for name, pod in ADDON_PODS.items() if pod[0] != "envoy-gateway-system"},
    **system_pods("fraud", "fraud", "scorer-champion", "retrain", "monitor-drift"),
}
SPECS = {
    "all add-ons": VALID_SPEC,
    "bounded egress": changed("context: frankfurt", "context: frankfurt\n      egress: [10.1.0.0/16]"),
    "clients": changed(
        "exposure: internal\n      host: scores.acme.example",
        f"exposure: cluster\n      clients: [{STRANGER}]",
        (
            "      challenger: {model: fraud-xgb@candidate, replicas: 1}\n    traffic: {champion: 95, challenger: 5}\n",
            "",
        ),
    ),
}


@pytest.mark.parametrize("name", SPECS)
def test_the_table_lists_what_the_policies_allow(name: str) -> None:
    """The README's table matches the network policies for each pair of Pods in closed namespaces."""
    text = SPECS[name]
    network = network_of(emitted(text), PODS)
    table = Table(rows_of(files(text)["README.md"]), "fraud", network)
    closed = [pod for pod in network.pods if pod.namespace != STRANGER]
    pairs = [(source, target, port) for source in closed for target in closed for port in PORTS if source != target]

    assert len(table.rows) > 20
    assert {(a.name, b.name, port) for a, b, port in pairs if table.connects(a, b, port)} == {
        (a.name, b.name, port) for a, b, port in pairs if network.connects(a, b, port)
    }


def test_missing_row_is_detected() -> None:
    network = network_of(emitted(VALID_SPEC), PODS)
    rows = rows_of(files(VALID_SPEC)["README.md"])
    pods = pods_by_name(network)
    without = tuple(row for row in rows if "9093" not in row.ports)

    assert Table(rows, "fraud", network).connects(pods["prometheus"], pods["alertmanager"], 9093)
    assert not Table(without, "fraud", network).connects(pods["prometheus"], pods["alertmanager"], 9093)


def test_equal_rules_share_a_row() -> None:
    rule: Value = {"from": [{"namespaceSelector": {}}], "ports": [{"protocol": "TCP", "port": 8000}]}
    policies: list[Manifest] = [
        {
            "metadata": {"name": name, "namespace": "shop"},
            "spec": {"podSelector": {"matchLabels": {"app.kubernetes.io/name": name}}, "ingress": [rule]},
        }
        for name in ("one", "two")
    ]
    (row,) = open_connections(policies, "shop")

    assert (row.pods, row.peers, row.ports) == ("`one`, `two`", "every Pod in any namespace", "8000")


@pytest.mark.parametrize("spec", [None, {}, {"podSelector": None}, {"ingress": [{"ports": [{"protocol": "TCP"}]}]}])
def test_policy_without_a_selector_applies_to_every_pod(spec: Value) -> None:
    """A policy without a selector, e.g. from an override, is listed as applying to every Pod."""
    policy: Manifest = {"metadata": {"name": "closed", "namespace": "shop"}, "spec": spec}

    assert {(row.pods, row.ports) for row in open_connections([policy], "shop")} <= {("every Pod", "any")}


def test_an_override_that_removes_a_selector_is_listed() -> None:
    override = (
        "{object: NetworkPolicy/monitor-drift, patch: [{op: remove, path: /spec/podSelector}], reason: Debugging.}"
    )
    text = f"{VALID_SPEC}overrides: {{all: {override}}}\n"

    assert any("every Pod" in row.pods for row in rows_of(files(text)["README.md"]))
