"""Tests that monitors can request runs on other targets.

Both they and the starter have the necessary access.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

import modelyard_schemas
from modelyard.drawing.mermaid import mermaid
from modelyard.drawing.network import network_view
from modelyard.plan import Identity, Kind, Plan
from modelyard.validate import python_fits
from modelyard_runtime.checks import check_workload
from modelyard_targets.kube.access.pod_references import references_in
from tests.emitted import emitted_object, files, names
from tests.hybrid import described, hybrid, hybrid_lowered, hybrid_plan
from tests.plans import plan_of, planned, resource
from tests.specs import VALID_SPEC
from tests.targets.aws.infrastructure import arguments, calls_by_name
from tests.targets.kube.readme.test_crossings import CLUSTERS, readme, section

BREACH = (
    "     checks: {psi: {max: 0.2}}, compute: {cpu: 1, memory: 4Gi}}",
    "     checks: {psi: {max: 0.2}}, compute: {cpu: 1, memory: 4Gi},\n     onBreach: {run: pipelines.retrain}}",
)
PULLED = hybrid(BREACH)
"""A spec in which a monitor on target `shop` starts a pipeline in the cloud."""

FOLDER = "mlflow/run-requests/till/prod/main/"
ASKED, ANSWERED = f"{FOLDER}asked/retrain/drift/", f"{FOLDER}answered/retrain/drift/"
POLICY = "ValidatingAdmissionPolicy"
OF_CLUSTERS = hybrid(BREACH, *CLUSTERS)
"""The same spec with an on-premises cluster in place of the cloud target."""


def access(plan: Plan, name: str) -> set[tuple[str, str, str]]:
    """Return an identity's access to stores as store, prefix and mode."""
    identity = resource(plan, Kind.IDENTITY, name).value
    assert isinstance(identity, Identity)
    return {(grant.store, grant.prefix, grant.mode) for grant in identity.access}


def test_monitor_appends_requests_and_starter_answers() -> None:
    """The monitor may only add requests. The starter may read them and write responses."""
    plan = hybrid_plan(PULLED)

    assert ("lake", ASKED, "append") in access(plan, "monitor-drift")
    assert not any(ANSWERED.startswith(prefix) for _, prefix, _ in access(plan, "monitor-drift"))
    assert access(plan, "starter") == {("lake", FOLDER, "write")}
    links = {(link.source, link.sink) for link in plan.links if link.what == "trigger"}
    assert links == {
        ("shop:monitor/monitor-drift", "main:object-store/lake"),
        ("main:starter/starter", "main:object-store/lake"),
        ("main:starter/starter", "main:training-job/retrain"),
    }


def test_no_starter_if_monitor_and_pipeline_share_a_target() -> None:
    assert not [item for item in hybrid_plan(hybrid()).resources if item.kind is Kind.STARTER]
    plan = hybrid_plan(hybrid(BREACH, ("monitors: shop", "monitors: main")))
    assert not [item for item in plan.resources if item.kind is Kind.STARTER]
    identity = resource(plan, Kind.IDENTITY, "monitor-drift").value
    assert isinstance(identity, Identity)
    assert identity.api == "trigger"


def test_requesting_monitor_has_no_api_access() -> None:
    manifests = hybrid_lowered(PULLED)
    pod = manifests.get("CronJob", "monitor-drift")["spec"]["jobTemplate"]["spec"]["template"]["spec"]

    assert pod["automountServiceAccountToken"] is False
    assert not manifests.has("Role", "monitor-drift")
    ports = [rule.get("ports") for rule in manifests.get("NetworkPolicy", "monitor-drift")["spec"]["egress"]]
    assert [{"protocol": "TCP", "port": 443}] in ports
    assert not any({"protocol": "TCP", "port": 6443} in each for each in ports)
    assert "MODELYARD_JOB_UID" in [variable["name"] for variable in pod["containers"][0]["env"]]


def test_descriptions_of_monitor_and_starter_agree() -> None:
    asks = described(hybrid_lowered(PULLED), "monitor-drift")
    starts = described(hybrid_lowered(PULLED, "main"), "starter")
    (allowed,) = starts["requests"]

    fits = python_fits(json.loads(modelyard_schemas.text("workload")))
    for description in (asks, starts):
        assert fits(json.loads(modelyard_schemas.text("workload")), description)
        check_workload(description)
    run = asks["monitor"]["onBreach"]["run"]
    assert run == {
        "pipeline": "retrain",
        "request": {"uri": allowed["asked"], "store": "lake", "target": "main"},
    }
    assert allowed["asked"].endswith(ASKED)
    assert allowed["answered"].endswith(ANSWERED)
    assert (allowed["monitor"], allowed["target"], allowed["startedBy"]) == ("drift", "shop", "monitor-drift")
    assert (allowed["pipeline"], allowed["cronJob"], allowed["cooldownSeconds"]) == ("retrain", "retrain", 86400)


