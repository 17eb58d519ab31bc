"""Tests every TCP connection between real Pods on a node that enforces the emitted policies."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
import yaml

from modelyard.manifest import RESTRICTED
from testbed.kubernetes import enforcer
from testbed.kubernetes.kubectl import Object
from testbed.kubernetes.network_policies import Network
from testbed.kubernetes.whole_kubernetes import NODE, PAUSE, WholeKubernetes
from testbed.processes import Processes
from tests.connections import ADDON_PODS, STRANGER, system_pods
from tests.emitted import emitted
from tests.specs import VALID_SPEC

PORTS = (3000, 5000, 5432, 8000, 8080, 8265, 9000, 9090, 9093, 9094, 9443, 10250)
PROGRAMS = Path(__file__).parent / "programs"
RECIPES = "recipes"
PODS: Mapping[str, tuple[str, Mapping[str, object]]] = {
    **{name: pod for name, pod in ADDON_PODS.items() if pod[0] != "envoy-gateway-system"},
    **system_pods("fraud", "fraud", "scorer-champion", "retrain", "monitor-drift"),
    **{name: (RECIPES, {"app": name}) for name in ("web", "friend", "closed")},
}
RECIPE = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: recipes}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress:
  - from: [{podSelector: {matchLabels: {app: friend}}}]
    ports: [{port: http}]
  - from: [{ipBlock: {cidr: 198.18.0.0/16, except: [198.18.0.0/17]}}]
    ports: [{port: 9000}]
  - from:
    - namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: In, values: [stranger]}]}
    ports: [{port: 9090, endPort: 9093}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: friend, namespace: recipes}
spec: {podSelector: {matchLabels: {app: friend}}, policyTypes: [Egress], egress: [{ports: [{port: 8080}]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: recipes}
spec: {podSelector: {matchLabels: {app: closed}}, policyTypes: [Ingress, Egress]}
"""
"""A policy that uses API features not found in emitted policies: named ports, ranges, exceptions, expressions."""


@dataclass(frozen=True)
class Measured:
    """The network as the API server sees it, and the successful connections as source Pod, target Pod and port."""

    network: Network
    connections: frozenset[tuple[str, str, int]]

    def sources(self, target: str, port: int) -> set[str]:
        """Return the Pods that connected to the given port of the target Pod."""
        return {source for source, destination, at in self.connections if (destination, at) == (target, port)}


def _pod(name: str) -> Object:
    namespace, labels = PODS[name]
    container = {
        "name": "pause",
        "image": PAUSE,
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"name": "http", "containerPort": 8080}],
        "securityContext": dict(RESTRICTED),
        "resources": {"requests": {"cpu": "1m", "memory": "1Mi"}, "limits": {"cpu": "1", "memory": "64Mi"}},
    }
    described = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": dict(labels)},
        "spec": {
            "nodeName": NODE,
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "containers": [container],
        },
    }
    return cast("Object", described)


@pytest.fixture(scope="module")
def measured(whole_kubernetes: WholeKubernetes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Measured]:
    """Let every Pod listen on all ports, and connect to every port of every other Pod."""
    kubectl = whole_kubernetes.kubectl
    ours = [each for each in emitted(VALID_SPEC) if each["kind"] in ("Namespace", "NetworkPolicy")]
    own = {each["metadata"]["name"] for each in ours if each["kind"] == "Namespace"}
    bare = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in _spaces() - own]
    recipes: list[Object] = list(yaml.safe_load_all(RECIPE))
    kubectl.apply(cast("list[Object]", bare), [each for each in ours if each["kind"] == "Namespace"])
    kubectl.apply([each for each in ours if each["kind"] == "NetworkPolicy"], recipes, [_pod(name) for name in PODS])
    for name in PODS:
        kubectl.run("wait", "--for=condition=Ready", f"pod/{name}", "-n", PODS[name][0], "--timeout=120s")
    network = enforcer.enforce(whole_kubernetes)
    try:
        with Processes(tmp_path_factory.mktemp("listeners"), whole_kubernetes.within) as listeners:
            yield Measured(network, frozenset(_connections(network, whole_kubernetes, listeners)))
    finally:
        enforcer.stop(whole_kubernetes)
        kubectl.run("delete", "namespace", "--wait=false", *sorted(_spaces()))


def _spaces() -> set[str]:
    return {namespace for namespace, _ in PODS.values()}


def _connections(network: Network, cluster: WholeKubernetes, listeners: Processes) -> Iterator[tuple[str, str, int]]:
    within = cluster.network_namespaces()
    pods = [pod for pod in network.pods if pod.name in PODS]
    for pod in pods:
        entered = ("ip", "netns", "exec", within[str(pod.address)], sys.executable)
        listeners.start(pod.name, *entered, PROGRAMS / "listen.py", *map(str, PORTS))
    listeners.wait_until(lambda: all("listening" in listeners.log(pod.name) for pod in pods), "all Pods listen", 60)
    for source in pods:
        targets = {f"{pod.address}:{port}": (pod.name, port) for pod in pods if pod != source for port in PORTS}
        entered = ("ip", "netns", "exec", within[str(source.address)], sys.executable)
        connected = cluster.run(*entered, str(PROGRAMS / "connect.py"), *targets).split()
        yield from ((source.name, *targets[each]) for each in connected)


def test_connections_match_the_policies(measured: Measured) -> None:
    """Connections between every pair of Pods are checked in both directions."""
    pods = [pod for pod in measured.network.pods if pod.name in PODS]
    allowed = {
        (source.name, target.name, port)
        for source in pods
        for target in pods
        for port in PORTS
        if source != target and measured.network.connects(source, target, port)
    }

    assert measured.connections == allowed
    assert len(allowed) < len(pods) * len(pods) * len(PORTS) / 4


NOBODY: set[str] = set()


@pytest.mark.parametrize(
    ("target", "port", "expected"),
    [
        ("prometheus", 9090, {"grafana", "pipeline", "monitor", "promoter"}),
        ("alertmanager", 9093, {"prometheus"}),
        ("server", 8265, {"kuberay"}),
        ("registry", 5000, {"server", "pipeline", "step", "monitor", "promoter"}),
        ("database", 5432, {"registry", "databases"}),
        ("kuberay", 8080, NOBODY),
        ("web", 8080, {"friend"}),
        ("web", 9000, NOBODY),
        ("web", 9093, {STRANGER}),
        ("closed", 8080, NOBODY),
    ],
)
def test_only_expected_pods_connect(measured: Measured, target: str, port: int, expected: set[str]) -> None:
    """A Pod with the same labels in another namespace cannot reach the system or its add-ons."""
    assert measured.sources(target, port) == expected
