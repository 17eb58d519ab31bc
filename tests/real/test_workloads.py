"""Tests that Pods on real nodes are restricted and Ray requires a token.

Only the autoscaler may call Kubernetes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from modelyard.plan import Kind
from modelyard.writers.yaml_text import documents
from modelyard_targets.kube.placement.context import context_for
from testbed import image
from testbed.kubernetes.control_plane import Cluster
from testbed.kubernetes.kubectl import Object
from testbed.kubernetes.whole_kubernetes import WholeKubernetes
from tests.lowering import lower_workload, lowered
from tests.plans import plan_of
from tests.targets.kube.project.test_workloads import SPECS

NAMESPACE = "workloads"
SPEC = f"""\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {{name: {NAMESPACE}}}
governance: {{owner: {{team: ml, email: ml@acme.example}}}}
deployment: {{mode: on-prem, provider: kubernetes, context: here, edge: true}}
compute: {{small: {{cpu: 300m, memory: 1Gi}}}}
pipelines:
  sum:
    type: custom
    source: {{image: "{image.BASE_NAME}", entrypoint: "acme.sums:main"}}
    compute: small
    workers: {{min: 0, max: 1}}
    schedule: once
    timeout: 20m
    retries: 0
"""
DRIVER = """\
import ray
ray.init()
where = ray.remote(num_cpus=0.5, resources={"group-sum": 1})(lambda: sum(range(10)))
assert ray.get(where.remote()) == 45
print("the worker counted to 45")
"""


@pytest.fixture
def run(whole_kubernetes: WholeKubernetes, base_image: Path) -> Iterator[str]:
    """Run a pipeline's RayJob to completion, using this test's driver in place of the runtime's."""
    whole_kubernetes.load(base_image)
    kubectl = whole_kubernetes.kubectl
    enforced: Object = {"pod-security.kubernetes.io/enforce": "restricted"}
    kubectl.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": enforced}}])
    plan = plan_of(SPEC)
    context = context_for(plan, "main", runtime_image=image.BASE_NAME)
    kinds = (Kind.IDENTITY, Kind.CUSTOM_JOB)
    objects = [
        cast(Object, json.loads(json.dumps(obj.manifest)))
        for resource in plan.on("main")
        if resource.kind in kinds
        for obj in lower_workload(resource, context)
    ]
    (job,) = [obj for obj in objects if obj["kind"] == "RayJob"]
    cast(Any, job)["spec"]["entrypoint"] = f"python -c '{DRIVER}'"
    with kubectl.removing(NAMESPACE):
        kubectl.apply(objects)
        name = cast(Any, job)["metadata"]["name"]
        kubectl.wait_until(
            lambda: kubectl.value("rayjob", name, "{.status.jobDeploymentStatus}", NAMESPACE) in {"Complete", "Failed"},
            "the run has ended",
            900,
        )
        yield name


def test_run_scales_from_zero_workers_and_succeeds(whole_kubernetes: WholeKubernetes, run: str) -> None:
    """The head starts without workers, and the autoscaler adds one. Only the autoscaler has an API token."""
    kubectl = whole_kubernetes.kubectl

    assert kubectl.value("rayjob", run, "{.status.jobStatus}", NAMESPACE) == "SUCCEEDED"


@pytest.mark.parametrize("name", SPECS)
def test_api_server_accepts_every_object_without_warnings(name: str, control_plane: Cluster, tmp_path: Path) -> None:
    """The API server enforces strict field validation and the CEL rules of CustomResourceDefinitions."""
    workloads = lowered(SPECS[name])
    labelled: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": workloads.context.namespace}}
    manifests = tmp_path / "manifests.yaml"
    manifests.write_text(documents([labelled, *workloads]), encoding="utf-8")

    assert control_plane.kubectl.apply_strict(manifests) == ()


def test_operator_accepts_servers_and_their_pods_are_scheduled(control_plane: Cluster) -> None:
    """The operator emits no `InvalidRay…` events, and all Pods are scheduled under Pod security."""
    kubectl = control_plane.kubectl
    workloads = lowered(SPECS["valid"])
    enforced: Object = {"pod-security.kubernetes.io/enforce": "restricted"}
    namespace: Object = {"name": workloads.context.namespace, "labels": enforced}
    kubectl.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": namespace}])
    kubectl.apply([obj for obj in workloads if obj["kind"] != "HTTPRoute"])

    def pods() -> list[tuple[str, str]]:
        items = cast("list[Any]", kubectl.all("pods", workloads.context.namespace, "ray.io/is-ray-node=yes"))
        return sorted((pod["metadata"]["labels"]["ray.io/node-type"], pod["status"]["phase"]) for pod in items)

    with kubectl.removing(workloads.context.namespace):
        kubectl.wait_until(
            lambda: pods() == [("head", "Running")] * 2 + [("worker", "Running")] * 3, "all Pods run", 300
        )
        assert "InvalidRay" not in kubectl.warnings()
