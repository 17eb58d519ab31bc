"""Tests the output for GKE: values from the infrastructure project, and Pods' network access."""

from __future__ import annotations

from typing import Any

import pytest

from tests.crds import problems
from tests.targets.gcp.infrastructure import (
    LEADS,
    arguments,
    context,
    emitted,
    leads,
    manifest,
    names,
    workload_calls,
)

METADATA = {
    "to": [{"ipBlock": {"cidr": "169.254.169.254/32"}}],
    "ports": [{"protocol": "TCP", "port": 80}, {"protocol": "TCP", "port": 8080}],
}
PROJECT = ("  account: acme-leads\n", "")
PUBLIC = ("exposure: internal", "exposure: public, host: s.acme.example")
CERTIFICATE = ("  vpc:", "  gateway: {class: envoy, certificate: secret://manager/tls}\n  vpc:")


def egress(policy: str, text: str = LEADS) -> list[Any]:
    """Return the egress rules of a NetworkPolicy."""
    rules: list[Any] = manifest("NetworkPolicy", policy, text)["spec"]["egress"]
    return rules


def test_kubeconfig_comes_from_the_infrastructure_project() -> None:
    calls = workload_calls()

    assert calls["infrastructure"].name == "leads-main-infrastructure"
    assert arguments(calls["cluster"])["kubeconfig"] == "infrastructure[kubeconfig]"


def test_runtime_image_is_in_the_projects_repository() -> None:
    prefix = "europe-west4-docker.pkg.dev/acme-leads/leads-main/leads-runtime:"

    assert context().runtime_image.startswith(prefix)
    assert "images" not in arguments(workload_calls()["foundation"])


def test_registry_placeholder_is_used_without_a_project() -> None:
    text = leads(PROJECT)
    calls = workload_calls(text)

    assert context(text).runtime_image.startswith("registry.invalid/leads-runtime:")
    for name in ("foundation", "workloads"):
        assert arguments(calls[name])["images"] == {"registry.invalid": "infrastructure[image_registry]"}


def test_a_registry_in_the_spec_takes_precedence() -> None:
    text = leads(("  vpc:", "  images: {registry: registry.acme.example/ml}\n  vpc:"))

    assert context(text).runtime_image.startswith("registry.acme.example/ml/leads-runtime:")


def test_heads_are_on_the_system_pool_and_workers_on_their_own() -> None:
    server = manifest("RayService", "score")["spec"]["rayClusterConfig"]
    (workers,) = server["workerGroupSpecs"]

    assert server["headGroupSpec"]["template"]["spec"]["nodeSelector"] == {"modelyard.dev/pool": "system"}
    assert workers["template"]["spec"]["nodeSelector"] == {"modelyard.dev/pool": "small"}


def test_pods_that_use_a_bucket_reach_the_metadata_server() -> None:
    """Ports 80 and 8080 are both open, because Dataplane V2 redirects one to the other before applying policies."""
    for policy in ("score", "fit", "mlflow"):
        assert METADATA in egress(policy)


def test_a_launcher_cannot_reach_the_metadata_server() -> None:
    """A launcher cannot reach the metadata server, because it calls only the Kubernetes API."""
    text = leads(("compute: gpu, parameters", "compute: gpu, schedule: {cron: '0 4 * * 0'}, parameters"))

    assert METADATA not in egress("fit-launcher", text)


def test_a_launcher_cannot_reach_object_storage() -> None:
    text = leads(("compute: gpu, parameters", "compute: gpu, schedule: {cron: '0 4 * * 0'}, parameters"))
    (policy,) = [call for call in workload_calls(text).values() if call.component == "kubernetes.EgressPolicy"]

    assert dict(policy.arguments)["pods"] == ("mlflow", "fit", "scoring", "score", "promoter")


def test_the_registry_reaches_its_database_only_in_the_node_range() -> None:
    """The node range is a quarter of the network's address range and includes the database endpoint."""
    rule = {"to": [{"ipBlock": {"cidr": "10.20.0.0/18"}}], "ports": [{"protocol": "TCP", "port": 5432}]}

    assert rule in egress("mlflow")


def test_registry_reads_the_rotated_password_from_a_file() -> None:
    pod = manifest("Deployment", "mlflow")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    volumes = {each["name"]: each for each in pod["volumes"]}
    variables = {each["name"]: each.get("value", each.get("valueFrom")) for each in container["env"]}
    login = arguments(workload_calls()["runs_login"])["document"]

    assert variables["PGSERVICE"] == "database"
    assert "PGPASSWORD" not in variables
    assert login["spec"]["secretStoreRef"] == {"kind": "ClusterSecretStore", "name": "secrets-manager"}
    assert login["spec"]["data"] == [
        {"secretKey": key, "remoteRef": {"key": "infrastructure[runs_secret]", "property": key}}
        for key in ("username", "password")
    ]
    assert login["spec"]["target"]["template"]["data"]["host"] == "infrastructure[runs_host]"
    assert login["spec"]["target"]["template"]["data"]["services"].splitlines() == [
        "[database]",
        "user={{ .username }}",
        "password={{ .password }}",
        "sslmode=verify-ca",
        "sslrootcert=/etc/postgresql-services/authority.pem",
    ]
    assert login["spec"]["target"]["template"]["data"]["authority.pem"] == "infrastructure[runs_authority]"
    assert {"key": "authority.pem", "path": "authority.pem"} in volumes["services"]["secret"]["items"]
    assert {"name": "services", "mountPath": "/etc/postgresql-services", "readOnly": True} in container["volumeMounts"]


