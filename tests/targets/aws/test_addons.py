"""Tests that add-ons for EKS nodes are installed only if needed, with Helm values that their charts accept."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, cast

import pytest

from modelyard_targets.aws import machines
from modelyard_targets.aws.addons import priorities
from modelyard_targets.kube.placement.charts import charts
from modelyard_targets.kube.project.pins import images_of
from tests.chart_values import unknown_values
from tests.crds import problems
from tests.targets.aws.emitted import AWS_SPEC, argument, calls, changed, context, emitted_object

MIRRORED = changed(
    ("  vpc:", "  images: {registry: registry.acme.example, pullSecret: pull, mirror: true}\n  vpc:"),
)
ENTERPRISE = changed(("governance:", "profile: {size: enterprise}\ngovernance:"))
MONITORED = changed(("    compute: small\n", "    compute: small\n    slo: {p99: 80ms}\n"))
PLAIN = changed(
    ('  gpu: {cpu: 4, memory: 16Gi, accelerators: ["L4:1", "A10G:1"], capacity: spot-first}\n', ""),
    ("compute: gpu", "compute: small"),
    (", elastic: true", ""),
)


def installed(text: str) -> list[str]:
    return [name for name, call in calls(text).items() if call.component == "kubernetes.Chart"]


def test_add_ons_for_gpus_and_elastic_pools_are_installed() -> None:
    assert installed(AWS_SPEC)[:3] == ["cluster_autoscaler", "nvidia_device_plugin", "karpenter"]


def test_add_ons_without_matching_nodes_are_not_installed() -> None:
    assert installed(PLAIN)[:2] == ["cluster_autoscaler", "external_secrets"]


def test_gpu_metrics_are_exported_if_there_is_a_prometheus() -> None:
    """With a Prometheus, each GPU node runs an exporter, which a valid PodMonitor selects."""
    monitor, addons = emitted_object("PodMonitor", "accelerators", MONITORED), calls(MONITORED)

    assert problems(monitor) == []
    assert monitor["spec"]["namespaceSelector"] == {"matchNames": ["dcgm-exporter"]}
    assert unknown_values([addons["dcgm_exporter"]]) == []
    assert argument(addons["dcgm_exporter"], "values")["resources"]["limits"] == {"memory": "1Gi"}
    for name in ("affinity", "tolerations"):
        assert (
            argument(addons["dcgm_exporter"], "values")[name]
            == argument(addons["nvidia_device_plugin"], "values")[name]
        )
    assert "dcgm_exporter" not in calls()


def test_gpu_daemons_request_what_the_machine_table_subtracts() -> None:
    """The machine table subtracts both daemons' requests from a GPU node so that training Pods still fit."""
    table = json.loads(Path(machines.__file__).with_name("daemons.json").read_text(encoding="utf-8"))
    addons = calls(MONITORED)
    for name, daemon in table["acceleratorDaemons"].items():
        requests = argument(addons[name.replace("-", "_")], "values")["resources"]["requests"]
        assert requests == {"cpu": f"{daemon['cpuMillis']}m", "memory": f"{daemon['memoryMi']}Mi"}


def test_present_add_ons_are_not_installed() -> None:
    text = changed(("  vpc:", "  present: [kuberay]\n  vpc:"))

    assert "kuberay" in installed(AWS_SPEC)
    assert "kuberay" not in installed(text)


@pytest.mark.parametrize("text", [AWS_SPEC, MIRRORED, ENTERPRISE], ids=["small", "mirrored", "enterprise"])
def test_every_value_exists_in_its_chart(text: str) -> None:
    """All emitted Helm values exist in the chart's own values.yaml."""
    assert unknown_values(calls(text).values()) == []


def test_autoscaler_tries_groups_of_a_pool_in_order() -> None:
    ranked = cast("dict[str, list[str]]", priorities(context()))
    gpu = {rank: [name for name in names if "eks-gpu-" in name] for rank, names in ranked.items()}

    assert [(rank, name.split("-")[2], "spot" in name) for rank, (name,) in _filled(gpu)] == [
        ("100", "g6", True),
        ("99", "g6", False),
        ("98", "g5", True),
        ("97", "g5", False),
    ]
    assert ranked["1"] == [".*"]


