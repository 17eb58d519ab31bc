"""Tests that each workload with cross-target access has its own key, and can reach only the store."""

from __future__ import annotations

from typing import Any

from modelyard_targets.kube.data.crossing import crossings_of
from tests.hybrid import described, hybrid, hybrid_lowered
from tests.lowering import pod_specs


def variables(value: Any) -> dict[str, Any]:
    """Return the environment variables of an object's containers, with their values or sources."""
    return {
        variable["name"]: variable.get("valueFrom", variable.get("value"))
        for pod in pod_specs(value)
        for container in pod["containers"]
        for variable in container.get("env", ())
    }


def test_cloud_store_is_used_with_the_workloads_key() -> None:
    """Each workload has its own key for the store and a description that names the key's variables."""
    manifests = hybrid_lowered()

    for workload, secret, kind, name in (
        ("inference.till", "crossing-till", "RayService", "till"),
        ("monitors.drift", "crossing-monitor-drift", "CronJob", "monitor-drift"),
    ):
        (crossing,) = crossings_of(workload, manifests.context)
        assert (crossing.target, crossing.secret) == ("main", secret)
        assert [store.name for store in crossing.stores] == ["lake"]
        environment = variables(manifests.get(kind, name))
        assert environment["MODELYARD_STORE_LAKE_ACCESS_KEY_ID"] == {
            "secretKeyRef": {"name": secret, "key": "access-key-id-1"}
        }
        assert environment["MODELYARD_STORE_LAKE_SECRET_ACCESS_KEY"]["secretKeyRef"]["key"] == "secret-access-key-1"
        assert "MLFLOW_TRACKING_URI" not in environment
        store = described(manifests, name)["stores"]["lake"]
        assert store["accessKeyIdEnv"] == "MODELYARD_STORE_LAKE_ACCESS_KEY_ID"
        assert store["region"] == "eu-central-1"


def test_server_reaches_only_the_store() -> None:
    """A server on another target may reach only its own Pods and port 443, and therefore not the registry."""
    policy = hybrid_lowered().get("NetworkPolicy", "till")

    ports = [rule.get("ports") for rule in policy["spec"]["egress"]]
    assert ports == [None, [{"protocol": "TCP", "port": 443}]]


def test_stores_own_target_has_no_keys() -> None:
    """Workloads on the store's own target use their identities rather than keys."""
    manifests = hybrid_lowered(placement="main")

    assert crossings_of("pipelines.retrain", manifests.context) == ()
    assert not any(name.endswith("ACCESS_KEY") for manifest in manifests for name in variables(manifest))


def test_credentials_in_the_spec_replace_the_key() -> None:
    text = hybrid(
        (
            "lake: {type: object, target: main}",
            "lake: {type: object, target: main, credentials: secret://kubernetes/lake}",
        )
    )
    manifests = hybrid_lowered(text)

    assert crossings_of("inference.till", manifests.context) == ()
    secret = variables(manifests.get("RayService", "till"))["MODELYARD_STORE_LAKE_ACCESS_KEY_ID"]["secretKeyRef"]
    assert secret == {"name": "lake", "key": "access-key-id"}


def test_stores_on_two_cloud_targets_have_two_keys() -> None:
    text = hybrid(
        ("    shop:\n", "    other: {provider: aws, region: eu-west-1}\n    shop:\n"),
        ("  runs: {type", "  more: {type: object, target: other}\n  runs: {type"),
        ("capture: {sample: 10%, store: lake}", "capture: {sample: 10%, store: more}"),
    )
    crossings = crossings_of("inference.till", hybrid_lowered(text).context)

    assert {crossing.secret: [store.name for store in crossing.stores] for crossing in crossings} == {
        "crossing-till-main": ["lake"],
        "crossing-till-other": ["more"],
    }


def test_cloud_bucket_is_reachable_despite_egress() -> None:
    """Workloads that use a cloud bucket may connect to any address on port 443, even with `egress`."""
    text = hybrid(("      context: shop\n", "      context: shop\n      egress: [10.20.0.0/16]\n"))
    anywhere = {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}}
    till = hybrid_lowered(text).get("NetworkPolicy", "till")
    outside = [rule for rule in till["spec"]["egress"] if "ports" in rule]

    assert [rule["ports"] for rule in outside] == [[{"protocol": "TCP", "port": 443}]]
    assert anywhere in outside[0]["to"]
    theirs = text.replace("target: main}\n  runs", 'target: main, endpoint: "https://s3.acme.example"}\n  runs')
    bound = hybrid_lowered(theirs).get("NetworkPolicy", "till")
    assert [rule["to"] for rule in bound["spec"]["egress"] if "ports" in rule] == [
        [{"ipBlock": {"cidr": "10.20.0.0/16"}}]
    ]
