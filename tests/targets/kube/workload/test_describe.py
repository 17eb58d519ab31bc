"""Tests that workload descriptions contain the locations, names and variables that the runtime needs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from modelyard_targets.kube.workload.describe_parts import digest
from tests.lowering import lowered
from tests.specs import VALID_SPEC, changed


def described(text: str, name: str) -> Any:
    """Return a workload's description from its ConfigMap."""
    return json.loads(lowered(text).get("ConfigMap", f"{name}-description")["data"]["workload.json"])


def test_model_uri_has_alias_or_version() -> None:
    by_alias = described(VALID_SPEC, "scorer-challenger")["applications"]["scorer-challenger"]["model"]
    text = changed("{model: fraud-xgb@candidate", "{model: fraud-xgb@7")
    by_version = described(text, "scorer-challenger")["applications"]["scorer-challenger"]["model"]

    assert (by_alias["uri"], by_alias["alias"]) == ("models:/fraud-fraud-xgb@candidate", "candidate")
    assert (by_version["uri"], by_version["version"]) == ("models:/fraud-fraud-xgb/7", "7")


CHALLENGER = "challenger: {model: fraud-xgb@candidate, replicas: 1}"


@pytest.mark.parametrize(
    ("challenger", "stand_in"),
    [
        (CHALLENGER, "champion"),
        ("challenger: {model: fraud-xgb@champion, replicas: 1}", None),
        ("challenger: {model: fraud-xgb@candidate, replicas: 1, compute: {cpu: 1, memory: 1Gi}}", None),
    ],
)
def test_the_champion_stands_in(challenger: str, stand_in: str | None) -> None:
    """A variant without a version serves that of the champion, if there is one that its machines can run.

    The champion serves nothing else.
    """
    text = changed(CHALLENGER, challenger)
    own = described(text, "scorer-challenger")["applications"]["scorer-challenger"]
    champion = described(text, "scorer-champion")["applications"]["scorer-champion"]

    assert own.get("standIn") == (stand_in and {"variant": stand_in, "model": champion["model"]})
    assert "standIn" not in champion


def test_only_training_has_card_and_gate() -> None:
    """Only training descriptions include the model card and the gate, so changing a card replaces no servers."""
    retrain, nightly = described(VALID_SPEC, "retrain")["pipeline"], described(VALID_SPEC, "nightly")["pipeline"]

    assert retrain["model"]["card"]["purpose"] == "Ranks card payments by the risk of fraud."
    assert [check["name"] for check in retrain["validation"]] == ["auc-pr", "beats-champion"]
    approvals = retrain["approvals"]
    assert (approvals["from"], approvals["minimum"]) == (["model-risk", "payments-risk"], 2)
    assert {group: len(keys["sshKeys"]) for group, keys in approvals["groups"].items()} == {
        "model-risk": 1,
        "payments-risk": 1,
    }
    assert "card" not in nightly["model"]
    assert "validation" not in nightly


def test_dataset_has_a_uri_and_store_has_credential_variables() -> None:
    description = described(VALID_SPEC, "nightly")

    assert description["pipeline"]["data"]["scores"]["uri"] == "s3://acme-fraud-lake/scores/"
    assert description["stores"]["lake"] == {
        "uri": "s3://acme-fraud-lake/",
        "endpoint": "https://s3.acme.example",
        "accessKeyIdEnv": "MODELYARD_STORE_LAKE_ACCESS_KEY_ID",
        "secretAccessKeyEnv": "MODELYARD_STORE_LAKE_SECRET_ACCESS_KEY",
    }


def test_every_named_variable_is_in_every_container() -> None:
    manifests = lowered(VALID_SPEC)
    for name in ("scorer-champion",):
        description = json.loads(manifests.get("ConfigMap", f"{name}-description")["data"]["workload.json"])
        cluster = manifests.get("RayService", name)["spec"]["rayClusterConfig"]
        for template in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
            actual = {variable["name"] for variable in template["template"]["spec"]["containers"][0]["env"]}
            expected = {value for key, value in description["stores"]["lake"].items() if key.endswith("Env")}
            assert expected <= actual
            assert "MLFLOW_TRACKING_URI" in actual


@pytest.mark.parametrize(("environment", "bucket"), [("prod", "fraud-prod-lake"), ("default", "fraud-lake")])
def test_created_bucket_is_named_after_the_environment(environment: str, bucket: str) -> None:
    """Names of created buckets contain the environment, because environments may share a storage service."""
    from modelyard_targets.kube.storage.buckets import bucket_name
    from tests.plans import system_of

    system = system_of(changed("adopt: acme-fraud-lake, ", ""), environment)

    assert bucket_name(system.stores["lake"], system) == bucket


def test_adopted_registry_has_credential_variables() -> None:
    pair = changed(
        "registry: {database: runs, artifacts: lake}",
        'registry: {adopt: "https://mlflow.acme.example", credentials: secret://vault/mlflow}',
    )
    token = pair.replace("secret://vault/mlflow", "secret://vault/mlflow#token")

    assert described(pair, "nightly")["registry"] == {
        "uri": "https://mlflow.acme.example",
        "usernameEnv": "MLFLOW_TRACKING_USERNAME",
        "passwordEnv": "MLFLOW_TRACKING_PASSWORD",
    }
    assert described(token, "nightly")["registry"] == {
        "uri": "https://mlflow.acme.example",
        "tokenEnv": "MLFLOW_TRACKING_TOKEN",
    }


def test_monitor_has_captures_models_and_actions() -> None:
    monitor = described(VALID_SPEC, "monitor-drift")["monitor"]

    assert monitor["current"] == {"capture": {"uri": "s3://acme-fraud-lake/captures/scorer/", "store": "lake"}}
    assert [(model["variant"], model["alias"]) for model in monitor["models"]] == [
        ("challenger", "candidate"),
        ("champion", "champion"),
    ]
    assert monitor["onBreach"]["run"] == {"pipeline": "retrain", "cronJob": "retrain"}
    assert monitor["onBreach"]["cooldownSeconds"] == 3 * 86400


def test_monitor_pushes_metrics_to_prometheus() -> None:
    assert described(VALID_SPEC, "monitor-drift")["metrics"] == {
        "otlp": "http://prometheus-operated.monitoring.svc.cluster.local:9090/api/v1/otlp/v1/metrics",
        "namespace": "fraud",
    }


def test_moved_pipeline_is_started_by_its_old_cron_job() -> None:
    text = (
        changed("  retrain:\n", "  refit:\n", ("run: pipelines.retrain", "run: pipelines.refit"))
        + "moved: {pipelines.refit: pipelines.retrain}\n"
    )

    assert described(text, "monitor-drift")["monitor"]["onBreach"]["run"] == {
        "pipeline": "refit",
        "cronJob": "retrain",
    }


def test_digest_does_not_depend_on_key_order() -> None:
    """The digest doesn't depend on JSON key order, so the runtime computes the same one from the file."""
    assert digest({"a": 1, "b": [1.5, "ü"]}) == digest({"b": [1.5, "ü"], "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
    assert digest({"a": "ü"}) == digest(json.loads(json.dumps({"a": "ü"})))
