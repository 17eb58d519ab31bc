"""Tests that Pulumi's engine and KubeRay's operator replace servers without a second Ray cluster."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from modelyard.stack import Value
from modelyard.writers.yaml_text import documents
from testbed.kubernetes.control_plane import Cluster
from testbed.kubernetes.kubectl import Object
from testbed.pulumi.stack import PulumiStack
from tests.lowering import lowered
from tests.specs import changed
from tests.stacks.programs import project

IN_PLACE = ("    slo: {", "    rollout: {strategy: in-place}\n    slo: {")
SERVER = "scorer-champion"
NAMESPACE = "in-place"
PROGRAM = """\
cluster = kubernetes.Cluster("main")
kubernetes.Manifests("workloads", cluster=cluster, files=["server.yaml"])
"""


def server(old: str, new: str) -> list[Object]:
    """Return the Kubernetes objects of an endpoint's model server, placed in their own namespace."""
    objects = lowered(changed(old, new, IN_PLACE))
    server_objects = [objects.get("ConfigMap", f"{SERVER}-description"), objects.get("RayService", SERVER)]
    where: Object = {"namespace": NAMESPACE}
    setup: list[Object] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "scorer", **where}},
    ]
    return [*setup, *({**obj, "metadata": {**obj["metadata"], **where}} for obj in server_objects)]


def written(folder: Path, objects: list[Object]) -> Path:
    """Write a Pulumi project that applies the given objects."""
    folder.mkdir(parents=True)
    project(folder, PROGRAM, [("server.yaml", documents(cast("list[Value]", objects)))], "context: bench")
    (folder / "requirements.txt").write_text("pulumi==3.272.0\npulumi-kubernetes==4.34.2\nPyYAML==6.0.4\n")
    return folder


def test_change_to_pods_replaces_the_server(
    tmp_path: Path, control_plane: Cluster, pulumi_stack: Callable[..., PulumiStack]
) -> None:
    """A new image recreates the server, because KubeRay would ignore it. Other changes are made in place."""
    kubectl = control_plane.kubectl
    stack = pulumi_stack(written(tmp_path / "first", server("sample: 20%", "sample: 20%")), "prod")
    stack.configure("kubeconfig", control_plane.kubeconfig.read_text(), secret=True)
    assert set(stack.up().changed.values()) == {"create"}

    def clusters() -> list[str]:
        return [cluster["metadata"]["name"] for cluster in cast("list[Any]", kubectl.all("rayclusters", NAMESPACE))]

    kubectl.wait_until(lambda: len(clusters()) == 1, "a Ray cluster is there", 600)
    first = clusters()
    assert stack.refresh().changed == {}
    assert stack.up().changed == {}

    def applied(name: str, old: str, new: str) -> set[str]:
        stack.replace(written(tmp_path / name, server(old, new)))
        return {how for urn, how in stack.up().changed.items() if urn.endswith(f"{NAMESPACE}/{SERVER}")}

    assert applied("sample", "sample: 20%", "sample: 30%") == {"update"}
    assert applied("replicas", "replicas: {min: 2, max: 6}", "replicas: {min: 3, max: 6}") == {"update"}
    assert clusters() == first

    assert "replace" in " ".join(applied("cpu", "cpu: {cpu: 2, memory: 8Gi}", "cpu: {cpu: 3, memory: 8Gi}"))
    kubectl.wait_until(lambda: len(clusters()) == 1 and clusters() != first, "another Ray cluster is there", 600)
    (cluster,) = cast("list[Any]", kubectl.all("rayclusters", NAMESPACE))
    (worker,) = cluster["spec"]["workerGroupSpecs"][0]["template"]["spec"]["containers"]
    assert worker["resources"]["requests"]["cpu"] == "3"
    stack.destroy()
