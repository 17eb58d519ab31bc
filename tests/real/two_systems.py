"""Deploys two different systems to one existing cluster, and compares what each of them manages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from modelyard.disk import Tree, write_trees
from modelyard.emit import stack_files
from modelyard.pipeline import InputFile, Inputs, compile_system
from modelyard_targets import TARGETS
from testbed.charts import ChartRepository
from testbed.clouds.azure.cloud import SUBSCRIPTION
from testbed.pulumi.stack import PulumiStack
from tests.examples import SYSTEMS, Example

ZONE = "europe-west3-a"
_WRITTEN_SUBSCRIPTION = "3f2b8c1e-5a4d-4e6f-9b7a-1c2d3e4f5a6b"
_PLACES = {
    None: "provider: aws, region: eu-central-1, cluster: {adopt: platform, cidr: 10.20.0.0/16}",
    "gke": "provider: gcp, region: europe-west3, account: acme-ml,"
    f" cluster: {{adopt: platform, cidr: 10.20.0.0/16, location: {ZONE}}}",
    "aks": f"provider: azure, region: westeurope, account: {SUBSCRIPTION},"
    f" cluster: {{adopt: platform, cidr: 10.20.0.0/16, resourceGroup: platform,"
    f" dnsGroup: /subscriptions/{SUBSCRIPTION}/resourceGroups/dns}}",
}
"""Where the second system runs, by the environment of the first."""

_OVERLAY = """\
deployment: {mode: cloud, context: null, present: [kuberay, prometheus, external-secrets], PLACE}
stores:
  lake: {adopt: null, endpoint: null, credentials: null}
  runs: {type: database}
registry: {adopt: null, database: runs, artifacts: lake}
"""
"""An environment of the smallest example on a cluster with the first system's add-ons."""


_OF_THE_PROJECT = {"gcp:projects/service:Service", "gcp:projects/serviceIdentity:ServiceIdentity"}
"""Google Cloud's APIs and service agents, which exist once per project. Destroying a stack removes neither."""


@dataclass(frozen=True, slots=True)
class Projects:
    """The stacks of a system's two projects."""

    infrastructure: PulumiStack
    workloads: PulumiStack

    def managed(self) -> set[tuple[str, str]]:
        """Return the type and ID of each resource the system manages alone, leaving out those it only reads."""
        resources = (*self.infrastructure.resources(), *self.workloads.resources())
        return {
            (str(each["type"]), str(each["id"]))
            for each in resources
            if each.get("id") and not each.get("external") and each["type"] not in _OF_THE_PROJECT
        }

    def destroy(self) -> None:
        """Destroy both projects, which must leave nothing in their state."""
        for stack in (self.workloads, self.infrastructure):
            stack.destroy()
            assert stack.resources() == []


def tenant_folder(environment: str | None, out: Path) -> Path:
    """Write the projects of the first system, which installs add-ons, and return their folder."""
    text = (SYSTEMS / "tenant" / "system.yaml").read_text(encoding="utf-8")
    inputs = Example("tenant", environment, SYSTEMS).inputs(text.replace(_WRITTEN_SUBSCRIPTION, SUBSCRIPTION))
    return _written(inputs, out / "tenant")


def hello_folder(environment: str | None, out: Path) -> Path:
    """Write the projects of the smallest example, whose stores have the same names, and return their folder."""
    overlay = InputFile("hello.yaml", _OVERLAY.replace("PLACE", _PLACES[environment]))
    inputs = replace(Example("hello", None).inputs(), environment=environment or "eks", overlay=overlay)
    return _written(inputs, out / "hello")


def _written(inputs: Inputs, out: Path) -> Path:
    outcome = compile_system(inputs, TARGETS)
    assert not outcome.failed, outcome.diagnostics
    (stack,) = outcome.stacks
    _, problems = write_trees(out, [Tree(stack.environment, stack.target, stack_files(stack), "test")])
    assert problems == ()
    return out / stack.environment / stack.target


def projects_of(
    folder: Path, variables: Mapping[str, str], charts: ChartRepository, make: Callable[..., PulumiStack]
) -> Projects:
    """Create the stacks of a system's two projects without protection. They share a state backend."""
    backend = folder / "backend"
    backend.mkdir()
    stacks: list[PulumiStack] = []
    for part in ("infrastructure", "workloads"):
        stack = make(folder / part, folder.parent.name, **variables, PULUMI_BACKEND_URL=f"file://{backend}")
        stack.configure("protect", "false")
        stacks.append(stack)
    stacks[1].configure("chartRepository", charts.url)
    return Projects(*stacks)


def share_a_cluster(first: Projects, second: Projects) -> None:
    """Deploy the second system next to the first, whose infrastructure exists, and remove it.

    Neither system manages anything of the other's, and the second one's life changes nothing for the first.
    """
    assert "create" in first.workloads.up().changes.values()
    assert set(second.infrastructure.up().changes.values()) == {"create"}
    assert "create" in second.workloads.up().changes.values()
    shared = first.managed() & second.managed()
    assert not shared, shared
    assert first.infrastructure.refresh().changed == {}
    assert first.workloads.up().changed == {}

    second.destroy()
    for stack in (first.infrastructure, first.workloads):
        assert set(stack.refreshing_up().changed.values()) <= {"refresh"}  # the engine's word for unchanged charts