def test_priority_pattern_matches_exactly_one_group() -> None:
    """Each priority pattern matches only the names EKS gives to one node group's Auto Scaling groups."""
    (pattern,) = [name for name in cast("Any", priorities(context()))["100"] if "-gpu-" in name]
    uuid = "40ca2f0a-8b4e-11d1-2f3a-000000000000"

    assert re.search(pattern, f"eks-gpu-g6-2xlarge-spot-0a1b2c3-{uuid}")
    assert not re.search(pattern, f"eks-gpu-g6-2xlarge-spot-large-0a1b2c3-{uuid}")
    assert not re.search(pattern, f"eks-more-gpu-g6-2xlarge-spot-0a1b2c3-{uuid}")


def test_autoscaler_uses_the_cluster_of_the_infrastructure_project() -> None:
    values = argument(calls()["cluster_autoscaler"], "values")

    assert values["autoDiscovery"] == {"clusterName": "the cluster_name"}
    assert values["awsRegion"] == "eu-central-1"
    assert values["extraArgs"]["expander"] == "priority"


def test_device_plugin_runs_on_gpu_nodes() -> None:
    values = argument(calls()["nvidia_device_plugin"], "values")
    (term,) = values["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]

    assert term == {"matchExpressions": [{"key": "modelyard.dev/pool", "operator": "In", "values": ["gpu"]}]}
    assert {each["key"] for each in values["tolerations"]} == {"modelyard.dev/pool", "nvidia.com/gpu"}
    assert argument(calls()["nvidia_device_plugin_namespace"], "pod_security") == "privileged"


def test_karpenter_has_the_interruption_queue() -> None:
    settings = argument(calls()["karpenter"], "values")["settings"]

    assert settings == {
        "clusterName": "the cluster_name",
        "interruptionQueue": "the karpenter_queue",
        "isolatedVPC": False,
    }


def test_karpenter_is_isolated_without_internet_access() -> None:
    text = changed(("{cidr: 10.20.0.0/16}", "{cidr: 10.20.0.0/16, nat: none}"))

    assert argument(calls(text)["karpenter"], "values")["settings"]["isolatedVPC"] is True


@pytest.mark.parametrize(("version", "tag"), [("1.36", "v1.36.1"), ("1.35", "v1.35.1")])
def test_autoscaler_image_matches_the_cluster_version(version: str, tag: str) -> None:
    """The chart's values and the image list contain the autoscaler image for the cluster's minor version."""
    text = changed(("  vpc:", f'  version: "{version}"\n  vpc:'))

    assert argument(calls(text)["cluster_autoscaler"], "values")["image"]["tag"] == tag
    assert f"registry.k8s.io/autoscaling/cluster-autoscaler:{tag}" in images_of(context(text))


def test_service_accounts_match_the_iam_roles() -> None:
    addons = calls()

    assert argument(addons["cluster_autoscaler"], "values")["rbac"]["serviceAccount"]["name"] == "cluster-autoscaler"
    assert argument(addons["karpenter"], "values")["serviceAccount"]["name"] == "karpenter"
    assert argument(addons["external_secrets"], "values")["serviceAccount"]["name"] == "external-secrets"


def test_images_come_from_the_mirror() -> None:
    text = str([argument(calls(MIRRORED)[name], "values") for name in installed(MIRRORED)])

    for name in ("cluster-autoscaler", "karpenter", "nvidia-device-plugin", "envoy-gateway"):
        host = charts()[name].images[0].partition("/")[0]
        assert host not in text, name
    assert "registry.acme.example/karpenter/controller" in text


def _filled(ranked: dict[str, list[str]]) -> list[tuple[str, list[str]]]:
    return [(rank, names) for rank, names in ranked.items() if names]
