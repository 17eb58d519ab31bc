"""The registry: MLflow by its chart, restricted, on the database and the bucket of the spec."""

from __future__ import annotations

from typing import Any

from tests.emitted import argument, calls, names, one
from tests.specs import VALID_SPEC, changed

ADOPTED = changed("registry: {database: runs, artifacts: lake}", 'registry: {adopt: "https://mlflow.acme.example"}')


def values(text: str) -> dict[str, Any]:
    found: dict[str, Any] = argument(calls(text)["mlflow"], "values")
    return found


def test_it_stands_on_the_database_and_the_bucket() -> None:
    made = values(VALID_SPEC)

    assert made["backendStore"]["postgres"] == {
        "enabled": True,
        "host": "runs-rw.fraud.svc.cluster.local",
        "port": 5432,
        "database": "runs",
    }
    assert made["backendStore"]["existingDatabaseSecret"]["name"] == "runs-app"
    assert made["artifactRoot"]["s3"]["bucket"] == "acme-fraud-lake"
    assert made["artifactRoot"]["s3"]["existingSecret"]["name"] == "vault.lake"
    assert made["extraEnvVars"]["MLFLOW_S3_ENDPOINT_URL"] == "https://s3.acme.example"


def test_it_reaches_the_instances_of_its_database_and_no_pod_beside_them() -> None:
    database = one(VALID_SPEC, "NetworkPolicy", "mlflow")["spec"]["egress"][0]

    assert database == {
        "to": [{"podSelector": {"matchLabels": {"cnpg.io/cluster": "runs"}}}],
        "ports": [{"protocol": "TCP", "port": 5432}],
    }


def test_pods_fit_the_restricted_level_and_the_quota() -> None:
    made = values(VALID_SPEC)

    assert made["podSecurityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert made["resources"]["limits"] == made["resources"]["requests"]
    assert made["serviceAccount"] == {"create": False, "name": "registry"}
    assert one(VALID_SPEC, "ServiceAccount", "registry")["automountServiceAccountToken"] is False


def test_it_answers_to_its_own_name_alone() -> None:
    assert "mlflow.fraud.svc.cluster.local:5000" in values(VALID_SPEC)["serverAllowedHosts"]
    assert "*" not in values(VALID_SPEC)["serverAllowedHosts"]


def test_its_session_key_is_made_once_and_written_nowhere() -> None:
    secret = calls(VALID_SPEC)["mlflow-flask-server-secret-key"]

    assert secret.component == "kubernetes.GeneratedSecret"
    assert argument(secret, "generated") == ("MLFLOW_FLASK_SERVER_SECRET_KEY",)


def test_redundancy_where_it_is_asked_for() -> None:
    assert values(VALID_SPEC)["replicaCount"] == 1
    assert values(changed("size: small", "size: enterprise"))["replicaCount"] == 2


def test_an_adopted_registry_is_not_installed() -> None:
    assert "mlflow" not in calls(ADOPTED)
    assert "mlflow" not in names(ADOPTED, "NetworkPolicy")


def test_a_drain_leaves_one_of_several() -> None:
    """One alone needs no budget, which would keep its machine from ever being drained."""
    several = changed("size: small", "size: enterprise")

    assert one(several, "PodDisruptionBudget", "mlflow")["spec"] == {
        "minAvailable": 1,
        "selector": {"matchLabels": {"app.kubernetes.io/name": "mlflow"}},
    }
    assert "mlflow" not in names(VALID_SPEC, "PodDisruptionBudget")
