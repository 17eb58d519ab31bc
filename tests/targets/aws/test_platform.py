"""Tests the output for EKS: values from the infrastructure project, Gateways and network access."""

from __future__ import annotations

from typing import Any

from tests.connections import ADDON_PODS, network_of, pods_by_name
from tests.crds import problems
from tests.targets.aws.emitted import AWS_SPEC, argument, calls, changed, context, emitted, emitted_object, names
from tests.targets.aws.infrastructure import LEADS, refused
from tests.targets.aws.infrastructure import changed as changed_leads

CERTIFICATE = ("  vpc:", "  gateway: {class: other, certificate: secret://manager/tls}\n  vpc:")
PUBLIC = ("exposure: internal", "exposure: public, host: s.acme.example")
AGENT = {
    "to": [{"ipBlock": {"cidr": "169.254.170.23/32"}}, {"ipBlock": {"cidr": "fd00:ec2::23/128"}}],
    "ports": [{"protocol": "TCP", "port": 80}],
}


def egress(policy: str, text: str = AWS_SPEC) -> list[Any]:
    """Return the egress rules of a NetworkPolicy."""
    rules: list[Any] = emitted_object("NetworkPolicy", policy, text)["spec"]["egress"]
    return rules


def _space(name: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def test_kubeconfig_comes_from_the_infrastructure_project() -> None:
    components = calls()

    assert components["infrastructure"].name == "leads-main-infrastructure"
    assert argument(components["cluster"], "kubeconfig") == "the kubeconfig"


def test_runtime_image_is_in_the_accounts_registry() -> None:
    text = changed(("  vpc:", '  account: "123456789012"\n  vpc:'))
    repository = "leads-prod-main/leads-runtime:"

    assert context(text).runtime_image.startswith(f"123456789012.dkr.ecr.eu-central-1.amazonaws.com/{repository}")
    assert "images" not in dict(calls(text)["foundation"].arguments)


def test_registry_placeholder_is_used_without_an_account() -> None:
    components = calls()

    assert context().runtime_image.startswith("registry.invalid/leads-prod-main/leads-runtime:")
    for name in ("foundation", "workloads"):
        assert argument(components[name], "images") == {"registry.invalid": "the image_registry"}


def test_declared_registry_is_used() -> None:
    text = changed(("  vpc:", "  images: {registry: registry.acme.example/ml}\n  vpc:"))

    assert context(text).runtime_image.startswith("registry.acme.example/ml/leads-runtime:")
    assert "images" not in dict(calls(text)["foundation"].arguments)


def test_heads_and_launchers_are_on_the_system_pool() -> None:
    server = emitted_object("RayService", "score")["spec"]["rayClusterConfig"]

    assert server["headGroupSpec"]["template"]["spec"]["nodeSelector"] == {"modelyard.dev/pool": "system"}
    (workers,) = server["workerGroupSpecs"]
    assert workers["template"]["spec"]["nodeSelector"] == {"modelyard.dev/pool": "small"}


def test_pod_with_a_bucket_reaches_the_identity_agent() -> None:
    assert AGENT in egress("score")
    assert AGENT in egress("fit")


def test_launcher_does_not_reach_the_identity_agent() -> None:
    """A launcher may not connect to the Pod Identity agent, because it calls only the Kubernetes API."""
    text = changed(("compute: gpu}", "compute: gpu, schedule: {cron: '0 4 * * 0'}}"))

    assert AGENT not in egress("fit-launcher", text)


def test_the_registry_reaches_its_database_within_the_network() -> None:
    assert {
        "to": [{"ipBlock": {"cidr": "10.20.0.0/16"}}],
        "ports": [{"protocol": "TCP", "port": 5432}],
    } in egress("mlflow")


def test_workloads_have_region_but_no_endpoint_or_key() -> None:
    (workers,) = emitted_object("RayService", "score")["spec"]["rayClusterConfig"]["workerGroupSpecs"]
    (container,) = workers["template"]["spec"]["containers"]
    environment = {each["name"]: each.get("value") for each in container["env"]}

    assert environment["AWS_DEFAULT_REGION"] == "eu-central-1"
    assert not [name for name in environment if "ENDPOINT" in name or "ACCESS_KEY" in name]


def test_gateway_is_created_if_a_route_needs_it() -> None:
    assert names("GatewayClass") == ["envoy"]
    assert names("Gateway") == ["leads"]
    assert emitted_object("Gateway", "leads")["spec"]["gatewayClassName"] == "envoy"
    assert names("Gateway", changed(("exposure: internal", "exposure: cluster"))) == []
    assert "envoy_gateway" not in calls(changed(("exposure: internal", "exposure: cluster")))


def test_proxies_reach_the_servers() -> None:
    rules = emitted_object("NetworkPolicy", "score")["spec"]["ingress"]
    spaces = [
        each["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
        for rule in rules
        for each in rule["from"]
        if "matchLabels" in each.get("namespaceSelector", {}) and "podSelector" not in each
    ]

    assert "envoy-gateway-system" in spaces


def test_prometheus_scrapes_the_proxies() -> None:
    text = changed(("inference:\n  score:\n", "inference:\n  score:\n    slo: {availability: 99.9%}\n"))
    topology = network_of(emitted(text), ADDON_PODS)
    pods = pods_by_name(topology)

    assert "gateways" in names("PodMonitor", text)
    assert topology.connects(pods["prometheus"], pods["proxy"], 19001)
    assert not topology.connects(pods["grafana"], pods["proxy"], 19001)


def test_public_routes_have_their_own_gateway() -> None:
    more = (
        "inference:\n",
        "inference:\n  inner:\n    variants: {only: {model: churn@champion}}\n    compute: small\n"
        "    endpoint: {exposure: internal, auth: {type: bearer-token, token: 'secret://manager/token#value'}}\n",
    )
    text = changed(CERTIFICATE, PUBLIC, more)
    internal = "service.beta.kubernetes.io/aws-load-balancer-internal"

    assert names("Gateway", text) == ["leads", "leads-public"]
    for name, answer in (("leads", "true"), ("leads-public", "false")):
        assert emitted_object("Gateway", name, text)["spec"]["infrastructure"]["annotations"][internal] == answer
    assert emitted_object("HTTPRoute", "score", text)["spec"]["parentRefs"][0]["name"] == "leads-public"
    assert emitted_object("HTTPRoute", "inner", text)["spec"]["parentRefs"][0]["name"] == "leads"


SPLIT = (
    "    variants: {only: {model: churn@champion}}\n    compute: small\n    endpoint: {exposure: internal, ",
    "    variants: {only: {model: churn@champion}, other: {model: churn@candidate}}\n"
    "    traffic: {only: 50, other: 50}\n    compute: small\n    endpoint: {exposure: cluster, ",
)
INNER = (
    "inference:\n",
    "inference:\n  inner:\n    variants: {only: {model: churn@champion}}\n    compute: small\n"
    "    endpoint: {exposure: internal, path: /inner, auth: {type: bearer-token, token: 'secret://manager/token#value'}}\n",
)
OWN = ("  vpc:", "  gateway: {class: envoy, certificate: secret://manager/tls}\n  vpc:")


def test_cluster_exposure_has_no_load_balancer() -> None:
    """An endpoint with `cluster` exposure and split traffic gets a Gateway whose Service type is ClusterIP."""
    text = changed(SPLIT, INNER)

    assert names("GatewayClass", text) == ["envoy-cluster", "envoy"]
    assert names("Gateway", text) == ["leads-cluster", "leads"]
    assert emitted_object("HTTPRoute", "score", text)["spec"]["parentRefs"][0]["name"] == "leads-cluster"
    assert argument(calls(text)["envoy-cluster_proxies"], "document")["spec"]["provider"]["kubernetes"][
        "envoyService"
    ] == {"type": "ClusterIP"}


def test_incremental_rollout_uses_the_class_for_its_exposure() -> None:
    before = "    compute: small\n    endpoint: {exposure: internal,"
    for exposure, expected in (("internal", "envoy"), ("cluster", "envoy-cluster")):
        after = f"    compute: small\n    rollout: {{strategy: incremental}}\n    endpoint: {{exposure: {exposure},"
        text = changed((before, after))
        options = emitted_object("RayService", "score", text)["spec"]["upgradeStrategy"]["clusterUpgradeOptions"]

        assert options["gatewayClassName"] == expected
        assert names("GatewayClass", text) == [expected]
        assert refused(changed_leads((before, after), text=LEADS)) == []


def test_controller_is_installed_if_its_class_is_named() -> None:
    """Naming our GatewayClass in the spec installs its controller. The Gateway may have a certificate."""
    text = changed(OWN, PUBLIC)

    assert "envoy_gateway" in calls(text)
    assert names("Gateway", text) == ["leads-public"]
    assert emitted_object("Gateway", "leads-public", text)["spec"]["listeners"][0]["protocol"] == "HTTPS"
    assert emitted_object("ExternalSecret", "manager.tls", text)["spec"]["target"]["template"] == {
        "type": "kubernetes.io/tls"
    }
    assert refused(changed_leads(OWN, PUBLIC, text=LEADS)) == []


def test_proxies_of_another_class_may_run_in_any_namespace() -> None:
    rules = emitted_object("NetworkPolicy", "score", changed(CERTIFICATE))["spec"]["ingress"]

    assert {"from": [_space("leads"), {"namespaceSelector": {}}], "ports": [{"protocol": "TCP", "port": 8000}]} in rules


def test_shared_gateway_is_created_once() -> None:
    """With another controller's GatewayClass, cluster and internal endpoints share one Gateway."""
    assert names("Gateway", changed(CERTIFICATE, SPLIT, INNER)) == ["leads"]


def test_all_objects_are_valid() -> None:
    """All emitted objects are valid, except External Secrets objects, which only a real API server can check."""
    results = {
        f"{each['kind']} {each['metadata']['name']}": problems(each)
        for each in emitted()
        if not each["apiVersion"].startswith("external-secrets.io/")
    }

    assert {name: errors for name, errors in results.items() if errors} == {}
