"""Tests the output for AKS: the infrastructure values that the program reads, and the components that it installs."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.crds import problems
from tests.targets.azure.infrastructure import (
    LEADS,
    arguments,
    context,
    emitted,
    leads,
    manifest,
    names,
    workload_calls,
)

PUBLIC = ("exposure: internal", "exposure: public, host: s.acme.example")
CERTIFICATE = ("  vpc:", "  gateway: {class: envoy, certificate: secret://manager/tls}\n  vpc:")


def egress(policy: str, text: str = LEADS) -> list[Any]:
    """Return the egress rules of a NetworkPolicy."""
    rules: list[Any] = manifest("NetworkPolicy", policy, text)["spec"]["egress"]
    return rules


def test_the_cluster_is_the_one_of_the_infrastructure_project() -> None:
    calls = workload_calls()

    assert calls["infrastructure"].name == "leads-main-infrastructure"
    assert arguments(calls["cluster"])["kubeconfig"] == "infrastructure[kubeconfig]"


def test_the_runtime_image_is_in_the_registry_of_the_target() -> None:
    assert context().runtime_image.startswith("leadsmain")
    assert ".azurecr.io/leads/leads-runtime:" in context().runtime_image
    assert "images" not in arguments(workload_calls()["foundation"])


def test_a_registry_in_the_spec_takes_precedence() -> None:
    text = leads(("  vpc:", "  images: {registry: registry.acme.example/ml}\n  vpc:"))

    assert context(text).runtime_image.startswith("registry.acme.example/ml/leads-runtime:")


def test_heads_run_on_the_system_pool_and_workers_on_that_of_their_class() -> None:
    server = manifest("RayService", "score")["spec"]["rayClusterConfig"]
    (workers,) = server["workerGroupSpecs"]

    assert server["headGroupSpec"]["template"]["spec"]["nodeSelector"] == {"modelyard.dev/pool": "system"}
    assert workers["template"]["spec"]["nodeSelector"] == {"modelyard.dev/pool": "small"}


def test_pods_of_a_class_with_spot_tolerate_its_taint() -> None:
    template = manifest("ConfigMap", "fit-rayjob")["data"]["rayjob.json"]

    assert template.count('"kubernetes.azure.com/scalesetpriority"') == 1, "workers alone; heads are not on spot"


def test_the_registry_reaches_its_database_among_the_private_endpoints() -> None:
    rule = {"to": [{"ipBlock": {"cidr": "10.20.64.0/20"}}], "ports": [{"protocol": "TCP", "port": 5432}]}

    assert rule in egress("mlflow")


def test_the_registry_reads_its_login_from_a_file_that_follows_a_rotation() -> None:
    (container,) = manifest("Deployment", "mlflow")["spec"]["template"]["spec"]["containers"]
    variables = {each["name"]: each.get("value", each.get("valueFrom")) for each in container["env"]}
    login = arguments(workload_calls()["runs_login"])["document"]

    assert variables["PGSERVICE"] == "database"
    assert "PGPASSWORD" not in variables
    assert login["spec"]["data"] == [
        {"secretKey": key, "remoteRef": {"key": "infrastructure[runs_secret]", "property": key}}
        for key in ("username", "password")
    ]
    assert "sslmode=require" in login["spec"]["target"]["template"]["data"]["services"]


def test_workloads_open_stores_by_their_identity() -> None:
    """No environment variable contains a key. AKS's webhook adds the identity's client ID and its token."""
    (workers,) = manifest("RayService", "score")["spec"]["rayClusterConfig"]["workerGroupSpecs"]
    (container,) = workers["template"]["spec"]["containers"]

    assert not [each["name"] for each in container["env"] if each["name"].startswith(("AWS_", "GOOGLE_", "AZURE_"))]


def test_data_is_addressed_by_container_and_account() -> None:
    described = manifest("ConfigMap", "fit-description")["data"]["workload.json"]

    assert "abfss://leads-lake@leadslake" in described
    assert ".dfs.core.windows.net/clicks" in described


def test_secrets_are_read_from_the_vault_for_this_system_alone() -> None:
    calls = workload_calls()
    store = arguments(calls["secret_store"])["document"]
    secret = manifest("ExternalSecret", "manager.token")["spec"]

    assert store["spec"] == {
        "conditions": [{"namespaces": ["leads", "monitoring"]}],
        "provider": {"azurekv": {"authType": "WorkloadIdentity", "vaultUrl": "infrastructure[vault_url]"}},
    }
    assert arguments(calls["secret_store"])["depends_on"] == ["external_secrets"]
    assert secret["data"] == [{"secretKey": "value", "remoteRef": {"key": "token", "property": "value"}}]


def test_what_key_vault_does_not_spell_becomes_a_hyphen() -> None:
    text = leads(("secret://manager/token#value", "secret://manager/team_1/token.2#value"))
    (secret,) = [each["spec"] for each in emitted(text) if each["kind"] == "ExternalSecret"]

    assert [data["remoteRef"]["key"] for data in secret["data"]] == ["team-1-token-2"]


def test_volumes_are_premium_disks() -> None:
    document = arguments(workload_calls()["storage_class"])["document"]

    assert problems(document) == []
    assert (document["provisioner"], document["parameters"]) == ("disk.csi.azure.com", {"skuName": "Premium_LRS"})
    assert document["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true"


def test_the_autoscaler_reads_the_order_of_pools_from_its_config_map() -> None:
    """If the ConfigMap is malformed, the autoscaler's expander picks a pool at random."""
    document = arguments(workload_calls()["priorities"])["document"]
    ranked: dict[int, list[str]] = yaml.safe_load(document["data"]["priorities"])

    assert problems(document) == []
    assert document["metadata"] == {"name": "cluster-autoscaler-priority-expander", "namespace": "kube-system"}
    assert {type(rank) for rank in ranked} == {int}
    assert {type(each) for each in ranked.values()} == {list}
    assert ranked[1] == [".*"]
    assert max(ranked) == 100


