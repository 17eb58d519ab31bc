"""Deploys both projects of a system to a simulated Google Cloud and a real API server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from modelyard.disk import Tree, write_trees
from modelyard.emit import stack_files
from modelyard_targets.gcp.machines import offerings
from testbed.charts import ChartRepository
from testbed.clouds.gcp import compute_class
from testbed.clouds.gcp.cloud import Cloud
from testbed.clouds.gcp.clusters import POOL
from testbed.clouds.gcp.pools import node_of
from testbed.kubernetes import nodes
from testbed.kubernetes.control_plane import Cluster
from testbed.kubernetes.kubectl import Kubectl
from testbed.pulumi.stack import PulumiStack
from tests.examples import SYSTEMS, Example
from tests.real.test_examples import run_pipelines, settled

LEADS = Example("leads-on-google", None, SYSTEMS)
NAMESPACE = "leads"
LARGEST_POOL = 8
"""The maximum number of nodes to add per pool, which is enough to detect Pods that do not fit."""


@pytest.fixture
def cloud(tmp_path: Path, control_plane: Cluster) -> Iterator[Cloud]:
    """Return a fake Google Cloud project whose clusters are served by the test bed's control plane.

    Restore the control plane's nodes on teardown.
    """
    kubectl = control_plane.kubectl
    nodes.remove_nodes(kubectl)
    compute_class.install(kubectl)
    cloud = Cloud(tmp_path / "cloud", "acme-leads", cluster=control_plane)
    cloud.secret("token")
    yield cloud
    nodes.remove_nodes(kubectl)
    nodes.add_nodes(kubectl, [nodes.Node(f"large-{at}", resources=(("nvidia.com/gpu", 8),)) for at in range(2)])


def _written(out: Path) -> Path:
    outcome = LEADS.compiled()
    assert not outcome.failed, outcome.diagnostics
    trees = [Tree(stack.environment, stack.target, stack_files(stack), "test") for stack in outcome.stacks]
    _, problems = write_trees(out, trees)
    assert problems == ()
    return out / "default" / "main"


def _add_machines(kubectl: Kubectl, cloud: Cloud) -> None:
    """Replace the initial nodes with the maximum number of nodes that each pool's autoscaler may add."""
    nodes.remove_nodes(kubectl)
    nodes.add_nodes(kubectl, [node for pool in cloud.api.all(POOL).values() for node in _of(pool)])


def _of(pool: dict[str, Any]) -> list[nodes.Node]:
    machine = next(each for each in offerings().machines if each.name == pool["nodeConfig"]["machineType"])
    most = min(int(pool["autoscaling"]["totalMaxNodeCount"]), LARGEST_POOL)
    return [
        replace(node, cpu=f"{machine.cpu_millis}m", memory=str(machine.memory_bytes))
        for node in node_of(pool, most)[:most]
    ]


def test_both_projects(
    tmp_path: Path,
    cloud: Cloud,
    control_plane: Cluster,
    chart_repository: ChartRepository,
    pulumi_stack: Callable[..., PulumiStack],
) -> None:
    """The kubeconfig works, a second `pulumi up` is a no-op, and Pods fit on the node pools' machines."""
    folder = _written(tmp_path / "build")
    backend = tmp_path / "backend"
    backend.mkdir()
    variables = {**cloud.variables(), "PULUMI_BACKEND_URL": f"file://{backend}"}
    infrastructure = pulumi_stack(folder / "infrastructure", LEADS.stack, **variables)
    workloads = pulumi_stack(folder / "workloads", LEADS.stack, **variables)
    workloads.configure("chartRepository", chart_repository.url)
    for stack in (infrastructure, workloads):
        stack.configure("protect", "false")

    assert set(infrastructure.up().changes.values()) == {"create"}
    assert cloud.surprises() == {}
    kubectl = control_plane.kubectl
    first = kubectl.run("get", "node", "--selector=cloud.google.com/gke-nodepool=system", "--output=name").split()
    assert len(first) == 3  # one in each zone

    _add_machines(kubectl, cloud)
    workloads.up()
    assert workloads.up().changed == {}
    settled(kubectl, NAMESPACE)
    run_pipelines(kubectl, NAMESPACE)

    workloads.destroy()
    assert workloads.resources() == []
    assert kubectl.value("namespace", NAMESPACE, "{.metadata.name}") == ""
    infrastructure.destroy()
    assert infrastructure.resources() == []
    assert set(cloud.left()) == {"KeyRing", "CryptoKey", "CryptoKeyIAMMember", "Secret"}
    assert kubectl.run("get", "node", "--output=name").split() == []
