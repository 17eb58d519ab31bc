"""Tests that a system may have its own node pools in an existing cluster, on any cloud."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, cast

import pytest

from modelyard.pipeline import Outcome, compile_system
from modelyard.plan import NodePool, SystemPool
from modelyard.program import Call
from modelyard.stack import Manifest
from modelyard_targets import TARGETS
from tests.costing import costs_of, lines_of
from tests.examples import SYSTEMS, Example
from tests.narrowing import present

CLOUDS = {"aws": None, "gcp": "gke", "azure": "aks"}
GPU = 'gpu: {cpu: 4, memory: 16Gi, accelerators: ["L4:1"], capacity: spot}'
PLAIN = "gpu: {cpu: 4, memory: 16Gi, capacity: spot-first}"


def with_pools(text: str, gpu: str = PLAIN) -> str:
    """Return the spec of `tenant` with node pools instead of declared machines."""
    start, end = text.index("  capacity:\n"), text.index("stores:\n")
    text = text[:start] + text[end:]
    text = text.replace("{adopt: platform,", "{adopt: platform, nodePools: create,")
    return text.replace(GPU, gpu).replace(", parameters: {device: cuda}", "")


@cache
def compiled(cloud: str, name: str = "tenant", gpu: str = PLAIN) -> Outcome:
    """Compile `tenant`, or a renamed copy of it, with node pools on the given cloud."""
    inputs = Example("tenant", CLOUDS[cloud], SYSTEMS).inputs()
    text = (SYSTEMS / "tenant" / "system.yaml").read_text(encoding="utf-8")
    text = with_pools(text, gpu).replace("{name: tenant,", f"{{name: {name},")
    return compile_system(replace(inputs, spec=replace(inputs.spec, content=text)), TARGETS)


def pools(outcome: Outcome) -> list[Call]:
    """Return the calls that create node pools."""
    assert not outcome.failed, outcome.diagnostics
    (stack,) = outcome.stacks
    return [call for call in stack.projects[0].program.calls if call.component == "NodePool"]


def values(calls: list[Call], argument: str) -> set[object]:
    """Return the values that the given calls have for an argument."""
    return {cast("object", dict(call.arguments)[argument]) for call in calls}


def reasons(outcome: Outcome) -> list[str]:
    """Return the codes and messages of all errors in a compilation's outcome."""
    return [
        f"{diagnostic.code} {diagnostic.message}"
        for diagnostic in outcome.diagnostics
        if diagnostic.code.startswith("E")
    ]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_compute_classes_get_node_pools_and_nothing_else_does(cloud: str) -> None:
    outcome = compiled(cloud)
    plan = present(outcome.plan)

    assert values(pools(outcome), "pool") == {
        dict(pool.value.hardware.selector)["modelyard.dev/pool"] for pool in plan.of(NodePool)
    }
    assert plan.of(SystemPool) == ()


@pytest.mark.parametrize("cloud", CLOUDS)
def test_pools_of_two_systems_share_neither_names_nor_labels(cloud: str) -> None:
    """Two systems with the same class names use different pool labels, or Pods could use the other's machines."""
    mine, others = pools(compiled(cloud)), pools(compiled(cloud, "other"))

    assert len(mine) == len(others) > 1
    for argument in ("pool", *(("agent_pool",) if cloud == "azure" else ())):
        assert values(mine, argument).isdisjoint(values(others, argument))
    assert not {call.name for call in mine} & {call.name for call in others}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_pods_select_and_tolerate_the_pools_of_their_class(cloud: str) -> None:
    for pool in present(compiled(cloud).plan).of(NodePool):
        label = dict(pool.value.hardware.selector)["modelyard.dev/pool"]
        tolerated = {taint.key: taint.value for taint in pool.value.hardware.tolerations}

        assert label.startswith("tenant-")
        assert label.endswith(pool.name)
        assert tolerated["modelyard.dev/pool"] == label


def test_a_compute_class_of_gke_orders_the_pools_of_this_system() -> None:
    outcome = compiled("gcp", gpu=GPU)
    orders = [
        cast("Mapping[str, Any]", document)
        for project in outcome.stacks[0].projects
        for file in project.manifests
        for document in cast("Iterator[Manifest]", file.documents())
        if document["kind"] == "ComputeClass"
    ]
    ordered = [call for call in pools(outcome) if "compute_class" in dict(call.arguments)]
    classes = values(ordered, "compute_class")

    assert {order["metadata"]["name"] for order in orders} == classes == {"modelyard-tenant-gke-gpu"}
    pool_names = {name for order in orders for each in order["spec"]["priorities"] for name in each["nodepools"]}
    assert pool_names == {call.name for call in ordered}


def test_gke_installs_drivers_and_other_clouds_refuse_accelerators() -> None:
    assert not compiled("gcp", gpu=GPU).failed
    for cloud in ("aws", "azure"):
        (reason,) = reasons(compiled(cloud, gpu=GPU))
        assert reason.startswith("E0504")
        assert "cannot have accelerators, because the cluster's owner installs the device plugin" in reason


def test_an_elastic_class_needs_karpenter_which_an_existing_cluster_may_lack() -> None:
    (reason,) = reasons(compiled("aws", gpu="gpu: {cpu: 4, memory: 16Gi, elastic: true}"))

    assert "E0504" in reason
    assert "needs Karpenter" in reason


@pytest.mark.parametrize("cloud", CLOUDS)
def test_node_pools_are_paid_for_and_the_rest_of_the_cluster_is_not(cloud: str) -> None:
    plan = present(compiled(cloud).plan)
    lines = lines_of(plan)

    assert any(line.component == "inference.score" and line.category == "compute" and line.floor for line in lines)
    assert not any("cluster management" in line.what or "system pool" in line.what for line in lines)
    assert costs_of(plan).unpriced == 0


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_readme_lists_the_pools(cloud: str) -> None:
    (stack,) = compiled(cloud).stacks
    readme = next(file.text() for file in stack.texts if file.path == "README.md")

    assert "node pools to the cluster" in readme
    for call in pools(compiled(cloud)):
        assert f"| `{dict(call.arguments)['pool']}` |" in readme
