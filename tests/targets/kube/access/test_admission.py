"""Tests admission policies on emitted objects. tests/real/test_admission.py repeats this on a real API server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from modelyard_targets.kube.access.pod_references import references_in
from tests.emitted import emitted, emitted_object, names
from tests.specs import VALID_SPEC, changed
from tests.targets.kube.access.test_namespace import SHARED
from tests.targets.kube.pipelines.test_launcher import AFTER

POLICY = "ValidatingAdmissionPolicy"


def expressions(text: str, policy: str) -> list[str]:
    """Return the validation expressions of a policy."""
    return [rule["expression"] for rule in emitted_object(text, POLICY, policy)["spec"]["validations"]]


def caller(text: str, policy: str) -> str:
    """Return the condition that limits a policy to requests from certain callers."""
    (condition,) = emitted_object(text, POLICY, policy)["spec"]["matchConditions"]
    expression: str = condition["expression"]
    return expression


def test_each_launched_pipeline_has_a_policy() -> None:
    policies = names(VALID_SPEC, POLICY)

    assert policies == [
        "fraud.autoscalers",
        "fraud.nightly.runs",
        "fraud.report.runs",
        "fraud.retrain.runs",
        "fraud.retrain.starts",
        "fraud.try-out.runs",
    ]
    assert names(VALID_SPEC, f"{POLICY}Binding") == policies
    assert caller(VALID_SPEC, "fraud.retrain.runs").endswith('["system:serviceaccount:fraud:retrain-launcher"]')
    assert caller(VALID_SPEC, "fraud.retrain.starts").endswith('["system:serviceaccount:fraud:monitor-drift"]')


def test_launcher_may_only_start_following_pipelines() -> None:
    (rule,) = expressions(AFTER, "fraud.retrain.next")

    assert caller(AFTER, "fraud.retrain.next").endswith('["system:serviceaccount:fraud:retrain-launcher"]')
    assert "owner.kind == 'CronJob'" in rule
    assert 'owner.name in ["nightly", "report"]' in rule


@pytest.mark.parametrize("name", ["nightly", "report"])
def test_each_following_pipeline_restricts_its_own_jobs(name: str) -> None:
    """A follower's admission policy applies only to Jobs from the follower's own CronJob."""
    policy = emitted_object(AFTER, POLICY, f"fraud.{name}.follows")["spec"]
    caller, follower = (condition["expression"] for condition in policy["matchConditions"])
    references = references_in(emitted_object(AFTER, "CronJob", name))

    assert caller.endswith('["system:serviceaccount:fraud:retrain-launcher"]')
    assert f'owner.name in ["{name}"]' in follower
    for allowed in (references.accounts, references.images):
        assert any(json.dumps(allowed) in rule for rule in expressions(AFTER, f"fraud.{name}.follows"))


def test_other_pipelines_have_no_policy_for_followers() -> None:
    assert [name for name in names(AFTER, POLICY) if name.endswith((".next", ".follows"))] == [
        "fraud.nightly.follows",
        "fraud.report.follows",
        "fraud.retrain.next",
    ]


def test_policy_applies_only_in_the_systems_namespace() -> None:
    spec = emitted_object(VALID_SPEC, f"{POLICY}Binding", "fraud.retrain.runs")["spec"]

    assert spec["validationActions"] == ["Deny"]
    assert spec["matchResources"]["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": "fraud"}}


def test_policy_allows_all_references_of_the_run() -> None:
    run = json.loads(emitted_object(VALID_SPEC, "ConfigMap", "retrain-rayjob")["data"]["rayjob.json"])
    references = references_in(run)

    assert references.accounts == ("retrain",)
    assert references.images == (run["spec"]["submitterPodTemplate"]["spec"]["containers"][0]["image"],)
    assert "vault.lake" in references.secrets
    for allowed in (references.accounts, references.images, references.secrets):
        assert any(json.dumps(allowed) in rule for rule in expressions(VALID_SPEC, "fraud.retrain.runs"))


def test_policy_allows_labels_of_all_pods_of_a_run() -> None:
    run = json.loads(emitted_object(VALID_SPEC, "ConfigMap", "retrain-rayjob")["data"]["rayjob.json"])
    cluster = run["spec"]["rayClusterSpec"]
    cluster["workerGroupSpecs"][0]["labels"] = {"ray.io/region": "eu"}
    templates = [
        run["spec"]["submitterPodTemplate"],
        *(group["template"] for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"])),
    ]
    expected = {pair for template in templates for pair in template["metadata"]["labels"].items()}

    allowed = {(label, value) for label, values in references_in(run).labels for value in values}

    assert allowed == expected | {("ray.io/region", "eu")}


def test_all_kinds_of_secret_references_are_found() -> None:
    pod: dict[str, Any] = {
        "imagePullSecrets": [{"name": "pull"}],
        "containers": [
            {
                "image": "x:1",
                "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "one", "key": "k"}}}],
                "envFrom": [{"secretRef": {"name": "all"}}],
            }
        ],
        "volumes": [
            {"name": "v", "secret": {"secretName": "files"}},
            {"name": "p", "projected": {"sources": [{"secret": {"name": "part"}}]}},
        ],
    }

    assert references_in(pod).secrets == ("all", "files", "one", "part", "pull")


def test_policy_allows_references_added_by_overrides() -> None:
    """A policy allows an image added by an override, because policies are derived after overrides are applied."""
    job = "/spec/jobTemplate/spec/template/spec/containers/0/image"
    text = f"""{VALID_SPEC}overrides:
  ours:
    target: main
    object: CronJob/retrain
    reason: an image of the platform team
    patch: [{{op: replace, path: {job}, value: "registry.acme.example/launcher:1"}}]
"""

    assert any('["registry.acme.example/launcher:1"]' in rule for rule in expressions(text, "fraud.retrain.starts"))


def test_pipeline_that_runs_once_has_no_policy() -> None:
    once = changed(
        'schedule: {cron: "0 4 * * 0", timeZone: Europe/Berlin}', "schedule: once", ("run: pipelines.retrain, ", "")
    )

    assert not [name for name in names(once, POLICY) if name.startswith("fraud.retrain.")]


def test_shared_cluster_has_no_admission_policies() -> None:
    assert [each for each in emitted(SHARED) if each["kind"].startswith(POLICY)] == []
