"""Tests how priorities affect PriorityClasses, Pods, admission policies, and quotas."""

from __future__ import annotations

import json
from typing import Any

import pytest

from modelyard_targets.kube.access.pod_references import references_in
from tests.crds import problems
from tests.emitted import emitted, emitted_object, files, names, refused
from tests.specs import VALID_SPEC, changed
from tests.targets.aws import emitted as on_aws
from tests.targets.kube.access.test_namespace import SHARED

RETRAIN = "    timeout: 6h\n    parameters: {device: cuda}\n"
NIGHTLY = '    schedule: {cron: "30 3 * * *"}\n'
SCORER = "    slo: {p99: 50ms, availability: 99.95%}\n"
YIELDS = changed(RETRAIN, f"{RETRAIN}    priority: low\n", (NIGHTLY, f"{NIGHTLY}    priority: lowest\n"))
KINDS = ("PriorityClass", "ResourceQuota", "RayJob", "RayService", "CronJob", "ValidatingAdmissionPolicy")


def run_of(text: str, pipeline: str) -> dict[str, Any]:
    """Return the RayJob that a pipeline's launcher creates."""
    run: dict[str, Any] = json.loads(emitted_object(text, "ConfigMap", f"{pipeline}-rayjob")["data"]["rayjob.json"])
    return run


def classes_of(value: Any) -> list[str]:
    """Return the PriorityClass of each Pod template in an object, or "" if the template has none."""
    return list(references_in(value).priority_classes)


def test_no_priority_classes_by_default() -> None:
    assert names(VALID_SPEC, "PriorityClass") == []
    assert all(classes_of(each) in ([], [""]) for each in emitted(VALID_SPEC))
    assert names(VALID_SPEC, "ResourceQuota") == ["declared-capacity"]


def test_class_values_are_below_zero_and_at_least_minus_ten() -> None:
    low, lowest = (emitted_object(YIELDS, "PriorityClass", f"{priority}.fraud") for priority in ("low", "lowest"))

    assert 0 > low["value"] > lowest["value"] >= -10
    assert (low["preemptionPolicy"], lowest["preemptionPolicy"]) == ("PreemptLowerPriority", "Never")
    assert "globalDefault" not in low


def test_class_name_contains_the_namespace() -> None:
    elsewhere = YIELDS.replace("      residency: eu\n", "      residency: eu\n      namespace: system-fraud\n")

    assert names(elsewhere, "PriorityClass") == ["low.system-fraud", "lowest.system-fraud"]


def test_every_pod_of_a_run_has_the_class_of_its_pipeline() -> None:
    run = run_of(YIELDS, "retrain")

    assert classes_of(run) == ["low.fraud"]
    assert classes_of(emitted_object(YIELDS, "CronJob", "retrain")) == ["low.fraud"]
    assert classes_of(run_of(YIELDS, "nightly")) == ["lowest.fraud"]
    assert classes_of(run_of(YIELDS, "try-out")) == [""]
    assert classes_of(emitted_object(YIELDS, "RayService", "scorer-champion")) == [""]


def test_low_priority_run_may_wait_until_its_timeout() -> None:
    assert run_of(YIELDS, "retrain")["spec"]["preRunningDeadlineSeconds"] == 6 * 3600
    assert run_of(YIELDS, "retrain")["spec"]["activeDeadlineSeconds"] == 12 * 3600
    assert run_of(VALID_SPEC, "retrain")["spec"]["preRunningDeadlineSeconds"] < 6 * 3600


def test_endpoint_may_have_low_priority() -> None:
    text = changed(SCORER, f"{SCORER}    priority: low\n")

    assert classes_of(emitted_object(text, "RayService", "scorer-champion")) == ["low.fraud"]
    assert names(text, "PriorityClass") == ["low.fraud"]


@pytest.mark.parametrize(
    ("pipeline", "allowed"), [("retrain", '["low.fraud"]'), ("nightly", '["lowest.fraud"]'), ("try-out", '[""]')]
)
def test_launcher_may_only_use_its_pipelines_class(pipeline: str, allowed: str) -> None:
    """A launcher may create runs only with its own pipeline's PriorityClass."""
    policy = emitted_object(YIELDS, "ValidatingAdmissionPolicy", f"fraud.{pipeline}.runs")
    (rule,) = [
        rule["expression"] for rule in policy["spec"]["validations"] if "priorityClassName" in rule["expression"]
    ]

    assert rule == f"variables.pods.all(pod, pod.?priorityClassName.orValue('') in {allowed})"


def test_each_priority_has_a_quota_of_its_own() -> None:
    """Each priority has its own quota so that low-priority Pods can't exhaust that of high-priority Pods."""
    quotas = {name: emitted_object(YIELDS, "ResourceQuota", name)["spec"] for name in names(YIELDS, "ResourceQuota")}
    scopes = {name: spec["scopeSelector"]["matchExpressions"] for name, spec in quotas.items()}

    assert {json.dumps(spec["hard"]) for spec in quotas.values()} == {
        json.dumps(emitted_object(VALID_SPEC, "ResourceQuota", "declared-capacity")["spec"]["hard"])
    }
    assert {name: (scope["operator"], scope["values"]) for name, (scope,) in scopes.items()} == {
        "declared-capacity-normal": ("NotIn", ["low.fraud", "lowest.fraud"]),
        "declared-capacity-low": ("In", ["low.fraud"]),
        "declared-capacity-lowest": ("In", ["lowest.fraud"]),
    }


def test_shared_cluster_needs_named_classes() -> None:
    text = SHARED.replace(RETRAIN, f"{RETRAIN}    priority: low\n")
    with_classes = text.replace(
        "      tenancy: shared\n", "      tenancy: shared\n      priorityClasses: {low: batch}\n"
    )

    assert [finding for finding in refused(text) if finding.startswith("E0991")] == ["E0991 low"]
    assert names(with_classes, "PriorityClass") == []
    assert classes_of(run_of(with_classes, "retrain")) == ["batch"]
    assert "of the workloads to which it yields: `batch`.\n" in files(with_classes)["README.md"]


def test_a_cloud_has_classes_and_no_quota() -> None:
    text = on_aws.changed(("inputs: [clicks], compute: gpu}", "inputs: [clicks], compute: gpu, priority: low}"))

    assert on_aws.names("PriorityClass", text) == ["low.leads"]
    assert on_aws.names("ResourceQuota", text) == []


def test_every_object_is_valid() -> None:
    objects = [each for each in emitted(YIELDS) if each["kind"] in KINDS]

    assert {each["kind"] for each in objects} >= {"PriorityClass", "ResourceQuota"}
    assert [problem for each in [*objects, run_of(YIELDS, "retrain")] for problem in problems(each)] == []
