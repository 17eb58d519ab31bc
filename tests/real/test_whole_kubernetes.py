"""Tests that a Ray cluster in a complete Kubernetes cluster with real containers becomes ready."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from testbed import image
from testbed.kubernetes.kubectl import Object
from testbed.kubernetes.whole_kubernetes import NODE, WholeKubernetes

_RESTRICTED: Object = {
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


def _template(name: str, used: str, memory: str) -> Object:
    return {
        "spec": {
            "containers": [
                {
                    "name": name,
                    "image": used,
                    "imagePullPolicy": "IfNotPresent",
                    "securityContext": _RESTRICTED,
                    "resources": {
                        "requests": {"cpu": "100m", "memory": memory},
                        "limits": {"cpu": "1", "memory": memory},
                    },
                }
            ]
        }
    }


@pytest.fixture
def ray_head(whole_kubernetes: WholeKubernetes, base_image: Path) -> Iterator[str]:
    """Start a single-worker Ray cluster under restricted Pod security and yield the head's address."""
    kubectl = whole_kubernetes.kubectl
    whole_kubernetes.load(base_image)
    labels: Object = {"pod-security.kubernetes.io/enforce": "restricted"}
    kubectl.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ray", "labels": labels}}])
    kubectl.apply(
        [
            {
                "apiVersion": "ray.io/v1",
                "kind": "RayCluster",
                "metadata": {"name": "demo", "namespace": "ray"},
                "spec": {
                    "rayVersion": image.RAY,
                    "headGroupSpec": {
                        "rayStartParams": {"num-cpus": "0"},
                        "template": _template("head", image.BASE_NAME, "2Gi"),
                    },
                    "workerGroupSpecs": [
                        {
                            "groupName": "cpu",
                            "replicas": 1,
                            "minReplicas": 1,
                            "maxReplicas": 1,
                            "rayStartParams": {},
                            "template": _template("worker", image.BASE_NAME, "2Gi"),
                        }
                    ],
                },
            }
        ]
    )
    with kubectl.removing("ray"):
        kubectl.wait_until(
            lambda: kubectl.value("raycluster", "demo", "{.status.state}", "ray") == "ready",
            "the Ray cluster is ready",
            600,
        )
        (head,) = kubectl.all("pods", "ray", "ray.io/node-type=head")
        yield str(cast(Object, head["status"])["podIP"])


def test_head_answers_and_lists_its_worker(whole_kubernetes: WholeKubernetes, ray_head: str) -> None:
    """The dashboard reports Ray's version and lists both the head and the worker as alive."""
    version = json.loads(whole_kubernetes.fetch(f"http://{ray_head}:8265/api/version"))
    assert version["ray_version"] == image.RAY

    nodes = json.loads(whole_kubernetes.fetch(f"http://{ray_head}:8265/nodes?view=summary"))
    assert [node["raylet"]["state"] for node in nodes["data"]["summary"]] == ["ALIVE", "ALIVE"]


def test_cluster_has_one_real_node_and_no_route_out(whole_kubernetes: WholeKubernetes) -> None:
    """containerd runs the node's containers, and there is no route to another machine."""
    runtime = whole_kubernetes.kubectl.value("node", NODE, "{.status.nodeInfo.containerRuntimeVersion}")
    assert runtime.startswith("containerd://")

    links = json.loads(whole_kubernetes.run("ip", "-details", "-json", "link"))
    kinds = {link["linkinfo"]["info_kind"] if "linkinfo" in link else link["link_type"] for link in links}
    assert kinds <= {"loopback", "bridge", "veth"}
    assert "REACHABLE" not in whole_kubernetes.run("ip", "neighbour", "show", "dev", "node0")
