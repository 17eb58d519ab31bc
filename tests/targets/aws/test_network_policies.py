"""Tests that AWS workloads can reach the VPC and the region's S3 service but no other address."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import pytest

from modelyard.manifest import COMPONENT, NAME
from testbed.kubernetes.kubectl import Object
from testbed.kubernetes.network_policies import Network
from tests.connections import ADDON_PODS, network_of, pods_by_name, ray_pod
from tests.emitted import argument
from tests.targets.aws.emitted import AWS_SPEC, calls, changed, emitted

INTERNET = "203.0.113.7"
S3 = "52.219.44.9"
RANGES = ["52.219.44.0/22"]
MIRROR = ("  vpc:", "  images: {registry: registry.acme.example, mirror: true}\n  vpc:")
ABSENT = frozenset(name for name, (namespace, _) in ADDON_PODS.items() if namespace in ("monitoring", "cnpg-system"))
"""Pods of add-ons that this system does not need."""

PODS = {
    **ADDON_PODS,
    "autoscaler": ("cluster-autoscaler", {NAME: "aws-cluster-autoscaler"}),
    "karpenter": ("karpenter", {NAME: "karpenter"}),
    "coredns": ("kube-system", {"k8s-app": "kube-dns"}),
    "volumes": ("kube-system", {"app": "ebs-csi-controller"}),
    "fit": ("leads", ray_pod("leads", "fit")),
    "scoring": ("leads", ray_pod("leads", "scoring")),
    "score": ("leads", ray_pod("leads", "score")),
    "registry": ("leads", {NAME: "mlflow", COMPONENT: "registry"}),
    "own": ("leads", {NAME: "own"}),
}


def _policy(pods: Sequence[str]) -> Object:
    return {
        "kind": "NetworkPolicy",
        "metadata": {"name": "allow-object-storage", "namespace": "leads"},
        "spec": {
            "podSelector": {"matchExpressions": [{"key": NAME, "operator": "In", "values": [*pods]}]},
            "policyTypes": ["Egress"],
            "egress": [
                {
                    "to": [{"ipBlock": {"cidr": cidr}} for cidr in RANGES],
                    "ports": [{"protocol": "TCP", "port": 443}],
                }
            ],
        },
    }


@cache
def network(text: str = AWS_SPEC) -> Network:
    """Return the simulated network with the emitted policies and the program's policy for S3's address ranges."""
    components = calls(text)
    opened = [_policy(argument(components["object_storage"], "pods"))] if "object_storage" in components else []
    system: Object = {"kind": "Namespace", "metadata": {"name": "kube-system", "labels": {}}}
    return network_of([*emitted(text), *opened, system], PODS)


def reaching(address: str, port: int = 443, text: str = AWS_SPEC) -> list[str]:
    """Return the names of the Pods that can reach an address."""
    topology = network(text)
    return [pod.name for pod in topology.pods if pod.name not in ABSENT and topology.reaches(pod, address, port)]


def test_only_workloads_with_buckets_reach_s3() -> None:
    workloads = {"fit", "scoring", "score", "registry", "own"}

    assert sorted(set(reaching(S3)) & workloads) == ["fit", "registry", "score", "scoring"]


def test_no_workload_reaches_the_internet() -> None:
    """Only add-on controllers can reach the internet. In a small network, they call AWS via the NAT gateway."""
    assert reaching(INTERNET) == ["secrets", "autoscaler", "karpenter", "volumes"]
    assert reaching(INTERNET, 80) == []


def test_controllers_use_endpoints_if_there_are_any() -> None:
    """With VPC endpoints, only Karpenter can reach the internet, because the pricing API has no endpoint."""
    text = changed(("governance:", "profile: {size: enterprise}\ngovernance:"))

    assert reaching(INTERNET, text=text) == ["karpenter"]


def test_no_pod_reaches_the_internet_without_nat() -> None:
    text = changed(("vpc: {cidr: 10.20.0.0/16}", "vpc: {cidr: 10.20.0.0/16, nat: none}"), MIRROR)

    assert reaching(INTERNET, text=text) == []


def test_bucket_in_another_region_opens_the_internet() -> None:
    text = changed(("lake: {type: object}", "lake: {type: object, adopt: acme-lake, region: eu-west-1}"))

    assert "fit" in reaching(INTERNET, text=text)


@pytest.mark.parametrize("address", ["10.20.0.9", "10.100.0.1", "172.20.0.1"])
def test_controllers_reach_the_api_server(address: str) -> None:
    assert {"kuberay", "autoscaler", "karpenter", "coredns", "volumes"} <= set(reaching(address))


def test_every_pod_may_use_dns() -> None:
    topology = network()
    pods = pods_by_name(topology)

    for name in ("fit", "kuberay", "volumes", "own"):
        assert topology.connects(pods[name], pods["coredns"], 53, "UDP")
    assert topology.reaches(pods["coredns"], "10.20.0.2", 53, "UDP")
    assert not topology.connects(pods["fit"], pods["coredns"], 9153)


def test_only_controllers_with_a_role_reach_the_identity_agent() -> None:
    assert {"autoscaler", "karpenter", "volumes", "secrets"} <= set(reaching("169.254.170.23", 80))
    assert not {"kuberay", "coredns", "secrets-webhook"} & set(reaching("169.254.170.23", 80))
