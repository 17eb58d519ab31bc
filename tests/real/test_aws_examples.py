"""Deploys the AWS examples with Pulumi's engine to a simulated AWS and a real API server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from testbed.charts import ChartRepository
from testbed.clouds.aws.cloud import Cloud
from testbed.clouds.aws.cloud import cloud as running_cloud
from testbed.kubernetes import nodes
from testbed.kubernetes.control_plane import Cluster
from testbed.pulumi.stack import PulumiStack
from tests.examples import Example, on_aws
from tests.real.aws_projects import add_machines, in_networks_of, left_in, projects, region_of
from tests.real.test_examples import run_pipelines, settled

EXAMPLES = [pytest.param(example, id=str(example)) for example in on_aws()]


@pytest.fixture
def cloud(example: Example, tmp_path: Path, control_plane: Cluster) -> Iterator[Cloud]:
    """Run an AWS stand-in whose clusters are the test bed's control plane; restore the nodes on teardown."""
    nodes.remove_nodes(control_plane.kubectl)
    with running_cloud(tmp_path / "cloud", region_of(example), cluster=control_plane) as stand_in:
        yield stand_in
    nodes.remove_nodes(control_plane.kubectl)
    nodes.add_nodes(
        control_plane.kubectl, [nodes.Node(f"large-{at}", resources=(("nvidia.com/gpu", 8),)) for at in range(2)]
    )


@pytest.mark.parametrize("example", EXAMPLES)
def test_lifecycle_of_both_projects(
    example: Example,
    tmp_path: Path,
    cloud: Cloud,
    control_plane: Cluster,
    chart_repository: ChartRepository,
    pulumi_stack: Callable[..., PulumiStack],
) -> None:
    """A second `pulumi up` is a no-op for both projects. Destroying them in reverse order leaves nothing behind."""
    outcome = in_networks_of(example, cloud)
    before = left_in(cloud)
    deployment = projects(example, outcome, tmp_path, cloud, chart_repository, pulumi_stack)
    for stack in (deployment.infrastructure, deployment.workloads):
        stack.configure("protect", "false")

    assert set(deployment.infrastructure.up().changes.values()) == {"create"}
    assert cloud.surprises() == {}
    assert deployment.infrastructure.up().changed == {}

    kubectl = control_plane.kubectl
    add_machines(kubectl, cloud, deployment.workloads.folder / "manifests")
    deployment.workloads.up()
    assert deployment.workloads.up().changed == {}
    settled(kubectl, deployment.namespace)
    run_pipelines(kubectl, deployment.namespace)

    deployment.workloads.destroy()
    assert deployment.workloads.resources() == []
    assert kubectl.value("namespace", deployment.namespace, "{.metadata.name}") == ""
    deployment.infrastructure.destroy()
    assert deployment.infrastructure.resources() == []
    assert left_in(cloud) == before
