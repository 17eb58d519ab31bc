"""Deploys both projects of a system to a simulated Azure and a real API server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from modelyard_targets.azure.machines import offerings
from testbed.charts import ChartRepository
from testbed.clouds.azure.cloud import Cloud
from testbed.clouds.azure.clusters import node_of
from testbed.clouds.azure.network import CLUSTER, POOL
from testbed.kubernetes import nodes
from testbed.kubernetes.control_plane import Cluster
from testbed.kubernetes.kubectl import Kubectl
from testbed.pulumi.stack import PulumiStack
from tests.real.azure_systems import LEADS, choose_subscription, cloud_for, folder_of
from tests.real.test_examples import run_pipelines, settled

NAMESPACE = "leads"
LARGEST_POOL = 8
"""The maximum number of nodes to add per pool, which is enough to detect Pods that do not fit."""


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Return the folder of the system's target."""
    return folder_of(LEADS, tmp_path / "build")


@pytest.fixture
def cloud(tmp_path: Path, target: Path, control_plane: Cluster) -> Iterator[Cloud]:
    """Return a fake subscription whose clusters are served by the test bed.

    Restores the control plane's nodes on teardown.
    """
    kubectl = control_plane.kubectl
    nodes.remove_nodes(kubectl)
    yield cloud_for(tmp_path / "cloud", target, control_plane)
    nodes.remove_nodes(kubectl)
    nodes.add_nodes(kubectl, [nodes.Node(f"large-{at}", resources=(("nvidia.com/gpu", 8),)) for at in range(2)])


def _add_machines(kubectl: Kubectl, cloud: Cloud) -> None:
    """Replace the initial nodes with the maximum number of nodes that each pool's autoscaler may add."""
    (cluster,) = cloud.api.all(CLUSTER).values()
    pools = [*cluster["agentPoolProfiles"], *cloud.api.all(POOL).values()]
    nodes.remove_nodes(kubectl)
    nodes.add_nodes(kubectl, [node for pool in pools for node in _of(pool)])


def _of(pool: dict[str, Any]) -> list[nodes.Node]:
    machine = next(each for each in offerings().machines if each.name == pool["vmSize"])
    return [
        replace(node, cpu=f"{machine.cpu_millis}m", memory=str(machine.memory_bytes))
        for node in node_of(pool, min(int(pool["maxCount"]), LARGEST_POOL))
    ]


def test_both_projects(
    tmp_path: Path,
    target: Path,
    cloud: Cloud,
    control_plane: Cluster,
    chart_repository: ChartRepository,
    pulumi_stack: Callable[..., PulumiStack],
) -> None:
    """The kubeconfig works, a second `pulumi up` is a no-op, and Pods fit on the node pools' machines."""
    backend = tmp_path / "backend"
    backend.mkdir()
    variables = {**cloud.variables(), "PULUMI_BACKEND_URL": f"file://{backend}"}
    infrastructure = pulumi_stack(target / "infrastructure", LEADS.stack, **variables)
    workloads = pulumi_stack(target / "workloads", LEADS.stack, **variables)
    workloads.configure("chartRepository", chart_repository.url)
    choose_subscription(infrastructure)
    for stack in (infrastructure, workloads):
        stack.configure("protect", "false")

    assert set(infrastructure.up().changes.values()) == {"create"}
    assert cloud.surprises() == {}
    assert infrastructure.up().changed == {}
    kubectl = control_plane.kubectl
    first = kubectl.run("get", "node", "--selector=kubernetes.azure.com/agentpool=aks", "--output=name").split()
    assert len(first) == 2

    _add_machines(kubectl, cloud)
    workloads.up()
    assert workloads.up().changed == {}
    settled(kubectl, NAMESPACE)
    run_pipelines(kubectl, NAMESPACE)
    _identities_are_those_of_the_cloud(kubectl, cloud)

    workloads.destroy()
    assert workloads.resources() == []
    assert kubectl.value("namespace", NAMESPACE, "{.metadata.name}") == ""
    infrastructure.destroy()
    assert infrastructure.resources() == []
    assert cloud.left() == {}
    assert kubectl.run("get", "node", "--output=name").split() == []


def _identities_are_those_of_the_cloud(kubectl: Kubectl, cloud: Cloud) -> None:
    """Check that each ServiceAccount is annotated with the Azure identity that trusts it."""
    identities = cloud.api.all("azure-native:managedidentity:UserAssignedIdentity")
    credentials = cloud.api.all("azure-native:managedidentity:FederatedIdentityCredential")
    for identifier, each in credentials.items():
        _, _, namespace, account = str(each["subject"]).split(":")
        identity = identities[identifier.rpartition("/federatedIdentityCredentials/")[0]]
        if namespace == NAMESPACE:  # charts are stand-ins with their own ServiceAccounts
            path = r"{.metadata.annotations.azure\.workload\.identity/client-id}"
            assert kubectl.value("serviceaccount", account, path, namespace) == identity["clientId"]