def test_starter_polls_every_three_minutes_with_its_own_identity() -> None:
    manifests = hybrid_lowered(PULLED, "main")
    spec = manifests.get("CronJob", "starter")["spec"]
    pod = spec["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]

    assert (spec["schedule"], spec["concurrencyPolicy"]) == ("*/3 * * * *", "Forbid")
    assert container["command"] == ["python", "-m", "modelyard_runtime", "start"]
    assert (pod["serviceAccountName"], pod["automountServiceAccountToken"]) == ("starter", True)
    assert [(rule["resources"], rule["verbs"], rule.get("resourceNames")) for rule in role(manifests)] == [
        (["cronjobs"], ["get"], ["retrain"]),
        (["jobs"], ["create", "get", "list"], None),
    ]


def role(objects: Any) -> list[dict[str, Any]]:
    """Return the rules of the starter's Role."""
    rules: list[dict[str, Any]] = objects.get("Role", "starter")["rules"]
    return rules


def test_admission_policy_restricts_the_starter() -> None:
    """Admission policies allow the starter to create Jobs only from the requested pipeline's CronJob."""
    text = OF_CLUSTERS
    assert {"till.starter.next", "till.retrain.requests"} <= {*names(text, POLICY)}
    (rule,) = emitted_object(text, POLICY, "till.starter.next")["spec"]["validations"]
    assert 'owner.name in ["retrain"]' in rule["expression"]
    policy = emitted_object(text, POLICY, "till.retrain.requests")["spec"]
    caller, requested = (condition["expression"] for condition in policy["matchConditions"])
    assert caller.endswith('["system:serviceaccount:till:starter"]')
    assert 'owner.name in ["retrain"]' in requested
    references = references_in(emitted_object(text, "CronJob", "retrain"))
    assert any(json.dumps(references.accounts) in each["expression"] for each in policy["validations"])


def test_launcher_enforces_overlap_if_a_starter_starts_runs() -> None:
    """The launcher enforces the overlap policy if a starter can also start runs."""
    pod = hybrid_lowered(PULLED, "main").get("CronJob", "retrain")["spec"]["jobTemplate"]["spec"]["template"]["spec"]

    assert {"name": "MODELYARD_OVERLAP", "value": "forbid"} in pod["containers"][0]["env"]


def test_aws_access_is_limited_to_the_request_folders() -> None:
    """The starter's AWS role and the monitor's user can access only the request and response folders."""
    calls = calls_by_name(PULLED)
    starter = arguments(calls["Identity starter"])
    monitor = arguments(calls["Crossing shop.monitor-drift"])

    folder = FOLDER.replace("/prod/", "/default/")
    assert [(grant["prefix"], grant["mode"]) for grant in starter["access"]] == [(folder, "write")]
    assert (f"{folder}asked/retrain/drift/", "append") in [
        (grant["prefix"], grant["mode"]) for grant in monitor["access"]
    ]


def test_on_premises_clusters_use_the_stores_credentials() -> None:
    manifests = hybrid_lowered(OF_CLUSTERS, "main")
    pod = manifests.get("CronJob", "starter")["spec"]["jobTemplate"]["spec"]["template"]["spec"]

    environment = {variable["name"]: variable.get("valueFrom", {}) for variable in pod["containers"][0]["env"]}
    assert environment["MODELYARD_STORE_LAKE_ACCESS_KEY_ID"]["secretKeyRef"]["name"] == "lake"
    ports = [rule.get("ports") for rule in manifests.get("NetworkPolicy", "starter")["spec"]["egress"]]
    assert [{"protocol": "TCP", "port": 9000}] in ports


def test_both_readmes_list_the_request() -> None:
    plan = hybrid_plan(PULLED)
    ends = "`shop:monitor/monitor-drift` | `main:object-store/lake` | trigger | https | 443"

    for placement, opened in (("shop", "the key in the Secret"), ("main", "its own user, shop.monitor-drift")):
        text = section(readme(plan, placement))
        assert f"{ends} | {opened}" in text
        assert "When monitor drift on shop finds a breach, it requests a run of pipeline retrain on main" in text
        assert ASKED in text
    assert '|"trigger"|' in mermaid(network_view(plan))
    assert '{{"starter starter"}}' in mermaid(network_view(plan))
    assert "requests a run" not in section(readme(hybrid_plan(hybrid()), "shop"))


def test_unanswered_requests_raise_an_alert() -> None:
    channel = ("email: stores@acme.example}", "email: stores@acme.example, oncall: desk}")
    text = hybrid(BREACH, *CLUSTERS, channel)
    text += 'channels: {desk: {type: slack, url: "secret://vault/desk#url"}}\n'
    (rules,) = emitted_object(text, "PrometheusRule", "retrain")["spec"]["groups"]

    assert "ModelyardStarterMissing" in [rule["alert"] for rule in rules["rules"]]
    (rules,) = emitted_object(VALID_SPEC, "PrometheusRule", "retrain")["spec"]["groups"]
    assert "ModelyardStarterMissing" not in [rule["alert"] for rule in rules["rules"]]


def test_each_monitor_has_its_own_request_folder() -> None:
    second = "  again:\n    {type: data-drift, watch: inference.till, reference: {data: sales, window: 30d},\n"
    second += "     checks: {psi: {max: 0.3}}, onBreach: {run: pipelines.retrain, cooldown: 2d}}\n"
    requests = described(hybrid_lowered(PULLED + second, "main"), "starter")["requests"]

    assert {request["monitor"]: request["cooldownSeconds"] for request in requests} == {
        "drift": 86400,
        "again": 2 * 86400,
    }
    assert len({request["asked"] for request in requests}) == 2


@pytest.mark.parametrize(
    ("change", "way"),
    [
        pytest.param(
            ("reachableFrom: [shop],", ""),
            "add 'shop' to `reachableFrom` of target 'main' (if the network allows access to store 'lake'),",
            id="nothing is let in",
        ),
        pytest.param(
            ("s3.acme.example:9000", "minio.minio.svc:9000"),
            "give store 'lake' an endpoint that both can reach",
            id="a Service",
        ),
    ],
)
def test_store_that_both_can_reach_is_required(change: tuple[str, str], way: str) -> None:
    assert change[0] in OF_CLUSTERS
    (error,) = [diagnostic for diagnostic in planned(OF_CLUSTERS.replace(*change))[1] if diagnostic.code == "E0613"]

    assert error.hint.startswith(way)


APART = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: fraud}
governance: {owner: {team: payments, email: payments@acme.example}}
deployment:
  mode: on-prem
  targets:
    main: {provider: kubernetes, context: frankfurt}
    far: {provider: kubernetes, context: madrid, reachableFrom: [main]}
  placement: {default: main, training: far}
