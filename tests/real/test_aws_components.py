"""Tests that a simulated AWS creates infrastructure, keeps it unchanged, and deletes it only if unprotected."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from modelyard.disk import Tree, write_trees
from modelyard.emit import stack_files
from modelyard.pipeline import InputFile, Inputs, Outcome, compile_system
from modelyard_targets import TARGETS
from testbed.clouds.aws.cloud import Cloud
from testbed.clouds.aws.cloud import cloud as running_cloud
from testbed.kubernetes import nodes
from testbed.kubernetes.control_plane import Cluster
from testbed.kubernetes.kubectl import Kubectl
from testbed.pulumi.stack import Failed, PulumiStack
from tests.examples import Example, on_clouds
from tests.targets.aws.archive import ARCHIVE

EXAMPLES = [pytest.param(example, id=str(example)) for example in on_clouds()]


@pytest.fixture
def cloud(tmp_path: Path, control_plane: Cluster) -> Iterator[Cloud]:
    """Run an AWS stand-in whose clusters are the test bed's control plane; restore the nodes on teardown."""
    nodes.remove_nodes(control_plane.kubectl)
    with running_cloud(tmp_path / "cloud", cluster=control_plane) as stand_in:
        yield stand_in
    nodes.remove_nodes(control_plane.kubectl)
    nodes.add_nodes(
        control_plane.kubectl, [nodes.Node(f"large-{at}", resources=(("nvidia.com/gpu", 8),)) for at in range(2)]
    )


def _infrastructure(outcome: Outcome, out: Path) -> Path:
    """Write a compiled outcome to disk and return its first infrastructure project."""
    assert not outcome.failed, outcome.diagnostics
    trees = [Tree(stack.environment, stack.target, stack_files(stack), "test") for stack in outcome.stacks]
    _, problems = write_trees(out, trees)
    assert problems == ()
    return next(iter(sorted(out.glob("*/*/infrastructure"))))


@pytest.mark.parametrize("example", EXAMPLES)
def test_infrastructure_lifecycle(
    example: Example,
    tmp_path: Path,
    cloud: Cloud,
    control_plane: Cluster,
    pulumi_stack: Callable[..., PulumiStack],
) -> None:
    """A second `pulumi up` and a refresh are no-ops, the kubeconfig works, and protection prevents deletion."""
    stack = pulumi_stack(_infrastructure(example.compiled(), tmp_path / "build"), example.stack, **cloud.variables())

    assert set(stack.up().changes.values()) == {"create"}
    assert cloud.surprises() == {}
    assert stack.up().changed == {}
    assert stack.refresh().changed == {}

    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(stack.command("stack", "output", "kubeconfig", "--show-secrets"))
    kubectl = Kubectl(control_plane.kubectl.binary, kubeconfig, ("env", *_assigned(cloud.variables())))
    pools = {str(name) for name in kubectl.run("get", "node", "--output=name").split()}
    assert any(name.startswith("node/system-") for name in pools), pools

    _ends(stack, cloud)
    assert kubectl.run("get", "node", "--output=name").split() == []


def test_lifecycle_of_buckets_without_a_cluster(
    tmp_path: Path, cloud: Cloud, pulumi_stack: Callable[..., PulumiStack]
) -> None:
    """A second `pulumi up` and a refresh are no-ops. A workload outside AWS gets an access key for its bucket."""
    outcome = compile_system(Inputs(InputFile("system.yaml", ARCHIVE)), TARGETS)
    stack = pulumi_stack(_infrastructure(outcome, tmp_path / "build"), "default", **cloud.variables())

    assert set(stack.up().changes.values()) == {"create"}
    assert cloud.surprises() == {}
    assert stack.up().changed == {}
    assert stack.refresh().changed == {}
    assert stack.command("stack", "output", "plant__score_access_key_id_1")
    _ends(stack, cloud)


def _ends(stack: PulumiStack, cloud: Cloud) -> None:
    """Check that protected resources cannot be deleted, then remove the protection and delete everything."""
    with pytest.raises(Failed, match="protect"):
        stack.destroy()
    stack.configure("protect", "false")
    stack.up()
    stack.destroy()
    assert stack.resources() == []
    assert cloud.surprises() == {}


def _assigned(variables: dict[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in variables.items()]
