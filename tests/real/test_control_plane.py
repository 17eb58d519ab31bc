"""Tests that the control plane validates manifests, schedules Pods, and runs KubeRay's operator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelyard.spec import Accelerator, Machines, Taint
from testbed.kubernetes import nodes
from testbed.kubernetes.control_plane import Cluster
from testbed.kubernetes.kubectl import Object, Refused

RAY_CLUSTER: Object = {
    "apiVersion": "ray.io/v1",
    "kind": "RayCluster",
    "metadata": {"name": "demo", "namespace": "default"},
    "spec": {
        "rayVersion": "2.60.0",
        "headGroupSpec": {
            "rayStartParams": {"num-cpus": "0"},
            "template": {"spec": {"containers": [{"name": "head", "image": "rayproject/ray:2.60.0-py311"}]}},
        },
        "workerGroupSpecs": [
            {
                "groupName": "gpu",
                "replicas": 2,
                "minReplicas": 2,
                "maxReplicas": 2,
                "rayStartParams": {},
                "template": {
                    "spec": {
                        "containers": [
                            {
                                "name": "worker",
                                "image": "rayproject/ray:2.60.0-py311",
                                "resources": {"limits": {"nvidia.com/gpu": "1", "cpu": "4", "memory": "8Gi"}},
                            }
                        ]
                    }
                },
            }
        ],
    },
}


@pytest.fixture
def ray_cluster(control_plane: Cluster) -> Iterator[str]:
    """Create a RayCluster with a head and two workers, each with a GPU."""
    control_plane.kubectl.apply([RAY_CLUSTER])
    yield "demo"
    control_plane.kubectl.run("delete", "raycluster", "demo")


def test_operator_creates_a_ray_cluster_that_becomes_ready(control_plane: Cluster, ray_cluster: str) -> None:
    """KubeRay's operator creates the head and worker Pods, the scheduler places them, and KWOK simulates them."""
    kubectl = control_plane.kubectl

    kubectl.wait_until(
        lambda: kubectl.value("raycluster", ray_cluster, "{.status.state}") == "ready", "the Ray cluster is ready"
    )

    pods = kubectl.all("pods", "default", f"ray.io/cluster={ray_cluster}")
    assert len(pods) == 3
    assert "InvalidRay" not in kubectl.warnings()


def test_strict_validation_names_an_unknown_field(control_plane: Cluster, tmp_path: Path) -> None:
    """The API server accepts the manifest but rejects it once it has an unknown field, naming the field."""
    manifest = tmp_path / "cluster.yaml"
    manifest.write_text(json.dumps(RAY_CLUSTER))
    assert control_plane.kubectl.apply_strict(manifest) == ()
    manifest.write_text(json.dumps(RAY_CLUSTER).replace('"minReplicas"', '"leastReplicas"'))

    with pytest.raises(Refused, match="leastReplicas"):
        control_plane.kubectl.apply_strict(manifest)

    assert control_plane.kubectl.value("raycluster", "demo", "{.metadata.name}") == ""


def test_pods_are_scheduled_only_on_machines_that_fit(control_plane: Cluster) -> None:
    """Pods are scheduled only on machines that fit.

    A Pod that needs two accelerators runs on a machine that has them. A Pod that fits no machine stays pending.
    """
    kubectl = control_plane.kubectl
    pool = Machines(
        count=1,
        cpu_millis=4000,
        memory_bytes=16 * 2**30,
        accelerator=Accelerator("L4", 2),
        labels=(("pool", "l4"),),
        taints=(Taint("pool", "l4"),),
    )
    nodes.add_nodes(kubectl, nodes.nodes_of((pool,)))

    kubectl.apply([_pod("fits", gpus=2), _pod("too-large", gpus=3)])

    kubectl.wait_until(lambda: _phase(control_plane, "fits") == "Running", "the Pod that fits runs")
    assert kubectl.value("pod", "fits", "{.spec.nodeName}") == "machine-0-0"
    assert _phase(control_plane, "too-large") == "Pending"
    kubectl.run("delete", "pod", "fits", "too-large")
    kubectl.run("delete", "node", "machine-0-0")


def _phase(cluster: Cluster, pod: str) -> str:
    return cluster.kubectl.value("pod", pod, "{.status.phase}")


def _pod(name: str, gpus: int) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "nodeSelector": {"pool": "l4"},
            "tolerations": [{"key": "pool", "value": "l4", "effect": "NoSchedule"}],
            "containers": [
                {"name": "main", "image": "example.org/main:1", "resources": {"limits": {"nvidia.com/gpu": str(gpus)}}}
            ],
        },
    }
