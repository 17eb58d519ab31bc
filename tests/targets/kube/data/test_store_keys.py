"""Tests that an object store has either one access key for all workloads or one per workload."""

from __future__ import annotations

from typing import Any

from modelyard_targets.kube.data.store_keys import StoreKey, store_keys
from tests.emitted import context, emitted, files, names
from tests.lowering import pod_specs
from tests.specs import VALID_SPEC

CREDENTIALS = "credentials: secret://vault/lake"
OWN = VALID_SPEC.replace(CREDENTIALS, f"{CREDENTIALS}, credentialsPer: workload")


def secrets_by_object(text: str) -> dict[str, set[str]]:
    """Return, for each workload, the Secrets with store keys that its Pods use."""
    by_workload: dict[str, set[str]] = {}
    for each in emitted(text):
        workload = each["metadata"].get("labels", {}).get("modelyard.dev/workload", "")
        for spec in pod_specs(each):
            by_workload.setdefault(workload, set()).update(_secrets(spec))
    return {workload: secrets for workload, secrets in by_workload.items() if secrets}


def _secrets(spec: dict[str, Any]) -> set[str]:
    variables = [each.get("valueFrom", {}) for container in spec["containers"] for each in container.get("env", [])]
    referred = [str(each["secretKeyRef"]["name"]) for each in variables if "secretKeyRef" in each]
    return {name for name in referred if name.startswith("vault.lake")}


def test_by_default_every_workload_has_the_same_key() -> None:
    assert set().union(*secrets_by_object(VALID_SPEC).values()) == {"vault.lake"}


def test_readme_lists_workloads_that_share_a_key() -> None:
    """The README lists workloads that share a key and the permissions the key needs for all of them."""
    (key,) = store_keys(context(VALID_SPEC))
    own = store_keys(context(OWN))

    assert key.secret == "vault.lake"
    assert set(key.workloads) == {workload for each in own for workload in each.workloads}
    assert {"pipelines.retrain", "registry"} <= set(key.workloads)
    assert set(key.writes) == {name for each in own for name in each.writes}
    readme = files(VALID_SPEC)["README.md"]
    assert f"| `vault.lake` | {', '.join(key.workloads)} |" in readme
    assert "set `credentialsPer: workload` on the store to give each its own" in readme


def test_each_workload_gets_its_own_key_and_no_other() -> None:
    """Every Pod uses only its own workload's key, including Pods of RayJobs created by launchers."""
    by_workload = secrets_by_object(OWN)
    keys = {workload: key.secret for key in store_keys(context(OWN)) for workload in key.workloads}

    assert by_workload == {workload: {f"vault.lake.{workload}"} for workload in by_workload}
    assert set(by_workload) == {"inference.scorer", "monitors.drift", "monitors.quality", "promoter", "registry"}
    for workload in ("pipelines.retrain", "pipelines.nightly"):
        assert keys[workload] == f"vault.lake.{workload}"
    launched = str([each for each in emitted(OWN) if each["metadata"]["name"].startswith("retrain")])
    assert "vault.lake.pipelines.retrain" in launched
    assert "vault.lake.pipelines.nightly" not in launched


def test_external_secrets_reads_each_key_below_the_path() -> None:
    external_secrets = [each for each in emitted(OWN) if each["kind"] == "ExternalSecret"]
    (retrain,) = [each for each in external_secrets if each["metadata"]["name"] == "vault.lake.pipelines.retrain"]

    assert [each["remoteRef"] for each in retrain["spec"]["data"]] == [
        {"key": "lake/pipelines/retrain", "property": key} for key in ("access-key-id", "secret-access-key")
    ]
    assert "vault.lake" not in names(OWN, "ExternalSecret")


def test_the_readme_lists_what_each_key_may_do() -> None:
    keys = {workload: key for key in store_keys(context(OWN)) for workload in key.workloads}
    readme = files(OWN)["README.md"]

    scorer = keys["inference.scorer"]
    assert all(each.startswith("acme-fraud-lake/mlflow/") for each in scorer.reads)
    assert scorer.writes == ("acme-fraud-lake/captures/scorer/*",)
    for workload, key in keys.items():
        assert f"| `{key.secret}` | {workload} |" in readme
    assert "to give each its own" not in readme


def test_created_bucket_has_its_own_key() -> None:
    text = OWN.replace(" adopt: acme-fraud-lake,", "")
    created = [key for key in store_keys(context(text)) if key.makes]

    assert created == [StoreKey("vault.lake.stores.lake", ("stores.lake",), makes="fraud-prod-lake")]
    assert secrets_by_object(text)["stores.lake"] == {"vault.lake.stores.lake"}