def test_no_database_and_no_bucket_is_created_in_the_cluster() -> None:
    assert names("Cluster") == []
    assert [name for name in names("Job") if name.startswith(("store-", "login-"))] == []


@pytest.mark.parametrize(
    ("changes", "service"),
    [
        ((), {"annotations": {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"}}),
        ((CERTIFICATE, PUBLIC), {}),
    ],
)
def test_only_public_endpoints_get_a_public_load_balancer(
    changes: tuple[tuple[str, str], ...], service: dict[str, Any]
) -> None:
    """Other Services have an annotation, because Azure creates public load balancers by default."""
    calls = workload_calls(leads(*changes))
    (proxies,) = [call for name, call in calls.items() if name.endswith("_proxies")]
    kubernetes = arguments(proxies)["document"]["spec"]["provider"]["kubernetes"]

    assert kubernetes.get("envoyService", {}) == service


def test_aks_brings_the_autoscaler_and_no_plugin_for_gpus() -> None:
    charts = {call.name for call in workload_calls().values() if call.component == "kubernetes.Chart"}
    plain = leads((', accelerators: ["T4:1", "A100-80GB:1"]', ""))
    without = {call.name for call in workload_calls(plain).values() if call.component == "kubernetes.Chart"}

    assert charts == {"kuberay-operator", "external-secrets", "gateway-helm", "nvidia-device-plugin"}
    assert charts - without == {"nvidia-device-plugin"}


def test_the_plugin_for_gpus_runs_on_spot_nodes_too() -> None:
    values = arguments(workload_calls()["nvidia_device_plugin"])["values"]

    assert [each["key"] for each in values["tolerations"]] == [
        "modelyard.dev/pool",
        "nvidia.com/gpu",
        "kubernetes.azure.com/scalesetpriority",
    ]


def test_the_api_accepts_every_object() -> None:
    """All objects are valid, except External Secrets objects, which only a real API server can check."""
    results = {
        f"{each['kind']} {each['metadata']['name']}": problems(each)
        for each in emitted()
        if not each["apiVersion"].startswith("external-secrets.io/")
    }

    assert {name: reported for name, reported in results.items() if reported} == {}
