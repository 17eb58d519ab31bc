"""Nodes without machines, which are kept ready by KWOK. It also simulates the Pods scheduled on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from modelyard.spec import Machines
from testbed import build
from testbed.kubernetes.kubectl import Json, Kubectl, Object, as_list
from testbed.places import binary
from testbed.processes import Processes, free_ports

FAKE = {"kwok.x-k8s.io/node": "fake"}
"""The annotation that marks nodes managed by KWOK."""

_STAGES = (
    "node/fast/node-initialize.yaml",
    "node/heartbeat/node-heartbeat.yaml",
    "pod/fast/pod-ready.yaml",
    "pod/fast/pod-complete.yaml",
    "pod/fast/pod-delete.yaml",
)


@dataclass(frozen=True, slots=True)
class Node:
    """A node as seen by the scheduler. `resources` are extended resources such as `nvidia.com/gpu`."""

    name: str
    cpu: str = "64"
    memory: str = "256Gi"
    disk: str = "16Ti"  # more than any Pod requests, because specs do not declare the disks of machines
    resources: tuple[tuple[str, int], ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    taints: tuple[tuple[str, str, str], ...] = ()  # key, value, effect


def nodes_of(capacity: Iterable[Machines], gpu_resource: str = "nvidia.com/gpu") -> Iterator[Node]:
    """Yield a node for each machine in a spec, with its labels, taints and accelerators."""
    for group, machines in enumerate(capacity):
        accelerator = machines.accelerator
        for position in range(machines.count):
            yield Node(
                name=f"machine-{group}-{position}",
                cpu=f"{machines.cpu_millis}m",
                memory=str(machines.memory_bytes),
                resources=((gpu_resource, accelerator.count),) if accelerator else (),
                labels=machines.labels,
                taints=tuple((taint.key, taint.value, taint.effect) for taint in machines.taints),
            )


def start_kwok(processes: Processes, kubectl: Kubectl) -> None:
    """Start KWOK only for nodes that `add_nodes` adds."""
    stages = build.module_folder("prometheus", "sigs.k8s.io/kwok") / "kustomize" / "stage"
    selector = ",".join(f"{key}={value}" for key, value in FAKE.items())
    processes.start(
        "kwok",
        binary("kwok"),
        f"--kubeconfig={kubectl.kubeconfig}",
        "--manage-all-nodes=false",
        f"--manage-nodes-with-annotation-selector={selector}",
        f"--server-address=127.0.0.1:{free_ports(1)[0]}",
        *(f"--config={stages / stage}" for stage in _STAGES),
    )


def add_nodes(kubectl: Kubectl, nodes: Iterable[Node]) -> None:
    """Add nodes and wait until they are ready."""
    added = [_object(node) for node in nodes]
    kubectl.run("apply", "--filename=-", stdin=as_list(added))
    kubectl.run("wait", "--for=condition=Ready", "node", "--selector=type=kwok", "--timeout=240s")


def remove_nodes(kubectl: Kubectl) -> None:
    """Remove all KWOK nodes."""
    kubectl.run("delete", "node", "--selector=type=kwok")


def _object(node: Node) -> Object:
    labels: dict[str, Json] = {
        "type": "kwok",
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": node.name,
        **dict(node.labels),
    }
    offers: dict[str, Json] = {
        "cpu": node.cpu,
        "memory": node.memory,
        "ephemeral-storage": node.disk,
        "pods": "110",
        **{name: str(count) for name, count in node.resources},
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": node.name, "labels": labels, "annotations": dict(FAKE)},
        "spec": {"taints": [{"key": key, "value": value, "effect": effect} for key, value, effect in node.taints]},
        "status": {"allocatable": offers, "capacity": offers},
    }