registry: {adopt: "https://mlflow.acme.example"}
compute: {cpu: {cpu: 2, memory: 8Gi}}
stores:
  lake: {type: object, adopt: lake, endpoint: "https://s3.acme.example", credentials: secret://kubernetes/lake}
  films: {type: object, target: far, adopt: films, endpoint: "https://s3.far.example", credentials: secret://kubernetes/films}
data:
  payments: {store: lake, path: payments/, format: parquet, timestamp: at}
  learn: {store: films, path: learn/, format: parquet, label: is_fraud}
models: {xgb: {task: binary-classification, framework: xgboost}}
pipelines: {retrain: {type: training, model: xgb, inputs: [learn], compute: cpu}}
monitors:
  drift:
    type: data-drift
    watch: data.payments
    reference: {data: payments, window: 30d}
    checks: {psi: {max: 0.2}}
    onBreach: {run: pipelines.retrain}
"""


def test_first_shared_store_is_used_without_artifacts() -> None:
    """Without an artifact store, requests go to a folder in the first store that both targets can reach."""
    plan = plan_of(APART)

    folder = "run-requests/fraud/prod/far/asked/retrain/drift/"
    assert ("films", folder, "append") in access(plan, "monitor-drift")
    assert access(plan, "starter") == {("films", "run-requests/fraud/prod/far/", "write")}


def test_readme_lists_the_starter() -> None:
    row = "| `starter.yaml` | ServiceAccount, Role, RoleBinding, NetworkPolicy, ConfigMap, CronJob, "

    assert row in files(OF_CLUSTERS)["README.md"]
