"""Services of the account in the cluster: volumes, Secrets Manager, RDS, load balancers."""

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
    assert argument(made["registry"], "depends_on") == ["foundation", "registry_key", "runs_login"]


def test_the_registry_finds_its_database_and_its_bucket_without_credentials() -> None:
    values = argument(calls()["registry"], "values")

    assert values["backendStore"]["postgres"] == {
        "enabled": True,
        "host": "the runs_host",
        "port": 5432,
        "database": "runs",
    }
    assert values["backendStore"]["existingDatabaseSecret"]["name"] == "runs-login"
    assert "existingSecret" not in values["artifactRoot"]["s3"]
    assert values["extraEnvVars"]["AWS_DEFAULT_REGION"] == "eu-central-1"


def test_the_registry_follows_a_password_that_rds_changes() -> None:
    """It reads the login from a file for each connection; what stands in its environment is of the day it started."""
    made = calls()
    login, values = argument(made["runs_login"], "document"), argument(made["registry"], "values")

    assert login["spec"]["target"]["template"] == {
        "mergePolicy": "Merge",
        "data": {"services": "[database]\nuser={{ .username }}\npassword={{ .password }}\n"},
    }
    assert values["extraEnvVars"]["PGSERVICE"] == "database"
    (volume,), (mount,) = values["extraVolumes"], values["extraVolumeMounts"]
    assert volume["secret"]["secretName"] == "runs-login"
    assert values["extraEnvVars"]["PGSERVICEFILE"] == f"{mount['mountPath']}/{volume['secret']['items'][0]['path']}"
    assert "subPath" not in mount


def test_no_database_and_no_bucket_is_made_in_the_cluster() -> None:
    assert names("Cluster") == []
    assert [name for name in names("Job") if name.startswith("store-")] == []


def test_only_what_is_public_is_reached_from_the_internet() -> None:
    here = context()
    internal = "service.beta.kubernetes.io/aws-load-balancer-internal"

    assert gateway_annotations("internal", here)[internal] == "true"
    assert gateway_annotations("public", here)[internal] == "false"
