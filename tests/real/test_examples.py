"""Tests deploying every example once to a real API server, changing it, and destroying it without leftovers."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from modelyard.disk import Tree, write_trees
from modelyard.emit import stack_files
from modelyard.pipeline import Outcome
from modelyard.plan import ModelServer
from modelyard.spec import Range, System, TargetSpec
from modelyard_runtime.jobs.launch import named_after
from modelyard_targets import TARGETS
from testbed.charts import ChartRepository
from testbed.kubernetes import nodes
from testbed.kubernetes.control_plane import Cluster
from testbed.kubernetes.kubectl import Kubectl, Object
from testbed.pulumi.stack import PulumiStack
from tests.examples import Example, one_each

EXAMPLES = [pytest.param(example, id=str(example)) for example in one_each()]
"""One environment to deploy of each example. `tests/stacks/test_mocks.py` runs the programs of all environments."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A target of a compiled example, with its project's folder and stack."""

    target: TargetSpec
    project: Path
    stack: PulumiStack


def written(outcome: Outcome, out: Path) -> Path:
    """Write a compiled example's trees to disk and return its environment folder."""
    assert not outcome.failed, outcome.diagnostics
    trees = [Tree(stack.environment, stack.target, stack_files(stack), "test") for stack in outcome.stacks]
    _, problems = write_trees(out, trees)
    assert problems == ()
    return out / outcome.stacks[0].environment


def placements(
    outcome: Outcome, folder: Path, cluster: Cluster, charts: ChartRepository, make: Callable[..., PulumiStack]
) -> Iterator[Placed]:
    """Yield an example's stacks, each on a cluster whose only machines are those declared by the target."""
    assert outcome.system is not None
    for target in outcome.system.deployment.targets:
        project = folder / target.name / "workloads"
        if not project.is_dir():
            continue
        if target.capacity:
            nodes.remove_nodes(cluster.kubectl)
            nodes.add_nodes(cluster.kubectl, [*nodes.nodes_of(target.capacity), *platform_nodes()])
        stack = make(project, outcome.stacks[0].environment)
        stack.configure("kubeconfig", cluster.kubeconfig.read_text(), secret=True)
        stack.configure("context", "bench")
        stack.configure("chartRepository", charts.url)
        yield Placed(target, project, stack)


def platform_nodes() -> list[nodes.Node]:
    """Return a node for add-on Pods, which do not use the system's own machines."""
    return [nodes.Node("platform", taints=(("bench/platform", "", "PreferNoSchedule"),))]


def ray_clusters_are_ready(kubectl: Kubectl, namespace: str) -> bool:
    """Return whether the Ray clusters of all RayServices and RayJobs are ready."""
    clusters = kubectl.all("raycluster", namespace)
    owners = len(kubectl.all("rayservice", namespace)) + len(kubectl.all("rayjob", namespace))
    states = [cast(Any, cluster).get("status", {}).get("state") for cluster in clusters]
    return len(clusters) >= owners and all(state == "ready" for state in states)


def unscheduled(kubectl: Kubectl, namespace: str) -> list[str]:
    """Return the Pods that fit no machine, with the scheduler's reason."""
    messages: list[str] = []
    for pod in kubectl.all("pod", namespace):
        conditions: list[Object] = cast(Any, pod).get("status", {}).get("conditions", [])
        messages += [
            f"{cast(Any, pod)['metadata']['name']}: {condition.get('message')}"
            for condition in conditions
            if condition.get("type") == "PodScheduled" and condition.get("status") == "False"
        ]
    return messages


def run_pipelines(kubectl: Kubectl, namespace: str) -> None:
    """Run every pipeline once from its template, one at a time, since KWOK doesn't run the real launchers."""
    for config in kubectl.all("configmap", namespace):
        template = cast(Any, config).get("data", {}).get("rayjob.json")
        if template:
            run_pipeline(kubectl, namespace, json.loads(template))


