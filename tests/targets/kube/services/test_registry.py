"""Tests that the registry is a restricted MLflow server with authentication."""

from __future__ import annotations

import json

from tests.emitted import Object, argument, calls, context, emitted, emitted_object, names
from tests.lowering import pod_specs
from tests.specs import VALID_SPEC, changed

ADOPTED = changed("registry: {database: runs, artifacts: lake}", 'registry: {adopt: "https://mlflow.acme.example"}')


def pod(text: str) -> Object:
    """Return MLflow's Pod spec."""
    spec: Object = emitted_object(text, "Deployment", "mlflow")["spec"]["template"]["spec"]
    return spec


def variables(text: str) -> Object:
    """Return MLflow's environment variables, each with its value or its Secret and key."""
    (container,) = pod(text)["containers"]
    return {
        each["name"]: each.get("value") or tuple(each["valueFrom"]["secretKeyRef"].values())
        for each in container["env"]
    }


def described(text: str) -> Object:
    """Return the description from which the runtime sets up the registry server."""
    server: Object = json.loads(emitted_object(text, "ConfigMap", "registry-description")["data"]["workload.json"])[
        "server"
    ]
    return server


def login(manifest: Object) -> set[str]:
    """Return the Secrets that a workload's containers use to log in to the registry."""
    return {
        each["valueFrom"]["secretKeyRef"]["name"]
        for spec in pod_specs(manifest)
        for container in spec["containers"]
        for each in container["env"]
        if each["name"].startswith("MLFLOW_TRACKING_") and "valueFrom" in each
    }


def test_registry_uses_database_and_bucket() -> None:
    environment = variables(VALID_SPEC)

    assert (environment["PGHOST"], environment["PGPORT"], environment["PGDATABASE"]) == (
        "runs-rw.fraud.svc.cluster.local",
        "5432",
        "runs",
    )
    assert environment["PGPASSWORD"] == ("runs-app", "password")
    assert described(VALID_SPEC)["artifacts"] == "s3://acme-fraud-lake/mlflow"
    assert environment["AWS_ACCESS_KEY_ID"] == ("vault.lake", "access-key-id")
    assert environment["MLFLOW_S3_ENDPOINT_URL"] == "https://s3.acme.example"


def test_registry_reaches_only_its_database_instances() -> None:
    database = emitted_object(VALID_SPEC, "NetworkPolicy", "mlflow")["spec"]["egress"][0]

    assert database == {
        "to": [{"podSelector": {"matchLabels": {"cnpg.io/cluster": "runs"}}}],
        "ports": [{"protocol": "TCP", "port": 5432}],
    }


def test_registry_is_a_restricted_pod_in_the_runtime_image() -> None:
    (container,) = pod(VALID_SPEC)["containers"]

    assert container["image"] == context(VALID_SPEC).runtime_image
    assert container["command"] == ["python", "-m", "modelyard_runtime", "registry"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["resources"]["limits"] == container["resources"]["requests"]
    assert pod(VALID_SPEC)["serviceAccountName"] == "registry"
    assert pod(VALID_SPEC)["automountServiceAccountToken"] is False


def test_registry_allows_only_its_own_hosts() -> None:
    assert "mlflow.fraud.svc.cluster.local:5000" in described(VALID_SPEC)["allowedHosts"]
    assert "*" not in described(VALID_SPEC)["allowedHosts"]


def test_passwords_are_generated_and_not_in_manifests() -> None:
    admin = calls(VALID_SPEC)["mlflow-admin"]

    assert admin.component == "kubernetes.GeneratedSecret"
    assert argument(admin, "generated") == ("password", "session-key")
    logins = calls(VALID_SPEC)["mlflow-logins"]
    assert logins.component == "kubernetes.Logins"
    assert argument(logins, "users")["mlflow-login.retrain"] == "workload.retrain"
    assert names(VALID_SPEC, "Secret") == []


def test_each_workload_logs_in_as_itself() -> None:
    assert login(emitted_object(VALID_SPEC, "RayService", "scorer-champion")) == {"mlflow-login.scorer"}
    assert login(json.loads(emitted_object(VALID_SPEC, "ConfigMap", "retrain-rayjob")["data"]["rayjob.json"])) == {
        "mlflow-login.retrain"
    }
    assert login(emitted_object(VALID_SPEC, "CronJob", "monitor-quality")) == {"mlflow-login.monitor-quality"}
    assert login(emitted_object(VALID_SPEC, "CronJob", "report")) == set()


def test_no_workload_has_the_login_of_the_administrator() -> None:
    exposed = [
        each
        for each in emitted(VALID_SPEC)
        if each["metadata"]["name"] != "mlflow" and "mlflow-admin" in json.dumps(each)
    ]

    assert exposed == []


def test_users_may_change_only_models_that_they_train_or_roll_back() -> None:
    users = described(VALID_SPEC)["users"]

    own, history, model = "fraud/fraud-fraud-xgb", "fraud/fraud-fraud-xgb/aliases", "fraud-fraud-xgb"
    assert users["workload.retrain"] == {"experiments": [own], "models": [model]}
    assert users["workload.promoter"] == {"experiments": [history], "models": [model]}
    assert described(VALID_SPEC)["movers"] == ["workload.monitor-quality", "workload.promoter"]
    assert users["workload.monitor-quality"] == {"experiments": [history], "models": [model]}
    assert users["workload.scorer"] == {"experiments": [], "models": []}
    folder = "s3://acme-fraud-lake/mlflow/models/fraud-fraud-xgb/"
    assert described(VALID_SPEC)["experiments"] == {own: folder, history: folder}


def test_registry_mounts_every_users_password() -> None:
    (volume,) = (each for each in pod(VALID_SPEC)["volumes"] if each["name"] == "logins")
    paths = {source["secret"]["items"][0]["path"] for source in volume["projected"]["sources"]}

    assert paths == set(described(VALID_SPEC)["users"])


def test_changed_users_replace_the_pod() -> None:
    """Changing users or permissions replaces MLflow's Pod, because it reads them only at startup."""
    without = changed("rollback: true, ", "")
    annotations = [
        emitted_object(text, "Deployment", "mlflow")["spec"]["template"]["metadata"]["annotations"]
        for text in (VALID_SPEC, without)
    ]

    assert annotations[0] != annotations[1]


def test_replicas_are_spread_over_zones_and_machines() -> None:
    keys = [rule["topologyKey"] for rule in pod(VALID_SPEC)["topologySpreadConstraints"]]

    assert keys == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]


def test_enterprise_registry_has_two_replicas() -> None:
    assert emitted_object(VALID_SPEC, "Deployment", "mlflow")["spec"]["replicas"] == 1
    assert emitted_object(changed("size: small", "size: enterprise"), "Deployment", "mlflow")["spec"]["replicas"] == 2


def test_an_adopted_registry_is_not_installed() -> None:
    assert not [name for name in calls(ADOPTED) if name.startswith("mlflow")]
    assert "mlflow" not in names(ADOPTED, "NetworkPolicy")
    assert "mlflow" not in names(ADOPTED, "Deployment")


def test_disruption_budget_keeps_one_replica() -> None:
    """Multiple replicas have a disruption budget. With a single one, it would block node drains."""
    several = changed("size: small", "size: enterprise")

    assert emitted_object(several, "PodDisruptionBudget", "mlflow")["spec"] == {
        "minAvailable": 1,
        "selector": {"matchLabels": {"app.kubernetes.io/name": "mlflow"}},
    }
    assert "mlflow" not in names(VALID_SPEC, "PodDisruptionBudget")
