"""Tests that Pods can reach Google's APIs, the metadata server and the network, but no other address."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import pytest

from modelyard.manifest import COMPONENT, NAME
from testbed.kubernetes.kubectl import Object
from testbed.kubernetes.network_policies import Network
from tests.connections import ADDON_PODS, network_of, ray_pod
from tests.targets.gcp.infrastructure import LEADS, arguments, emitted, leads, workload_calls

INTERNET = "203.0.113.7"
GOOGLE = "199.36.153.9"
METADATA = "169.254.169.254"
RANGES = ["199.36.153.8/30"]
ABSENT = frozenset(name for name, (namespace, _) in ADDON_PODS.items() if namespace in ("monitoring", "cnpg-system"))
"""Pods of add-ons that this system does not need."""

PODS = {
    **ADDON_PODS,
    "fit": ("leads", ray_pod("leads", "fit")),
    "scoring": ("leads", ray_pod("leads", "scoring")),
    "score": ("leads", ray_pod("leads", "score")),
    "registry": ("leads", {NAME: "mlflow", COMPONENT: "registry"}),
    "own": ("leads", {NAME: "own"}),
}
WORKLOADS = {"fit", "scoring", "score", "registry"}


def _policy(pods: Sequence[str]) -> Object:
    """Return the policy that the program creates from the infrastructure's address ranges."""
    return {
        "kind": "NetworkPolicy",
        "metadata": {"name": "allow-object-storage", "namespace": "leads"},
        "spec": {
            "podSelector": {"matchExpressions": [{"key": NAME, "operator": "In", "values": [*pods]}]},
            "policyTypes": ["Egress"],
            "egress": [
                {"to": [{"ipBlock": {"cidr": cidr}} for cidr in RANGES], "ports": [{"protocol": "TCP", "port": 443}]}
            ],
        },
    }


@cache
def network(text: str = LEADS) -> Network:
    calls = workload_calls(text)
    opened = [_policy(arguments(calls["object_storage"])["pods"])] if "object_storage" in calls else []
    return network_of([*emitted(text), *opened], PODS)


def reaching(address: str, port: int = 443, text: str = LEADS) -> set[str]:
    """Return the names of the Pods that can reach an address."""
    topology = network(text)
    return {pod.name for pod in topology.pods if pod.name not in ABSENT and topology.reaches(pod, address, port)}


def test_only_workloads_with_buckets_reach_cloud_storage() -> None:
    assert reaching(GOOGLE) & {*WORKLOADS, "own"} == WORKLOADS


def test_external_secrets_reaches_secret_manager() -> None:
    assert "secrets" in reaching(GOOGLE)
    assert "secrets-webhook" not in reaching(GOOGLE)


def test_no_pod_reaches_the_internet() -> None:
    """Unlike on AWS, not even controllers need internet access, as all Google APIs are in the allowed range."""
    assert reaching(INTERNET) == set()
    assert reaching(INTERNET, 80) == set()


@pytest.mark.parametrize("port", [80, 8080])
def test_only_pods_with_an_identity_reach_the_metadata_server(port: int) -> None:
    assert reaching(METADATA, port) == {*WORKLOADS, "secrets"}


def test_other_ports_of_the_metadata_server_are_closed() -> None:
    assert reaching(METADATA, 988) == set()


@pytest.mark.parametrize("address", ["10.20.0.9", "10.20.64.1"])
def test_controllers_reach_the_api_server(address: str) -> None:
    assert "kuberay" in reaching(address)
    assert "own" not in reaching(address)


def test_other_pods_in_the_network_are_unreachable() -> None:
    """The upper half of the network's address range is for Pods, and no policy allows connections to it."""
    assert reaching("10.20.128.9") == set()


def test_bucket_in_another_cloud_opens_the_internet() -> None:
    other = (
        "lake: {type: object}",
        'lake: {type: object, adopt: leads, endpoint: "https://s3.acme.example", credentials: "secret://manager/lake"}',
    )

    assert "fit" in reaching(INTERNET, text=leads(other))
