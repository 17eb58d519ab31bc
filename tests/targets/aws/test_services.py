"""Tests how workloads use AWS services: volumes, Secrets Manager, RDS and load balancers."""

from __future__ import annotations

from modelyard_targets.aws.services import gateway_annotations
from tests.crds import problems
from tests.targets.aws.emitted import argument, calls, changed, context, emitted_object, names

NO_DATABASE = (
    ("  runs: {type: database}\n", ""),
    (
        "registry: {database: runs, artifacts: lake}",
        'registry: {adopt: "https://mlflow.acme.example", artifacts: lake}',
    ),
)
NO_SECRET = (', auth: {type: bearer-token, token: "secret://manager/token#value"}', "")


def registry_variables() -> dict[str, object]:
    """Return MLflow's environment variables, each with its value or source."""
    (container,) = emitted_object("Deployment", "mlflow")["spec"]["template"]["spec"]["containers"]
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in container["env"]}


def test_volumes_are_encrypted_with_the_target_key() -> None:
    storage_class = argument(calls()["storage_class"], "document")

    assert problems({**storage_class, "parameters": {**storage_class["parameters"], "kmsKeyId": "k"}}) == []
    assert storage_class["parameters"] == {"type": "gp3", "encrypted": "true", "kmsKeyId": "the key_arn"}
    assert storage_class["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true"


def test_secrets_manager_store_is_limited_to_system_namespaces() -> None:
    spec = emitted_object("ClusterSecretStore", "secrets-manager")["spec"]

    assert spec["provider"] == {"aws": {"service": "SecretsManager", "region": "eu-central-1"}}
    assert spec["conditions"] == [{"namespaces": ["leads", "monitoring"]}]


def test_external_secret_refers_to_the_secret_name() -> None:
    spec = emitted_object("ExternalSecret", "manager.token")["spec"]

    assert spec["secretStoreRef"] == {"name": "secrets-manager", "kind": "ClusterSecretStore"}
    assert spec["refreshInterval"] == "900s"
    assert spec["data"] == [{"secretKey": "value", "remoteRef": {"key": "token", "property": "value"}}]


def test_secrets_manager_store_exists_only_for_secrets_or_databases() -> None:
    assert names("ClusterSecretStore", changed(NO_SECRET)) == ["secrets-manager"]
    assert names("ClusterSecretStore", changed(NO_SECRET, *NO_DATABASE)) == []


def test_database_login_comes_from_secrets_manager() -> None:
    components = calls()
    login = argument(components["runs_login"], "document")

    assert login["spec"]["data"] == [
        {"secretKey": key, "remoteRef": {"key": "the runs_secret", "property": key}} for key in ("username", "password")
    ]
    assert argument(components["runs_login"], "depends_on") == ["foundation"]
    assert {"foundation", "runs_login"} <= {*argument(components["registry"], "depends_on")}


def test_registry_has_database_address_and_no_access_keys() -> None:
    variables = registry_variables()
    template = argument(calls()["runs_login"], "document")["spec"]["target"]["template"]

    assert variables["PGHOST"] == {"secretKeyRef": {"name": "runs-login", "key": "host"}}
    assert template["data"]["host"] == "the runs_host"
    assert (variables["PGPORT"], variables["PGDATABASE"]) == ("5432", "runs")
    assert not [name for name in variables if name.startswith("AWS_") and name.endswith(("_ID", "_KEY"))]
    assert variables["AWS_DEFAULT_REGION"] == "eu-central-1"


def test_registry_reads_the_rotated_password_from_a_file() -> None:
    """MLflow reads the database password from a mounted file on every connection, not from its environment."""
    template = argument(calls()["runs_login"], "document")["spec"]["target"]["template"]
    pod = emitted_object("Deployment", "mlflow")["spec"]["template"]["spec"]
    (volume,) = (each for each in pod["volumes"] if each["name"] == "services")
    (mount,) = (each for each in pod["containers"][0]["volumeMounts"] if each["name"] == "services")
    variables = registry_variables()

    assert template["mergePolicy"] == "Merge"
    assert template["data"]["services"] == "[database]\nuser={{ .username }}\npassword={{ .password }}\n"
    assert variables["PGSERVICE"] == "database"
    assert "PGPASSWORD" not in variables
    assert volume["secret"]["secretName"] == "runs-login"
    assert variables["PGSERVICEFILE"] == f"{mount['mountPath']}/{volume['secret']['items'][0]['path']}"
    assert "subPath" not in mount


def test_databases_and_buckets_are_not_created_in_the_cluster() -> None:
    assert names("Cluster") == []
    assert [name for name in names("Job") if name.startswith("store-")] == []


def test_load_balancers_are_internal_unless_public() -> None:
    here = context()
    internal = "service.beta.kubernetes.io/aws-load-balancer-internal"

    assert gateway_annotations("internal", here)[internal] == "true"
    assert gateway_annotations("public", here)[internal] == "false"
