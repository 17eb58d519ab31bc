"""Tests that databases are CloudNativePG Clusters of the right size, accessible only to the registry."""

from __future__ import annotations

from modelyard.spec import Store
from modelyard_targets.kube.services.database import Login, login_of
from tests.crds import problems
from tests.emitted import context, emitted_object, names
from tests.specs import VALID_SPEC, changed


def test_size_replicas_and_storage_class_are_applied() -> None:
    text = changed(
        "runs: {type: database}",
        "runs: {type: database, size: 80Gi, replicas: 3}",
        ("      residency: eu\n", "      residency: eu\n      storageClass: fast-ssd\n"),
    )
    spec = emitted_object(text, "Cluster", "runs")["spec"]

    assert spec["instances"] == 3
    assert spec["storage"] == {"size": "80Gi", "storageClass": "fast-ssd"}


def test_database_is_protected() -> None:
    assert emitted_object(VALID_SPEC, "Cluster", "runs")["metadata"]["annotations"] == {"modelyard.dev/protect": "true"}


def test_superuser_access_is_disabled() -> None:
    assert emitted_object(VALID_SPEC, "Cluster", "runs")["spec"]["enableSuperuserAccess"] is False


def test_only_registry_operator_and_prometheus_reach_the_database() -> None:
    ingress = emitted_object(VALID_SPEC, "NetworkPolicy", "runs")["spec"]["ingress"]

    assert [(str(rule["from"]), [port["port"] for port in rule["ports"]]) for rule in ingress] == [
        ("[{'podSelector': {'matchLabels': {'cnpg.io/cluster': 'runs'}}}]", [5432, 8000]),
        (
            "[{'podSelector': {'matchLabels': {'modelyard.dev/system': 'fraud', "
            "'modelyard.dev/component': 'registry'}}}]",
            [5432],
        ),
        ("[{'namespaceSelector': {'matchLabels': {'kubernetes.io/metadata.name': 'cnpg-system'}}}]", [8000, 5432]),
        (
            "[{'namespaceSelector': {'matchLabels': {'kubernetes.io/metadata.name': 'monitoring'}}, "
            "'podSelector': {'matchLabels': {'app.kubernetes.io/name': 'prometheus'}}}]",
            [9187],
        ),
    ]


def test_an_adopted_database_is_an_address_and_a_secret() -> None:
    text = changed(
        "runs: {type: database}",
        'runs: {type: database, adopt: "db.acme.example:6432/mlflow", credentials: secret://vault/runs}',
    )
    here = context(text)
    store = here.system.stores["runs"]

    assert names(text, "Cluster") == []
    assert login_of(store, here) == Login("db.acme.example", 6432, "mlflow", "vault.runs", "username", "password")


def test_database_name_is_a_valid_sql_name() -> None:
    here = context(VALID_SPEC)
    login = login_of(Store("model-runs", "model-runs", "database", "main"), here)

    assert (login.host, login.database) == ("model-runs-rw.fraud.svc.cluster.local", "model_runs")
    assert login.secret == "model-runs-app"


def test_database_metrics_are_scraped() -> None:
    """With a Prometheus, a PodMonitor selects the database's metrics port."""
    monitor = emitted_object(VALID_SPEC, "PodMonitor", "database-runs")

    assert monitor["spec"]["selector"] == {"matchLabels": {"cnpg.io/cluster": "runs"}}
    assert monitor["spec"]["podMetricsEndpoints"] == [{"port": "metrics"}]
    assert problems(monitor) == []
