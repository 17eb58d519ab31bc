"""AWS services in the cluster: volumes, Secrets Manager, RDS and load balancers."""

from __future__ import annotations

from modelyard_targets.aws.services import gateway_annotations
from tests.crds import problems
from tests.targets.aws.emitted import argument, calls, changed, context, names, one

NO_DATABASE = (
    ("  runs: {type: database}\n", ""),
    (
        "registry: {database: runs, artifacts: lake}",
        'registry: {adopt: "https://mlflow.acme.example", artifacts: lake}',
    ),
)
NO_SECRET = (', auth: {type: bearer-token, token: "secret://manager/token#value"}', "")


def registry_variables() -> dict[str, object]:
    """Return MLflow's environment variables with their values or sources."""
    (container,) = one("Deployment", "mlflow")["spec"]["template"]["spec"]["containers"]
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in container["env"]}


def test_volumes_are_encrypted_with_the_key_of_the_system() -> None:
    made = argument(calls()["storage_class"], "document")

    assert problems({**made, "parameters": {**made["parameters"], "kmsKeyId": "k"}}) == []
    assert made["parameters"] == {"type": "gp3", "encrypted": "true", "kmsKeyId": "the key_arn"}
    assert made["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true"


def test_secrets_manager_is_read_for_this_system_alone() -> None:
    spec = one("ClusterSecretStore", "secrets-manager")["spec"]

    assert spec["provider"] == {"aws": {"service": "SecretsManager", "region": "eu-central-1"}}
    assert spec["conditions"] == [{"namespaces": ["leads", "monitoring"]}]


def test_a_secret_is_read_by_its_name_in_the_account() -> None:
    spec = one("ExternalSecret", "manager.token")["spec"]

    assert spec["secretStoreRef"] == {"name": "secrets-manager", "kind": "ClusterSecretStore"}
    assert spec["refreshInterval"] == "900s"
    assert spec["data"] == [{"secretKey": "value", "remoteRef": {"key": "token", "property": "value"}}]


def test_secrets_manager_is_there_for_a_database_too_and_for_nothing_else() -> None:
    assert names("ClusterSecretStore", changed(NO_SECRET)) == ["secrets-manager"]
    assert names("ClusterSecretStore", changed(NO_SECRET, *NO_DATABASE)) == []


def test_the_login_of_a_database_comes_from_the_account() -> None:
    made = calls()
    login = argument(made["runs_login"], "document")

    assert login["spec"]["data"] == [
        {"secretKey": key, "remoteRef": {"key": "the runs_secret", "property": key}} for key in ("username", "password")
    ]
    assert argument(made["runs_login"], "depends_on") == ["foundation"]
    assert {"foundation", "runs_login"} <= {*argument(made["registry"], "depends_on")}


def test_the_registry_finds_its_database_and_its_bucket_without_credentials() -> None:
    variables = registry_variables()
    template = argument(calls()["runs_login"], "document")["spec"]["target"]["template"]

    assert variables["PGHOST"] == {"secretKeyRef": {"name": "runs-login", "key": "host"}}
    assert template["data"]["host"] == "the runs_host"
    assert (variables["PGPORT"], variables["PGDATABASE"]) == ("5432", "runs")
    assert not [name for name in variables if name.startswith("AWS_") and name.endswith(("_ID", "_KEY"))]
    assert variables["AWS_DEFAULT_REGION"] == "eu-central-1"


def test_the_registry_follows_a_password_that_rds_changes() -> None:
    """MLflow reads the password from a mounted file for each connection, not from its environment."""
    template = argument(calls()["runs_login"], "document")["spec"]["target"]["template"]
    pod = one("Deployment", "mlflow")["spec"]["template"]["spec"]
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


def test_no_database_and_no_bucket_is_made_in_the_cluster() -> None:
    assert names("Cluster") == []
    assert [name for name in names("Job") if name.startswith("store-")] == []


def test_only_what_is_public_is_reached_from_the_internet() -> None:
    here = context()
    internal = "service.beta.kubernetes.io/aws-load-balancer-internal"

    assert gateway_annotations("internal", here)[internal] == "true"
    assert gateway_annotations("public", here)[internal] == "false"
