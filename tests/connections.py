"""The network of an emitted cluster, i.e. its network policies, and Pods with the labels set by charts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address

from modelyard.manifest import COMPONENT, NAME, SYSTEM
from modelyard_targets.kube.placement.charts import charts
from testbed.kubernetes.kubectl import Object
from testbed.kubernetes.network_policies import Network, Pod

STRANGER = "stranger"
"""A namespace unrelated to the system."""

_NAME = "kubernetes.io/metadata.name"
_PROXY = {"app.kubernetes.io/managed-by": "envoy-gateway", "app.kubernetes.io/component": "proxy"}

ADDON_PODS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "prometheus": ("monitoring", {NAME: "prometheus"}),
    "alertmanager": ("monitoring", {NAME: "alertmanager"}),
    "grafana": ("monitoring", {NAME: "grafana"}),
    "kube-state-metrics": ("monitoring", {NAME: "kube-state-metrics"}),
    "prometheus-operator": ("monitoring", {"app": "kube-prometheus-stack-operator"}),
    "kuberay": ("kuberay-system", {NAME: "kuberay-operator"}),
    "secrets": ("external-secrets", {NAME: "external-secrets"}),
    "secrets-webhook": ("external-secrets", {NAME: "external-secrets-webhook"}),
    "databases": ("cnpg-system", {NAME: "cloudnative-pg"}),
    "envoy-gateway": ("envoy-gateway-system", {"control-plane": "envoy-gateway"}),
    "proxy": ("envoy-gateway-system", _PROXY),
}
"""Pods of add-ons, by the names used in tests, each with its namespace and the labels that charts or operators set."""


def ray_pod(system: str, name: str) -> Mapping[str, str]:
    """Return the labels of a workload's Ray Pod."""
    return {SYSTEM: system, NAME: name, "ray.io/is-ray-node": "yes", "ray.io/node-type": "head"}


def system_pods(namespace: str, system: str, server: str, pipeline: str, monitor: str) -> dict[str, tuple[str, Object]]:
    """Return one Pod of each kind that a system has, by name."""
    labels = {SYSTEM: system}
    return {
        "server": (namespace, {**ray_pod(system, server)}),
        "pipeline": (namespace, {**ray_pod(system, pipeline), COMPONENT: "pipeline"}),
        "step": (namespace, {**ray_pod(system, pipeline), COMPONENT: "pipeline", "ray.io/node-type": "worker"}),
        "monitor": (namespace, {**labels, NAME: monitor, COMPONENT: "monitor"}),
        "promoter": (namespace, {**labels, NAME: "promoter", COMPONENT: "promoter"}),
        "registry": (namespace, {**labels, NAME: "mlflow", COMPONENT: "registry"}),
        "database": (namespace, {"cnpg.io/cluster": "runs"}),
        "other": (namespace, {NAME: "other"}),
        STRANGER: (STRANGER, {NAME: "prometheus", COMPONENT: "monitor"}),
    }


def network_of(objects: Iterable[Object], pods: Mapping[str, tuple[str, Mapping[str, object]]]) -> Network:
    """Return a network with the given objects' policies and namespaces, and an address for each given Pod."""
    all_objects = list(objects)
    spaces = {name: {_NAME: name} for name in (*(chart.namespace for chart in charts().values()), STRANGER)}
    for each in all_objects:
        if each["kind"] == "Namespace":
            described = each["metadata"]
            assert isinstance(described, dict)
            own = described.get("labels")
            assert isinstance(own, dict)
            name = str(described["name"])
            spaces[name] = {_NAME: name, **{key: str(value) for key, value in own.items()}}
    network_pods = [
        Pod(namespace, name, IPv4Address(f"198.18.0.{at + 2}"), {key: str(value) for key, value in labels.items()})
        for at, (name, (namespace, labels)) in enumerate(pods.items())
    ]
    return Network(spaces, network_pods, [each for each in all_objects if each["kind"] == "NetworkPolicy"])


def pods_by_name(network: Network) -> Mapping[str, Pod]:
    """Return a network's Pods by name."""
    return {pod.name: pod for pod in network.pods}
