"""Tests that objects have only fields accepted by Kubernetes, and that overrides with others are rejected."""

from __future__ import annotations

import json

import pytest

from modelyard_targets.kube.objects.object_fields import TABLE, problems
from modelyard_targets.kubernetes.check import check
from testbed.kubernetes import crds
from tests.emitted import emitted, emitted_object, refused
from tests.object_fields import table
from tests.plans import plan_of
from tests.specs import VALID_SPEC
from tests.targets.kube.objects.test_overrides import with_override

CRON = "CronJob/monitor-drift"
JOB = "/spec/jobTemplate/spec"
HEAD = "/spec/rayClusterConfig/headGroupSpec"


NEWER = {
    "gateway.networking.k8s.io/v1 Gateway",
    "gateway.networking.k8s.io/v1 HTTPRoute",
    "ray.io/v1 RayJob",
    "ray.io/v1 RayService",
}
"""Kinds whose definitions in Go modules are older than those in the folder $MODELYARD_CRDS."""


def test_the_table_is_up_to_date() -> None:
    """The field table matches the API definitions it is generated from."""
    shipped, current = json.loads(TABLE.read_text(encoding="utf-8")), table()
    behind = set[str]() if crds.given_folder() else NEWER
    comparable = {kind: fields for kind, fields in shipped["objects"].items() if kind not in behind}

    assert shipped["objects"].keys() == current["objects"].keys() >= {"batch/v1 CronJob", *NEWER}
    assert comparable.items() <= current["objects"].items()
    assert shipped["types"].items() <= current["types"].items()


def test_emitted_objects_have_no_problems() -> None:
    manifests = emitted(VALID_SPEC)
    runs = [json.loads(each["data"]["rayjob.json"]) for each in manifests if "rayjob.json" in each.get("data", {})]

    assert runs
    assert [problem for manifest in [*manifests, *runs] for problem in problems(manifest)] == []


@pytest.mark.parametrize(
    ("target", "patch"),
    [
        (CRON, f'{{op: replace, path: {JOB}/backoffLimit, value: "three"}}'),
        (CRON, f"{{op: add, path: {JOB}/backoffLimits, value: 3}}"),
        (CRON, "{op: add, path: /metadata/annotations, value: {team: 4}}"),
        (CRON, f"{{op: add, path: {JOB}/template/spec/containers/0/args, value: run}}"),
        (CRON, f"{{op: add, path: {JOB}/template/spec/hostNetwork, value: maybe}}"),
        ("RayService/scorer-champion", f"{{op: replace, path: {HEAD}/template/spec/containers, value: {{}}}}"),
        ("RayService/scorer-champion", f"{{op: add, path: {HEAD}/rayStartParameters, value: {{}}}}"),
        ("NetworkPolicy/scorer-champion", "{op: replace, path: /spec/policyTypes, value: Ingress}"),
        ("Deployment/mlflow", "{op: replace, path: /spec/template/spec/containers, value: {}}"),
        ("Deployment/mlflow", "{op: replace, path: /spec/template/spec/containers/0/image, value: null}"),
        ("Deployment/mlflow", "{op: remove, path: /spec/template/spec/containers/0/image}"),
        ("Deployment/mlflow", "{op: remove, path: /spec/selector}"),
        ("Service/mlflow", "{op: replace, path: /spec/ports, value: {}}"),
        ("RayService/scorer-champion", "{op: replace, path: /spec, value: null}"),
        ("RayService/scorer-champion", "{op: remove, path: /spec}"),
        ("RayService/scorer-champion", "{op: remove, path: /spec/rayClusterConfig}"),
        (CRON, "{op: remove, path: /spec/jobTemplate}"),
        (CRON, f"{{op: replace, path: {JOB}/backoffLimit, value: null}}"),
    ],
)
def test_invalid_overrides_are_refused(target: str, patch: str) -> None:
    """Overrides with wrong types, unknown or missing fields, or null values are refused."""
    assert refused(with_override(f"[{patch}]", target)) == [f"E0836 [{patch}]"]


@pytest.mark.parametrize(
    ("target", "patch"),
    [
        (CRON, f"{{op: replace, path: {JOB}/backoffLimit, value: 3}}"),
        (CRON, f"{{op: add, path: {JOB}/template/spec/containers/0/resources/limits/memory, value: 2Gi}}"),
        (CRON, f"{{op: add, path: {JOB}/template/spec/containers/0/resources/limits/cpu, value: 2}}"),
        ("RayService/scorer-champion", f'{{op: add, path: {HEAD}/rayStartParams/num-gpus, value: "1"}}'),
    ],
)
def test_valid_overrides_are_accepted(target: str, patch: str) -> None:
    """Valid overrides are accepted, including quantities as numbers or strings."""
    assert refused(with_override(f"[{patch}]", target)) == []


RUN = "ConfigMap/retrain-rayjob"


@pytest.mark.parametrize(
    ("patch", "problem"),
    [
        ("{op: remove, path: /data}", "is required"),
        ("{op: remove, path: /data/rayjob.json}", "is required"),
        ("{op: replace, path: /data/rayjob.json, value: not json}", "must be JSON"),
        ("{op: replace, path: /data/rayjob.json, value: '[]'}", "must be a JSON object"),
        ("{op: replace, path: /data/rayjob.json, value: '{}'}", "must have apiVersion ray.io/v1"),
    ],
)
def test_overrides_that_break_a_document_are_refused(patch: str, problem: str) -> None:
    """An override that would invalidate the RayJob inside a ConfigMap is rejected."""
    text = with_override(f"[{patch}]", RUN)
    (diagnostic,) = check(plan_of(text), "main")

    assert (diagnostic.code, problem in diagnostic.message) == ("E0836", True)
    assert refused(text) == [f"E0836 [{patch}]"]


def test_valid_override_of_a_document_is_accepted() -> None:
    run = emitted_object(VALID_SPEC, "ConfigMap", "retrain-rayjob")["data"]["rayjob.json"]
    changed = json.dumps({**json.loads(run), "metadata": {"labels": {"team": "fraud"}}})

    assert (
        refused(with_override(f"[{{op: replace, path: /data/rayjob.json, value: {json.dumps(changed)}}}]", RUN)) == []
    )
