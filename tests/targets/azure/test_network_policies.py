"""Tests that Pods can reach private endpoints, Entra ID and the Kubernetes API, but no other address."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import pytest

from modelyard.manifest import COMPONENT, NAME
from testbed.kubernetes.kubectl import Object
from testbed.kubernetes.network_policies import Network
from tests.connections import ADDON_PODS, network_of, ray_pod
from tests.targets.azure.infrastructure import LEADS, arguments, emitted, leads, workload_calls
from tests.targets.azure.test_check import two

INTERNET = "203.0.113.7"
ENDPOINTS = "10.20.64.4"
ENTRA_ID = "20.190.128.5"
METADATA = "169.254.169.254"
WIRE_SERVER = "168.63.129.16"
RANGES = ["10.20.64.0/20"]
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
SERVICE = (
    "lake: {type: object}",
    'lake: {type: object, adopt: leads, endpoint: "https://s3.acme.example", credentials: "secret://manager/lake"}',
)
ADOPTED_STORE = ("lake: {type: object}", 'lake: {type: object, adopt: "leads@acmeleads"}')
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


def test_stores_are_reached_by_what_opens_one() -> None:
    assert reaching(ENDPOINTS) & {*WORKLOADS, "own"} == WORKLOADS


def test_external_secrets_reaches_the_vault() -> None:
    assert "secrets" in reaching(ENDPOINTS)
    assert "secrets-webhook" not in reaching(ENDPOINTS)


def test_entra_id_is_reached_by_what_has_an_identity() -> None:
    assert reaching(ENTRA_ID) == {*WORKLOADS, "secrets"}
    assert reaching(ENTRA_ID, 80) == set()


def test_no_pod_reaches_the_internet() -> None:
    assert reaching(INTERNET) == set()
    assert reaching(INTERNET, 80) == set()


@pytest.mark.parametrize("address", [METADATA, WIRE_SERVER])
@pytest.mark.parametrize("port", [80, 443])
def test_no_pod_reaches_what_nodes_alone_may_know(address: str, port: int) -> None:
    """Even Pods that may reach all other addresses can't reach an address reserved for nodes."""
    assert "fit" in reaching(INTERNET, text=leads(SERVICE))
    assert reaching(address, port, leads(SERVICE)) == set()


@pytest.mark.parametrize("address", ["10.20.80.5", "10.20.96.1"])
def test_controllers_reach_the_api_in_the_network_and_by_its_service(address: str) -> None:
    assert "kuberay" in reaching(address)
    assert "own" not in reaching(address)


@pytest.mark.parametrize("address", ["10.20.0.9", "10.20.128.9"])
def test_nodes_and_pods_of_the_network_are_no_way_to_the_api(address: str) -> None:
    assert reaching(address) == set()


def test_the_database_is_reached_by_the_registry_alone() -> None:
    assert reaching(ENDPOINTS, 5432) == {"registry"}


@pytest.mark.parametrize("changes", [(SERVICE,), (ADOPTED_STORE,)])
def test_what_has_no_private_endpoint_here_needs_the_internet(changes: tuple[tuple[str, str], ...]) -> None:
    """Other services and other teams' storage accounts have no private endpoint in this target's network."""
    assert "fit" in reaching(INTERNET, text=leads(*changes))


def test_a_store_of_another_target_is_reached_by_its_public_endpoint() -> None:
    """The public endpoint is used even within a region because private endpoints are in the store's own network."""
    text = two()
    (policy,) = [
        each for each in emitted(text, "lab") if (each["kind"], each["metadata"]["name"]) == ("NetworkPolicy", "export")
    ]
    addresses = [
        peer["ipBlock"]["cidr"] for rule in policy["spec"]["egress"] for peer in rule["to"] if "ipBlock" in peer
    ]

    assert "0.0.0.0/0" in addresses
    assert WIRE_SERVER in str(policy["spec"]["egress"])
