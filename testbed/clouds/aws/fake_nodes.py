"""Creates a node group's nodes as KWOK nodes in a test's API server, with labels, taints and accelerators."""

from __future__ import annotations

import os
from pathlib import Path

from testbed.clouds.shared.values import Values
from testbed.kubernetes import nodes
from testbed.kubernetes.kubectl import Kubectl
from testbed.places import binary

KUBECONFIG = "MODELYARD_AWS_NODES"
"""The environment variable with the kubeconfig of the API server that gets nodes. Without it, none are added."""

_EFFECTS = {"NO_SCHEDULE": "NoSchedule", "NO_EXECUTE": "NoExecute", "PREFER_NO_SCHEDULE": "PreferNoSchedule"}
_DEVICES = {"NVIDIA": ("nvidia.com/gpu", 8), "NEURON": ("aws.amazon.com/neuron", 16)}


def scale(group: Values, disk_gib: int) -> None:
    """Create nodes with the given disk size, or remove nodes, until the group has its desired size."""
    kubectl = _kubectl()
    if kubectl is None:
        return
    desired = int(group["scalingConfig"]["desiredSize"])
    _removed(kubectl, group, keep=desired)
    if desired:
        nodes.add_nodes(kubectl, [_node(group, position, disk_gib) for position in range(desired)])


def remove(group: Values) -> None:
    """Remove a group's nodes."""
    if kubectl := _kubectl():
        _removed(kubectl, group, keep=0)


def _kubectl() -> Kubectl | None:
    path = os.environ.get(KUBECONFIG)
    return Kubectl(binary("kubectl"), Path(path)) if path else None


def _removed(kubectl: Kubectl, group: Values, keep: int) -> None:
    selector = f"eks.amazonaws.com/nodegroup={group['nodegroupName']}"
    names = kubectl.run("get", "node", f"--selector={selector}", "--output=name").split()
    remaining = {f"node/{_name(group, position)}" for position in range(keep)}
    if surplus := [name for name in names if name not in remaining]:
        kubectl.run("delete", *surplus)


def _name(group: Values, position: int) -> str:
    return f"{group['nodegroupName']}-{position}"


def _node(group: Values, position: int, disk_gib: int) -> nodes.Node:
    zone = ("a", "b", "c")[position % 3]
    spot = group.get("capacityType") == "SPOT"
    labels = {
        "eks.amazonaws.com/nodegroup": group["nodegroupName"],
        "eks.amazonaws.com/capacityType": "SPOT" if spot else "ON_DEMAND",
        "node.kubernetes.io/instance-type": (group.get("instanceTypes") or ["t3.medium"])[0],
        "topology.kubernetes.io/zone": f"{os.environ.get('AWS_REGION', 'zone')}{zone}",
        **group.get("labels", {}),
    }
    if "ARM_64" in group.get("amiType", ""):
        labels["kubernetes.io/arch"] = "arm64"
    taints = group.get("taints", ())
    device = next((device for word, device in _DEVICES.items() if word in group.get("amiType", "")), None)
    return nodes.Node(
        name=_name(group, position),
        disk=f"{disk_gib}Gi",
        resources=(device,) if device else (),
        labels=tuple(labels.items()),
        taints=tuple((taint["key"], taint.get("value", ""), _EFFECTS[taint["effect"]]) for taint in taints),
    )
