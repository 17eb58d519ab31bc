"""Tests that add-on namespaces are closed except for the connections each add-on requires."""

from __future__ import annotations

from functools import cache

import pytest

from modelyard_targets.kube.access.namespace import CLOSED
from modelyard_targets.kube.addons.addon_network import lower_addon_network
from modelyard_targets.kube.placement.charts import charts
from testbed.kubernetes.network_policies import Network
from tests.connections import ADDON_PODS, STRANGER, network_of, pods_by_name, system_pods
from tests.emitted import argument, calls, context, emitted, names
from tests.specs import VALID_SPEC, changed

API = "10.0.0.1"
FRANKFURT = "context: frankfurt"
HERE = {name: pod for name, pod in ADDON_PODS.items() if pod[0] != "envoy-gateway-system"}
PODS = {**HERE, **system_pods("fraud", "fraud", "scorer-champion", "retrain", "monitor-drift")}


@cache
def network(text: str = VALID_SPEC) -> Network:
    """Return the simulated network of a cluster with the emitted policies."""
    return network_of(emitted(text), PODS)


def sources(target: str, port: int, text: str = VALID_SPEC) -> list[str]:
    """Return the names of the Pods that can connect to a port of a Pod."""
    topology = network(text)
    destination = pods_by_name(topology)[target]
    return [pod.name for pod in topology.pods if pod != destination and topology.connects(pod, destination, port)]


@pytest.mark.parametrize(
    ("target", "port", "expected"),
    [
        ("prometheus", 9090, ["grafana", "pipeline", "monitor", "promoter"]),
        ("alertmanager", 9093, ["prometheus"]),
        ("alertmanager", 9094, []),
        ("grafana", 3000, ["prometheus"]),
        ("kube-state-metrics", 8080, ["prometheus"]),
        ("prometheus-operator", 8080, ["prometheus"]),
        ("kuberay", 8080, []),
        ("secrets", 8080, []),
        ("databases", 8080, []),
        ("server", 8265, ["kuberay"]),
        ("database", 5432, ["databases", "registry"]),
    ],
)
def test_ports_are_open_only_to_expected_pods(target: str, port: int, expected: list[str]) -> None:
    """Only monitors, pipeline drivers and the promoter may push metrics. Only Prometheus may call Alertmanager."""
    assert sources(target, port) == expected


def test_prometheus_scrapes_the_operator_for_single_runs() -> None:
    text = changed('schedule: {cron: "0 4 * * 0", timeZone: Europe/Berlin}', "schedule: once")

    assert sources("kuberay", 8080, text.replace("run: pipelines.retrain, cooldown: 3d", "rollback: true")) == [
        "prometheus"
    ]


def test_pod_in_another_namespace_reaches_nothing() -> None:
    topology = network()
    stranger = pods_by_name(topology)[STRANGER]
    reached = [
        (pod.name, port)
        for pod in topology.pods
        for port in (3000, 5000, 8080, 8265, 9090, 9093, 9443)
        if pod.namespace != STRANGER and topology.connects(stranger, pod, port)
    ]

    assert reached == [("databases", 9443)]  # a webhook, which accepts any address


@pytest.mark.parametrize(("target", "port"), [("secrets-webhook", 10250), ("databases", 9443)])
def test_the_api_server_reaches_webhooks_from_any_address(target: str, port: int) -> None:
    topology = network()

    assert topology.admits(pods_by_name(topology)[target], "203.0.113.7", port)
    assert not topology.admits(pods_by_name(topology)[target], "203.0.113.7", 8080)


def test_operators_reach_the_api_and_no_other_address() -> None:
    text = changed(FRANKFURT, f"{FRANKFURT}\n      egress: [10.1.0.0/16]")
    topology = network(text)

    for name in ("kuberay", "databases", "prometheus-operator", "kube-state-metrics", "grafana"):
        assert topology.reaches(pods_by_name(topology)[name], API, 443)
        assert not topology.reaches(pods_by_name(topology)[name], "8.8.8.8", 443)
        assert not topology.reaches(pods_by_name(topology)[name], API, 80)


def test_prometheus_scrapes_every_namespace() -> None:
    topology = network()
    pods = pods_by_name(topology)

    assert topology.connects(pods["prometheus"], pods["server"], 8080)
    assert topology.connects(pods["prometheus"], pods["database"], 9187)
    assert not topology.connects(pods["grafana"], pods["server"], 8080)
    assert topology.reaches(pods["prometheus"], API, 10250)


@pytest.mark.parametrize(
    ("channel", "near", "far"),
    [
        ("{type: pagerduty, key: secret://vault/pagerduty#fraud}", [443], [443]),
        ('{type: slack, url: "secret://vault/slack#url"}', [443], [443]),
        ('{type: webhook, url: "secret://vault/hook#url"}', [25, 443, 587], [25, 443, 587]),
        (
            "{type: email, to: a@acme.example, from: b@acme.example, smarthost: 'mail.acme.example:587'}",
            [443, 587],
            [587],
        ),
    ],
)
def test_alertmanager_reaches_what_its_channels_need(channel: str, near: list[int], far: list[int]) -> None:
    """Alertmanager can reach its channels' services even outside `egress`, which still restricts workloads."""
    text = changed(
        FRANKFURT,
        f"{FRANKFURT}\n      egress: [10.1.0.0/16]",
        ("{type: pagerduty, key: secret://vault/pagerduty#fraud}", channel),
    )
    topology = network(text)
    alertmanager = pods_by_name(topology)["alertmanager"]

    assert [port for port in (25, 443, 587) if topology.reaches(alertmanager, "10.1.0.9", port)] == near
    assert [port for port in (25, 443, 587) if topology.reaches(alertmanager, "8.8.8.8", port)] == far
    assert not topology.reaches(alertmanager, "169.254.169.254", 443)
    assert not topology.reaches(pods_by_name(topology)["server"], "8.8.8.8", 443)


def test_charts_depend_on_network_policies() -> None:
    components = calls(VALID_SPEC)

    assert argument(components["addons"], "files") == ("addons.yaml",)
    for addon in ("kuberay", "prometheus", "external-secrets", "cloudnative-pg"):
        assert "addons_network" in [ref.variable for ref in argument(components[charts()[addon].chart], "depends_on")]


def test_namespaces_of_present_add_ons_are_unchanged() -> None:
    text = changed(FRANKFURT, f"{FRANKFURT}\n      present: [kuberay, prometheus, external-secrets, cloudnative-pg]")

    assert list(lower_addon_network(context(text))) == []
    assert "addons" not in calls(text)
    assert names(text, "NetworkPolicy").count("deny-all") == 1


def test_each_add_on_namespace_is_closed() -> None:
    metadata = [item.manifest["metadata"] for item in lower_addon_network(context(VALID_SPEC))]
    closed = {str(each["namespace"]) for each in metadata if isinstance(each, dict) and each["name"] in CLOSED}

    assert closed == {"monitoring", "kuberay-system", "external-secrets", "cnpg-system"}
