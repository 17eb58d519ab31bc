"""Tests that a real control plane enforces quotas and preempts Pods by priority."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest

from testbed.kubernetes import nodes
from testbed.kubernetes.control_plane import Cluster
from testbed.kubernetes.kubectl import Kubectl, Object, Refused
from tests.emitted import emitted
from tests.targets.kube.pods.test_priorities import YIELDS

NAMESPACE = "fraud-yields"
LOW, LOWEST = f"low.{NAMESPACE}", f"lowest.{NAMESPACE}"
POOL = "shared-by-all"
TAINT = ("pool", POOL, "NoSchedule")
CPUS = 8


@pytest.fixture(name="system", scope="module")
def _system(control_plane: Cluster) -> Generator[Kubectl]:
    """Create a preemptible system's namespace, PriorityClasses and quotas, and one machine for its Pods."""
    kinds = ("Namespace", "PriorityClass", "ResourceQuota")
    text = YIELDS.replace("      residency: eu\n", f"      residency: eu\n      namespace: {NAMESPACE}\n")
    objects = [each for kind in kinds for each in emitted(text) if each["kind"] == kind]
    kubectl = control_plane.kubectl
    for each in objects:
        if each["kind"] == "ResourceQuota":  # as if the spec declared only this machine
            each["spec"] = {**each["spec"], "hard": {"requests.cpu": str(CPUS)}}
    nodes.add_nodes(kubectl, [nodes.Node(POOL, cpu=str(CPUS), labels=(("pool", POOL),), taints=(TAINT,))])
    kubectl.apply(objects[:1])
    kubectl.apply(objects[1:])
    kubectl.wait_until(
        lambda: kubectl.value("serviceaccount", "default", "{.metadata.name}", NAMESPACE) == "default",
        "the namespace has its ServiceAccount",
    )
    yield kubectl
    kubectl.run("delete", "namespace", NAMESPACE)
    kubectl.run("delete", "priorityclass", LOW, LOWEST)
    kubectl.run("delete", "node", POOL)


@contextmanager
def running(kubectl: Kubectl, name: str, cpu: int, priority_class: str = "") -> Generator[str]:
    """Run a Pod on the machine and delete it afterwards."""
    kubectl.apply([_pod(name, cpu, priority_class)])
    _until_it_runs(kubectl, name)
    yield name
    kubectl.run("delete", "pod", name, f"--namespace={NAMESPACE}", "--ignore-not-found")


def _pod(name: str, cpu: int, priority_class: str = "") -> Object:
    container: Object = {
        "name": "main",
        "image": "example.org/main:1",
        "resources": {"requests": {"cpu": str(cpu)}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    spec: dict[str, Any] = {
        "nodeSelector": {"pool": POOL},
        "tolerations": [{"key": "pool", "operator": "Exists"}],
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
    }
    if priority_class:
        spec["priorityClassName"] = priority_class
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec}


def _until_it_runs(kubectl: Kubectl, name: str) -> None:
    kubectl.wait_until(
        lambda: kubectl.value("pod", name, "{.status.phase}", NAMESPACE) == "Running", f"{name} runs", 120
    )


def _until_it_is_gone(kubectl: Kubectl, name: str) -> None:
    kubectl.wait_until(
        lambda: kubectl.value("pod", name, "{.metadata.name}", NAMESPACE) == "", f"{name} is preempted", 120
    )


def test_serving_preempts_training(system: Kubectl) -> None:
    """Serving preempts training that fills the machine.

    A shared quota would reject the serving Pod.
    """
    with running(system, "worker", CPUS, LOW), running(system, "replica", 4):
        _until_it_is_gone(system, "worker")


def test_lowest_priority_is_preempted_first(system: Kubectl) -> None:
    with (
        running(system, "worker", 4, LOW),
        running(system, "batch", 4, LOWEST),
        running(system, "replica", 4),
    ):
        _until_it_is_gone(system, "batch")
        assert system.value("pod", "worker", "{.status.phase}", NAMESPACE) == "Running"


def test_training_does_not_preempt_serving(system: Kubectl) -> None:
    with running(system, "replica", CPUS):
        system.apply([_pod("worker", 4, LOW)])
        system.wait_until(
            lambda: "Unschedulable" in system.value("pod", "worker", "{.status.conditions[*].reason}", NAMESPACE),
            "the worker has no place",
            120,
        )
        assert system.value("pod", "replica", "{.status.phase}", NAMESPACE) == "Running"
        system.run("delete", "pod", "worker", f"--namespace={NAMESPACE}")
    assert system.value("pod", "replica", "{.metadata.name}", NAMESPACE) == ""


def test_each_priority_is_limited_to_the_declared_machines(system: Kubectl) -> None:
    with running(system, "worker", CPUS, LOW), pytest.raises(Refused, match="declared-capacity-low"):
        system.apply([_pod("another", 1, LOW)])