def run_pipeline(kubectl: Kubectl, namespace: str, template: dict[str, Any]) -> None:
    """Create a pipeline run and its owner Job, and wait for KubeRay to create the submitter Job."""
    pipeline = template["metadata"]["name"]
    job = f"{pipeline}-first"
    manifest = kubectl.run(
        "create",
        "job",
        job,
        f"--from=cronjob/{pipeline}",
        "--namespace",
        namespace,
        "--dry-run=client",
        "--output=json",
    )
    suspended = json.loads(manifest)
    suspended["spec"]["suspend"] = True  # its Pod would wait for a run that never ends
    body = cast(Any, named_after(template, job))
    run = body["metadata"]["name"]
    for each in (suspended, body):
        kubectl.run("apply", "--validate=strict", "--filename=-", stdin=json.dumps(each))
    settled(kubectl, namespace)
    kubectl.wait_until(lambda: is_submitted(kubectl, run, namespace), f"{run} has a submitter", 600)
    kubectl.run("delete", "rayjob", run, "--namespace", namespace)
    kubectl.run("delete", "job", job, "--namespace", namespace)


def is_submitted(kubectl: Kubectl, run: str, namespace: str) -> bool:
    """Return whether KubeRay has created the submitter Job, which is named after the RayJob that owns it."""
    jobs = [cast(Any, job)["metadata"] for job in kubectl.all("job", namespace)]
    owners = [owner for job in jobs if job["name"] == run for owner in job.get("ownerReferences", [])]
    return any(owner["kind"] == "RayJob" for owner in owners)


def provide_volumes(kubectl: Kubectl, namespace: str) -> None:
    """Create a volume for each claim, as a storage class's provisioner would."""
    for claim in kubectl.all("persistentvolumeclaim", namespace):
        name, spec = cast(Any, claim)["metadata"]["name"], cast(Any, claim)["spec"]
        if spec.get("volumeName"):
            continue
        volume = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": f"{namespace}-{name}"},
            "spec": {
                "capacity": spec["resources"]["requests"],
                "accessModes": spec["accessModes"],
                "storageClassName": spec.get("storageClassName", ""),
                "persistentVolumeReclaimPolicy": "Delete",
                "claimRef": {"namespace": namespace, "name": name},
                "hostPath": {"path": f"/nowhere/{name}"},
            },
        }
        kubectl.run("apply", "--filename=-", stdin=json.dumps(volume))


def settled(kubectl: Kubectl, namespace: str) -> None:
    """Wait until Ray clusters are ready, all Pods are scheduled, and the operator has reported no errors."""
    provide_volumes(kubectl, namespace)
    kubectl.wait_until(partial(ray_clusters_are_ready, kubectl, namespace), "Ray clusters are ready", 600)
    assert unscheduled(kubectl, namespace) == []
    assert "InvalidRay" not in kubectl.warnings()


@pytest.fixture
def restored_nodes(control_plane: Cluster) -> Iterator[None]:
    """Restore the nodes that other tests expect."""
    yield
    nodes.remove_nodes(control_plane.kubectl)
    nodes.add_nodes(
        control_plane.kubectl, [nodes.Node(f"large-{at}", resources=(("nvidia.com/gpu", 8),)) for at in range(2)]
    )