def test_workloads_access_buckets_with_their_identity() -> None:
    """Workloads use their identities, so no environment variable contains a key, region or endpoint."""
    (workers,) = manifest("RayService", "score")["spec"]["rayClusterConfig"]["workerGroupSpecs"]
    (container,) = workers["template"]["spec"]["containers"]

    assert not [each["name"] for each in container["env"] if each["name"].startswith(("AWS_", "GOOGLE_", "AZURE_"))]


def test_data_uris_use_the_protocol_of_cloud_storage() -> None:
    described = manifest("ConfigMap", "fit-description")["data"]["workload.json"]

    assert "gs://leads-lake-" in described
    assert "s3://" not in described


def test_secret_manager_store_is_limited_to_system_namespaces() -> None:
    calls = workload_calls()
    store = arguments(calls["secret_store"])["document"]
    secret = manifest("ExternalSecret", "manager.token")["spec"]

    assert store["spec"] == {
        "conditions": [{"namespaces": ["leads", "monitoring"]}],
        "provider": {"gcpsm": {"projectID": "infrastructure[project]"}},
    }
    assert arguments(calls["secret_store"])["depends_on"] == ["external_secrets"]
    assert secret["secretStoreRef"] == {"name": "secrets-manager", "kind": "ClusterSecretStore"}
    assert secret["data"] == [{"secretKey": "value", "remoteRef": {"key": "token", "property": "value"}}]


def test_slashes_in_secret_names_become_hyphens() -> None:
    text = leads(("secret://manager/token#value", "secret://manager/team/token#value"))
    (data,) = manifest("ExternalSecret", "manager.team.token", text)["spec"]["data"]

    assert data["remoteRef"]["key"] == "team-token"


def test_volumes_are_encrypted_with_the_target_key() -> None:
    document = arguments(workload_calls()["storage_class"])["document"]

    assert problems({**document, "parameters": {**document["parameters"], "disk-encryption-kms-key": "k"}}) == []
    assert document["parameters"] == {"type": "pd-balanced", "disk-encryption-kms-key": "infrastructure[key_id]"}
    assert document["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true"


def test_databases_and_buckets_are_not_created_in_the_cluster() -> None:
    assert names("Cluster") == []
    assert [name for name in names("Job") if name.startswith(("store-", "login-"))] == []


@pytest.mark.parametrize(
    ("changes", "annotations"),
    [
        (
            (),
            {
                "networking.gke.io/load-balancer-type": "Internal",
                "networking.gke.io/internal-load-balancer-allow-global-access": "true",
            },
        ),
        ((CERTIFICATE, PUBLIC), {"cloud.google.com/l4-rbs": "enabled"}),
    ],
)
def test_only_public_endpoints_get_a_public_load_balancer(
    changes: tuple[tuple[str, str], ...], annotations: dict[str, str]
) -> None:
    """Other Services have an annotation, because GKE creates public load balancers by default."""
    calls = workload_calls(leads(*changes))
    (proxies,) = [call for name, call in calls.items() if name.endswith("_proxies")]

    assert arguments(proxies)["document"]["spec"]["provider"]["kubernetes"]["envoyService"] == {
        "annotations": annotations
    }


def test_autoscaler_and_device_plugin_are_not_installed() -> None:
    charts = {call.name for call in workload_calls().values() if call.component == "kubernetes.Chart"}

    assert charts == {"kuberay-operator", "external-secrets", "gateway-helm"}


def test_prometheus_does_not_scrape_coredns() -> None:
    """GKE uses kube-dns, so the chart's alert about missing CoreDNS targets would never clear."""
    text = leads(("inference:\n  score:\n", "inference:\n  score:\n    slo: {availability: 99.9%}\n"))
    values = arguments(workload_calls(text)["prometheus"])["values"]

    assert values["coreDns"] == {"enabled": False}
    assert values["grafana"], "the values of every cluster stay"


def test_pools_of_a_class_are_tried_in_the_order_of_the_spec() -> None:
    spec = manifest("ComputeClass", "modelyard-gpu")["spec"]

    assert spec["priorities"] == [
        {"nodepools": [name]}
        for name in (
            "gpu-g2-standard-8-spot",
            "gpu-g2-standard-12-spot",
            "gpu-g2-standard-8-on-demand",
            "gpu-a2-highgpu-1g-spot",
            "gpu-a2-highgpu-1g-on-demand",
        )
    ]
    assert spec["whenUnsatisfiable"] == "DoNotScaleUp"
    assert names("ComputeClass") == ["modelyard-gpu"], "a class with one pool has no order"


def test_the_api_accepts_every_object() -> None:
    """All objects are valid. Kinds without an available definition, e.g. GKE's ComputeClass, are skipped."""
    unknown = ("external-secrets.io/", "cloud.google.com/")
    results = {
        f"{each['kind']} {each['metadata']['name']}": problems(each)
        for each in emitted()
        if not each["apiVersion"].startswith(unknown)
    }

    assert {name: reported for name, reported in results.items() if reported} == {}
