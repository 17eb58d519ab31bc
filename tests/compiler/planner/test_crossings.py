"""Tests that targets only access each other through bundles and declared allow rules."""

from __future__ import annotations

import pytest

from modelyard.plan import Access, Job, Kind, Plan, bundle_path
from modelyard.planner.crossings import aliases_to_bundle
from tests.compiler.planner.planned import identity
from tests.plans import marked_diagnostics, plan_of, resource, system_of

SPEC = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: fraud}
governance: {owner: {team: payments, email: payments@acme.example}}
deployment:
  mode: hybrid
  targets:
    main: {provider: aws, region: eu-central-1}
    shop: {provider: kubernetes, context: shop}
  placement: {default: main}
registry: {database: runs, artifacts: lake}
stores:
  runs: {type: database}
  lake: {type: object}
compute: {cpu: {cpu: 2, memory: 8Gi}}
data:
  payments: {store: lake, path: payments/, format: parquet, label: is_fraud, timestamp: at}
  scores: {store: lake, path: scores/, format: parquet}
models:
  risk: {task: binary-classification, framework: xgboost}
  other: {task: binary-classification, framework: xgboost}
pipelines:
  learn: {type: training, model: risk, inputs: [payments], compute: cpu}
  learn-other: {type: training, model: other, inputs: [payments], compute: cpu}
inference:
  desk: {variants: {only: {model: other@champion}}, compute: cpu}
  till: {target: shop, variants: {only: {model: risk@champion}}, compute: cpu}
"""
TILL = "  till: {target: shop, variants: {only: {model: risk@champion}}, compute: cpu}\n"
PLANT = """\
  pictures: {type: object, target: shop, adopt: pictures, endpoint: "https://s3.shop.example:9000"}
compute: {cpu: {"""


def job(plan: Plan, name: str) -> Job:
    value = resource(plan, Kind.TRAINING_JOB, name).value
    assert isinstance(value, Job)
    return value


def crossing(text: str, placement: str = "") -> list[tuple[str, str, str, int]]:
    return [(link.source, link.sink, link.protocol, link.port) for link in plan_of(text).crossings(placement)]


def changed(old: str, new: str, text: str = SPEC) -> str:
    assert text.count(old) == 1
    return text.replace(old, new)


def test_a_model_served_on_another_target_is_read_from_a_bundle() -> None:
    """The model server may read one prefix of the artifact store and can't access the registry."""
    plan = plan_of(SPEC)

    assert crossing(SPEC) == [("shop:model-server/till", "main:object-store/lake", "https", 443)]
    assert identity(plan, "till").access == (Access("lake", "mlflow/bundles/fraud-risk/champion/", "read"),)
    assert (plan.bundled("shop"), plan.bundled("main")) == (True, False)
    assert bundle_path("mlflow/", "fraud-risk", "champion") == "mlflow/bundles/fraud-risk/champion/"


def test_promotions_write_only_the_bundles_that_other_targets_read() -> None:
    """A promotion only writes a bundle if a target other than the registry's serves the model."""
    plan = plan_of(SPEC)

    assert job(plan, "learn").bundles == ("champion",)
    assert job(plan, "learn-other").bundles == ()
    (folder,) = (access.prefix for access in identity(plan, "promoter").access if "/bundles/" in access.prefix)
    assert folder == "mlflow/bundles/"
    for name in ("learn", "learn-other"):
        assert not [access for access in identity(plan, name).access if "/bundles/" in access.prefix]


def test_cross_target_access_exists_on_both_ends_or_neither() -> None:
    """If no model is served on another target, neither target can access the other."""
    without = changed(TILL, "")
    plan = plan_of(without)

    assert crossing(SPEC, "main") == crossing(SPEC, "shop") == crossing(SPEC)
    assert plan.crossings() == ()
    assert job(plan, "learn").bundles == ()
    assert plan.placements() == ("main",)


def test_batch_inference_and_monitors_on_another_target_read_bundles() -> None:
    spec = changed(
        "inference:\n",
        "  nightly: {type: batch-inference, target: shop, model: risk@candidate, inputs: [payments], output: scores,"
        " compute: cpu}\ninference:\n",
    )
    spec += (
        "monitors:\n  shape: {type: prediction-drift, target: shop, watch: pipelines.nightly,"
        " reference: {}, window: 1d, checks: {psi: {max: 0.2}}}\n"
    )
    plan = plan_of(spec)

    bundle = Access("lake", "mlflow/bundles/fraud-risk/candidate/", "read")
    assert bundle in identity(plan, "nightly").access
    assert bundle in identity(plan, "monitor-shape").access
    assert {link.what for link in plan.crossings("shop")} == {"artifacts", "data"}
    assert job(plan, "learn").bundles == ("candidate", "champion")
    assert aliases_to_bundle(system_of(spec)) == {"risk": ("candidate", "champion")}


def test_an_adopted_registry_is_on_no_target() -> None:
    """All targets call an adopted registry by its URL, without bundles or allow rules."""
    spec = changed("{database: runs, artifacts: lake}", '{adopt: "https://mlflow.acme.example"}')
    plan = plan_of(changed("{default: main}", "{default: main, registry: shop}", spec))

    assert plan.crossings() == ()
    assert not plan.bundled("main")
    assert job(plan, "learn").bundles == ()


def test_an_existing_cluster_allows_access_only_as_declared() -> None:
    """An existing cluster needs an allow rule for access from a cloud or another cluster."""
    read = changed("{store: lake, path: payments/", "{store: pictures, path: payments/")
    spec = changed("compute: {cpu: {", PLANT, read)

    assert marked_diagnostics(spec) == ["E0520 learn", "E0520 learn-other"]
    opened = changed("context: shop", "context: shop, reachableFrom: [main]", spec)
    assert marked_diagnostics(opened) == []
    assert ("main:training-job/learn", "shop:object-store/pictures", "https", 9000) in crossing(opened)
    cluster = changed("{provider: aws, region: eu-central-1}", "{provider: kubernetes, context: main}", spec)
    assert "E0520 learn" in marked_diagnostics(cluster)
    assert "E0520 till" in marked_diagnostics(cluster)
    assert marked_diagnostics(cluster.replace("context: main", "context: shop, namespace: other")) == []


def test_the_artifacts_must_be_reachable_for_bundles() -> None:
    """To serve models from a registry on an existing cluster, a cloud would need access to that cluster."""
    spec = changed("{default: main}", "{default: shop, inference: main}").replace("target: shop, ", "")

    assert marked_diagnostics(spec) == ["E0520 desk", "E0520 till"]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("risk@champion", "risk@3", ["E0521 risk@3"]),
        ("{type: database}", "{type: database, target: shop}", ["E0520 registry", "E0627 runs"]),
        (
            "{type: database}",
            '{type: database, adopt: "db.acme.example/mlflow", target: main, credentials: secret://kubernetes/db}',
            [],
        ),
    ],
)
def test_impossible_crossings_are_refused(old: str, new: str, expected: list[str]) -> None:
    assert marked_diagnostics(changed(old, new)) == expected


