"""Tests that network policies allow exactly the connections that the plan requires."""

from __future__ import annotations

from typing import Any

import pytest

from modelyard_targets.kube.network.policies import reach
from tests.lowering import Object, context_of, lowered
from tests.plans import plan_of
from tests.specs import VALID_SPEC, changed

ANYWHERE = [
    {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}},
    {"ipBlock": {"cidr": "::/0", "except": ["fe80::/10", "fd00:ec2::254/128"]}},
]
NAMESPACE = "kubernetes.io/metadata.name"
PROMETHEUS = {"podSelector": {"matchLabels": {"app.kubernetes.io/name": "prometheus"}}}
METRICS = [{"protocol": "TCP", "port": port} for port in (8080, 44217, 44227)]


def policy(text: str, name: str) -> Object:
    """Return the spec of a NetworkPolicy."""
    spec: Object = lowered(text).get("NetworkPolicy", name)["spec"]
    return spec


def peers(rules: list[Any], direction: str, port: int) -> list[Any]:
    """Return the peers allowed on a port by the given NetworkPolicy rules, ignoring rules for all ports."""
    return [
        peer for rule in rules for peer in rule[direction] if port in [entry["port"] for entry in rule.get("ports", [])]
    ]


def test_pods_in_one_ray_cluster_may_connect() -> None:
    """Pods in the same Ray cluster, selected by our own label, may connect to each other."""
    own = {"podSelector": {"matchLabels": {"app.kubernetes.io/name": "scorer-champion"}}}
    spec = policy(VALID_SPEC, "scorer-champion")

    assert spec["podSelector"] == own["podSelector"]
    assert {"from": [own]} in spec["ingress"]
    assert {"to": [own]} in spec["egress"]


def test_only_the_operator_reaches_the_dashboard() -> None:
    """Only KubeRay's operator can reach the Ray dashboard, which lets anyone run code in the cluster."""
    allowed = peers(policy(VALID_SPEC, "scorer-champion")["ingress"], "from", 8265)

    assert allowed == [
        {
            "namespaceSelector": {"matchLabels": {NAMESPACE: "kuberay-system"}},
            "podSelector": {"matchLabels": {"app.kubernetes.io/name": "kuberay-operator"}},
        }
    ]