@pytest.mark.parametrize("example", EXAMPLES)
@pytest.mark.usefixtures("restored_nodes")
def test_lifecycle_of_an_example(
    example: Example,
    tmp_path: Path,
    control_plane: Cluster,
    chart_repository: ChartRepository,
    pulumi_stack: Callable[..., PulumiStack],
) -> None:
    """A second `pulumi up` is a no-op, adding replicas changes one object, and `destroy` leaves nothing behind.

    Only the smallest example is protected, as emitted, and then unprotected before it is destroyed. The other examples
    are never protected.
    """
    outcome = example.compiled()
    folder = written(outcome, tmp_path / "build")
    kubectl = control_plane.kubectl
    for placed in placements(outcome, folder, control_plane, chart_repository, pulumi_stack):
        namespace = placed.target.namespace or cast(System, outcome.system).metadata.name
        stack = placed.stack
        lent = placed.target.tenancy == "shared"
        if lent:  # the operator of a shared cluster creates namespaces for its tenants
            kubectl.run("create", "namespace", namespace)
        for priority in priorities(placed.project):  # the owner of a cluster creates its priority classes
            kubectl.run("create", "priorityclass", priority, "--value=1000")
        if example.name != "hello":
            stack.configure("protect", "false")
        stack.up()
        assert set(stack.refreshing_up().changed.values()) <= {"refresh"}  # the engine's word for unchanged charts

        settled(kubectl, namespace)
        run_pipelines(kubectl, namespace)

        grown, server = one_more_replica(outcome, placed.target.name)
        if server and not claims(placed.project):
            stack.replace(written(grown, tmp_path / "grown") / placed.target.name / "workloads")
            changed = {urn.partition("::")[2]: how for urn, how in stack.up().changed.items()}
            budgets = {urn for urn in changed if "PodDisruptionBudget" in urn}
            assert {urn.rpartition("/")[2]: changed[urn] for urn in changed.keys() - budgets} == {server: "update"}
            # a second replica adds a disruption budget
            assert all(urn.rpartition("/")[2].startswith(server) for urn in budgets), changed

        if example.name == "hello":
            stack.configure("protect", "false")
            stack.up()
        stack.destroy(600)
        assert stack.resources() == []
        if lent:
            kubectl.run("delete", "namespace", namespace)
        for priority in priorities(placed.project):
            kubectl.run("delete", "priorityclass", priority)
        kubectl.run("delete", "persistentvolume", "--all", "--wait=false")
        assert kubectl.value("namespace", namespace, "{.metadata.name}") == ""


def priorities(project: Path) -> set[str]:
    """Return the PriorityClasses that the example uses but does not create."""
    texts = [path.read_text(encoding="utf-8") for path in project.glob("manifests/*.yaml")]
    patterns = r"priorityClassName: ([a-z0-9.-]+)", r"kind: PriorityClass\nmetadata:\n  name: ([a-z0-9.-]+)"
    used, defined = ({name for text in texts for name in re.findall(pattern, text)} for pattern in patterns)
    return used - defined


def claims(project: Path) -> bool:
    """Return whether any model server has a volume. If so, removing a replica would wait for Pods forever."""
    texts = (path.read_text(encoding="utf-8") for path in project.glob("manifests/*.yaml"))
    return any("kind: PersistentVolumeClaim" in text for text in texts)


def one_more_replica(outcome: Outcome, placement: str) -> tuple[Outcome, str]:
    """Raise a model server's maximum replicas by one. Return the outcome and the RayService's name, if any."""
    assert outcome.plan is not None
    plan = outcome.plan
    for at, resource in enumerate(plan.resources):
        if resource.placement == placement and isinstance(resource.value, ModelServer) and not resource.value.pool:
            application = resource.value.applications[0]
            least, most = application.variant.replicas.minimum, application.variant.replicas.maximum
            more = Range(least if most > least else least + 1, most + 1)  # autoscaling stays on or off
            larger = replace(application, variant=replace(application.variant, replicas=more))
            server = replace(resource, value=replace(resource.value, applications=(larger,)))
            grown = replace(plan, resources=(*plan.resources[:at], server, *plan.resources[at + 1 :]))
            targets = plan.system.deployment.targets
            stacks = tuple(TARGETS[target.provider].lower(grown, target.name) for target in targets)
            return replace(outcome, plan=grown, stacks=stacks), resource.name
    return outcome, ""


def test_next_up_completes_a_killed_one(
    tmp_path: Path,
    control_plane: Cluster,
    chart_repository: ChartRepository,
    pulumi_stack: Callable[..., PulumiStack],
) -> None:
    """If `pulumi up` of the largest example is killed, the next one completes it and another is a no-op."""
    example = Example("fraud-detection", "on-prem")
    outcome = example.compiled()
    folder = written(outcome, tmp_path / "build")
    for placed in placements(outcome, folder, control_plane, chart_repository, pulumi_stack):
        running = placed.stack.start("up")
        while running.begun < 12 and not running.ended:
            time.sleep(0.02)
        assert not running.ended
        running.kill()
        placed.stack.unlock()
        placed.stack.up()
        assert placed.stack.up().changed == {}
        placed.stack.configure("protect", "false")
        placed.stack.up()
        placed.stack.destroy(600)
        assert placed.stack.resources() == []