def test_rollbacks_from_another_target_are_refused() -> None:
    spec = changed("compute: cpu}\n", "compute: cpu, capture: {sample: 10%, store: lake, retain: 30d}}\n", SPEC[-81:])
    spec = (
        SPEC[:-81]
        + spec
        + (
            "monitors:\n  quality: {type: prediction-quality, target: shop, watch: inference.till, labels: payments,"
            " window: 7d, checks: {auc_roc: {min: 0.8}}, onBreach: {rollback: true}}\n"
        )
    )

    assert marked_diagnostics(spec) == ["E0522 rollback"]
    assert marked_diagnostics(spec.replace("type: prediction-quality, target: shop", "type: prediction-quality")) == []


def test_a_service_name_from_another_cluster_is_refused() -> None:
    """A Service name only resolves within its cluster, so using it from another cluster is an error."""
    read = changed("{store: lake, path: payments/", "{store: pictures, path: payments/")
    spec = changed("compute: {cpu: {", PLANT.replace("https://s3.shop.example", "http://minio.storage.svc"), read)
    opened = changed("context: shop", "context: shop, reachableFrom: [main]", spec)

    assert marked_diagnostics(opened) == ["E0523 learn", "E0523 learn-other"]
    cluster = changed("{provider: aws, region: eu-central-1}", "{provider: kubernetes, context: main}", spec)
    assert "E0523 learn" in marked_diagnostics(cluster)
    assert marked_diagnostics(cluster.replace("context: main", "context: shop, namespace: other")) == []
    assert "E0523 learn" in marked_diagnostics(
        cluster.replace("context: main", "tenancy: shared").replace(", context: shop", "")
    )


def test_an_adopted_registry_with_a_service_name_works_only_in_its_cluster() -> None:
    spec = changed("registry: {database: runs, artifacts: lake}", 'registry: {adopt: "http://mlflow.ml.svc:5000"}')

    assert marked_diagnostics(spec) == ["E0523 till"]
    assert marked_diagnostics(spec.replace("http://mlflow.ml.svc:5000", "https://mlflow.acme.example")) == []


def test_an_allow_rule_does_not_expose_a_registry_on_another_target() -> None:
    """The error doesn't suggest an allow rule, since adding one wouldn't change the error."""
    spec = changed("{default: main}", "{default: shop, training: main}")
    spec = spec.replace("  desk: {", "  desk: {target: shop, ")
    spec = spec.replace("lake: {type: object}", "lake: {type: object, target: main}")

    assert marked_diagnostics(spec) == ["E0615 learn", "E0615 learn-other"]
    assert marked_diagnostics(
        spec.replace("context: shop}", "context: shop, reachableFrom: [main]}")
    ) == marked_diagnostics(spec)


def test_a_performance_monitor_must_run_where_its_endpoint_runs() -> None:
    """Another cluster's Prometheus has no metrics of the endpoint, so its alert rules would never fire.

    Without a declared target, the monitor runs on its endpoint's target, even if other monitors run elsewhere.
    """
    spec = f"{SPEC}monitors:\n  speed: {{type: performance, watch: inference.till, checks: {{p99_ms: {{max: 50}}}}}}\n"

    assert marked_diagnostics(spec) == []
    assert resource(plan_of(spec), Kind.ALERT_RULES, "monitor-speed").placement == "shop"
    assert marked_diagnostics(spec.replace("{type: performance", "{type: performance, target: shop")) == []
    assert marked_diagnostics(spec.replace("{type: performance", "{type: performance, target: main")) == [
        "E0524 target"
    ]