def test_present_operator_may_be_in_any_namespace() -> None:
    text = changed("context: frankfurt", "context: frankfurt\n      present: [kuberay]")
    (peer,) = peers(policy(text, "scorer-champion")["ingress"], "from", 8265)

    assert peer["namespaceSelector"] == {}
    assert peer["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "kuberay-operator"}


def test_prometheus_may_only_reach_metrics_ports() -> None:
    text = changed("context: frankfurt", "context: frankfurt\n      telemetry: {namespace: watch}")
    peer = {"namespaceSelector": {"matchLabels": {NAMESPACE: "watch"}}, **PROMETHEUS}
    rules = [rule for rule in policy(text, "scorer-champion")["ingress"] if rule["from"] == [peer]]

    assert [[port["port"] for port in rule["ports"]] for rule in rules] == [[8080, 44217, 44227]]


def test_gateway_and_own_namespace_may_send_requests() -> None:
    allowed = peers(policy(VALID_SPEC, "scorer-champion")["ingress"], "from", 8000)
    namespaces = [peer["namespaceSelector"]["matchLabels"].get(NAMESPACE) for peer in allowed]

    assert namespaces == ["kuberay-system", "fraud", "gateways"]


def test_named_clients_replace_the_own_namespace() -> None:
    text = changed(
        "exposure: internal\n      host: scores.acme.example",
        "exposure: cluster\n      clients: [shop, till]",
        (
            "      challenger: {model: fraud-xgb@candidate, replicas: 1}\n    traffic: {champion: 95, challenger: 5}\n",
            "",
        ),
    )
    allowed = peers(policy(text, "scorer")["ingress"], "from", 8000)

    assert [peer["namespaceSelector"]["matchLabels"][NAMESPACE] for peer in allowed] == [
        "kuberay-system",
        "shop",
        "till",
    ]


def test_proxies_may_be_in_the_given_or_any_namespace() -> None:
    """Proxies may connect from the spec's namespace or, without one, from any. `clients` may connect as well."""
    existing, clients = (
        "gateway: {name: edge, namespace: gateways, mirrors: true}",
        "exposure: internal\n      clients: [shop]",
    )
    called = ("exposure: internal", clients)
    known = changed(existing, "gateway: {class: envoy, proxies: envoy-gateway-system}", called)
    unknown = changed(existing, "gateway: {class: envoy}", called)

    allowed = peers(policy(known, "scorer-champion")["ingress"], "from", 8000)
    namespaces = [peer["namespaceSelector"]["matchLabels"][NAMESPACE] for peer in allowed]
    assert namespaces == ["kuberay-system", "shop", "envoy-gateway-system"]
    assert {"namespaceSelector": {}} in peers(policy(unknown, "scorer-champion")["ingress"], "from", 8000)


def test_external_stores_open_a_port_on_declared_addresses() -> None:
    """An external store's port is open to `egress` addresses or, by default, to most addresses."""
    declared = changed(
        "context: frankfurt",
        "context: frankfurt\n      egress: [10.1.0.0/16, 10.2.0.0/16]",
        ("https://s3.acme.example", "https://s3.acme.example:9000"),
    )
    allowed = peers(policy(declared, "nightly")["egress"], "to", 9000)

    assert allowed == [{"ipBlock": {"cidr": "10.1.0.0/16"}}, {"ipBlock": {"cidr": "10.2.0.0/16"}}]
    assert peers(policy(VALID_SPEC, "nightly")["egress"], "to", 443) == ANYWHERE


def test_stores_in_the_cluster_open_their_namespace() -> None:
    text = changed("https://s3.acme.example", "http://minio.storage.svc.cluster.local:9000")
    spec = policy(text, "nightly")

    assert {"to": [{"namespaceSelector": {"matchLabels": {NAMESPACE: "storage"}}}]} in spec["egress"]
    assert not [rule for rule in spec["egress"] if rule["to"] == ANYWHERE]


def test_only_workloads_with_models_reach_the_registry() -> None:
    """Workloads that use models can reach the registry, but a custom pipeline without a model can't."""

    def reaches(name: str) -> bool:
        return bool(peers(policy(VALID_SPEC, name)["egress"], "to", 5000))

    assert [reaches(name) for name in ("retrain", "nightly", "report", "scorer-champion", "monitor-drift")] == [
        True,
        True,
        False,
        True,
        True,
    ]


def test_only_scaling_heads_launchers_and_triggers_reach_the_api() -> None:
    manifests = lowered(VALID_SPEC)
    reaching = [
        name
        for name in manifests.names("NetworkPolicy")
        if peers(manifests.get("NetworkPolicy", name)["spec"].get("egress", []), "to", 6443)
    ]

    assert reaching == [
        "nightly.head",
        "nightly-launcher",
        "report-launcher",
        "retrain.head",
        "retrain-launcher",
        "try-out-launcher",
        "scorer-champion.head",
        "monitor-drift",
    ]
    selected = manifests.get("NetworkPolicy", "scorer-champion.head")["spec"]["podSelector"]["matchLabels"]
    assert selected["ray.io/node-type"] == "head"


def test_api_rule_does_not_open_the_internet_with_egress() -> None:
    """With `egress`, a Ray head may reach the Kubernetes API only at listed and private addresses."""
    text = changed("      residency: eu\n", "      residency: eu\n      egress: [198.51.100.0/24]\n")
    allowed = peers(policy(text, "scorer-champion.head")["egress"], "to", 6443)

    assert {"ipBlock": {"cidr": "198.51.100.0/24"}} in allowed
    assert [peer for peer in allowed if peer["ipBlock"]["cidr"] in {"0.0.0.0/0", "::/0"}] == []
    assert peers(policy(VALID_SPEC, "scorer-champion.head")["egress"], "to", 6443) == ANYWHERE


def test_policy_names_are_unique() -> None:
    """A workload named like the head of another workload still gets its own policy."""
    text = VALID_SPEC.replace("  nightly:\n", "  scorer-champion-head:\n")
    names = lowered(text).names("NetworkPolicy")

    assert "scorer-champion-head" in names
    assert len(set(names)) == len(names)


def test_monitor_reaches_prometheus_and_accepts_no_connections() -> None:
    spec = policy(VALID_SPEC, "monitor-quality")

    peer = {"namespaceSelector": {"matchLabels": {NAMESPACE: "monitoring"}}, **PROMETHEUS}
    assert {"to": [peer], "ports": [{"protocol": "TCP", "port": 9090}]} in spec["egress"]
    assert "ingress" not in spec


def test_existing_prometheus_is_selected_by_namespace() -> None:
    """Policies allow all Pods in an existing Prometheus's namespace, because its labels and port are unknown."""
    text = changed("context: frankfurt", "context: frankfurt\n      present: [prometheus]")
    peer = {"namespaceSelector": {"matchLabels": {NAMESPACE: "monitoring"}}}

    assert {"to": [peer]} in policy(text, "monitor-quality")["egress"]
    assert {"from": [peer], "ports": METRICS} in policy(text, "scorer-champion")["ingress"]


def test_datasets_with_a_uri_are_allowed() -> None:
    """Workloads that read a dataset with a URI may connect to the URI's port."""
    text = changed(
        "  scores: {store: lake, path: scores/, format: parquet",
        '  scores: {uri: "http://files.acme.example:8443/scores", format: parquet',
    )

    assert peers(policy(text, "report")["egress"], "to", 8443) == ANYWHERE
    assert peers(policy(text, "retrain")["egress"], "to", 8443) == []


def reached(uri: str) -> list[dict[str, Any]]:
    """Return the egress rules that allow connections to a URI."""
    return [rule for rule in reach(uri, context_of(plan_of(VALID_SPEC))) if isinstance(rule, dict)]


@pytest.mark.parametrize(
    ("uri", "port"),
    [
        ("https://a.b.example", 443),
        ("http://a.b.example", 80),
        ("https://a.b.example:8443/x", 8443),
        ("s3://bucket/x", 443),
    ],
)
def test_port_comes_from_the_url(uri: str, port: int) -> None:
    (rule,) = reached(uri)

    assert rule["ports"] == [{"protocol": "TCP", "port": port}]


@pytest.mark.parametrize(
    ("uri", "where"),
    [
        ("http://minio.storage:9000", "storage"),
        ("https://minio.storage:9000", "storage"),
        ("http://minio:9000", "fraud"),
        ("postgresql://pg.data:9000", "data"),
    ],
)
def test_a_short_host_may_be_a_service(uri: str, where: str) -> None:
    """A short host name may be an in-cluster Service or an outside host, so policies allow both."""
    inside, outside = reached(uri)

    assert inside == {"to": [{"namespaceSelector": {"matchLabels": {NAMESPACE: where}}}]}
    assert outside["ports"] == [{"protocol": "TCP", "port": 9000}]


@pytest.mark.parametrize("uri", ["s3://bucket/x", "https://acme.example", "http://10.0.0.7:9000", "http://[::1]:80"])
def test_urls_of_external_hosts_have_one_rule(uri: str) -> None:
    assert len(reached(uri)) == 1


def test_private_addresses_are_not_repeated() -> None:
    text = changed("      gateway: {name", "      egress: [10.0.0.0/8]\n      gateway: {name")
    to = policy(text, "scorer-champion.head")["egress"][0]["to"]

    assert [peer["ipBlock"]["cidr"] for peer in to].count("10.0.0.0/8") == 1
