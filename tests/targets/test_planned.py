"""Tests that machine types are chosen only during planning, and that all output comes from planned resources."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import Any, Final

import pytest

from modelyard.api import output_files
from modelyard.cli.addresses import explain_address
from modelyard.costs import total
from modelyard.drawing.network import network_view
from modelyard.pipeline import InputFile, Inputs, Outcome, compile_system, understand
from modelyard.plan import Kind, NodePool, Plan, SystemPool, hardware_of
from modelyard.source import Path
from modelyard.usage import NO_USAGE
from modelyard_targets import TARGETS
from modelyard_targets.cloud import choose as clouds
from modelyard_targets.kube.existing import choose as clusters
from tests.examples import Example, every_example
from tests.narrowing import present
from tests.targets.aws.infrastructure import LEADS

HYBRID: Final = Example("fraud-detection", None)
"""An example with a target on AWS and one on an on-premises cluster."""

LOWERED: Final[Mapping[str, Kind]] = {
    "Account": Kind.CLUSTER,
    "Alarms": Kind.CLUSTER,
    "Cluster": Kind.CLUSTER,
    "ClusterAddons": Kind.CLUSTER,
    "ClusterAutoscaler": Kind.CLUSTER,
    "Database": Kind.DATABASE,
    "DatabaseLogin": Kind.DATABASE,
    "Identity": Kind.IDENTITY,
    "ImageRegistry": Kind.CLUSTER,
    "Karpenter": Kind.CLUSTER,
    "Key": Kind.CLUSTER,
    "Network": Kind.CLUSTER,
    "NodePool": Kind.NODE_POOL,
    "ObjectStore": Kind.OBJECT_STORE,
    "SecretsReader": Kind.CLUSTER,
    "SystemPool": Kind.SYSTEM_POOL,
}
"""For each infrastructure component, the kind of planned resource that it comes from."""

ELSEWHERE: Final = {"Crossing": "an identity on another placement", "Budget": "it counts what all of them cost"}
"""Components that belong to no resource on their own placement, with the reason."""


def chosen(run: Callable[[], object]) -> Counter[tuple[str, str]]:
    """Count how often machines are chosen during `run`, by region or target and by compute class."""
    counts: Counter[tuple[str, str]] = Counter()
    cloud, cluster = clouds.choose.__code__, clusters.choose.__code__

    def count(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call" and frame.f_code in (cloud, cluster):
            frame_locals = frame.f_locals
            where = frame_locals["region"] if frame.f_code is cloud else frame_locals["target"].name
            counts[where, frame_locals["compute"].name] += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        run()
    finally:
        sys.setprofile(before)
    return counts


def planned_of(outcome: Outcome) -> Plan:
    assert not outcome.failed, outcome.diagnostics
    return present(outcome.plan)


def everything(inputs: Inputs) -> Outcome:
    """Compile, render all files, compute costs, and run `explain` and `graph`."""
    outcome = compile_system(inputs, TARGETS)
    plan = planned_of(outcome)
    assert sum(len(file.render()) for file in output_files(outcome))
    for target in plan.system.deployment.targets:
        assert total(TARGETS[target.provider].lines(plan, target.name, NO_USAGE)).lines
    assert explain_address(outcome, "deployment")
    assert network_view(plan).boxes
    return outcome


@pytest.mark.parametrize(
    "inputs", [HYBRID.inputs(), Inputs(InputFile("system.yaml", LEADS))], ids=["hybrid", "elastic"]
)
def test_machines_are_chosen_once_for_each_class(inputs: Inputs) -> None:
    """Machines are chosen once per compute class, because all later stages use the planned choice."""
    outcomes: list[Outcome] = []
    counts = chosen(lambda: outcomes.append(everything(inputs)))
    plan = planned_of(outcomes[0])

    expected = {
        (_where(plan, resource.placement), use.compute)
        for resource in plan.resources
        for _, use in hardware_of(resource)
    }
    expected |= {(_where(plan, pool.placement), pool.name) for pool in plan.of(SystemPool)}
    assert plan.of(SystemPool)
    assert counts == dict.fromkeys(expected, 1)


def _where(plan: Plan, placement: str) -> str:
    target = plan.system.target(placement)
    return target.region if target.in_cloud else target.name


def lowered(plan: Plan) -> Iterator[tuple[str, str, str, Path]]:
    """Yield the placement, component (or `object`), name and spec path of each piece of output."""
    for target in plan.system.deployment.targets:
        provider = TARGETS[target.provider]
        for call in provider.calls(plan, target.name):
            yield target.name, call.component, call.name, call.origin
        for item in provider.objects(plan, target.name):
            yield target.name, "object", f"{item.manifest['kind']}", item.origin


def sources(plan: Plan, placement: str, origin: Path) -> set[Kind]:
    """Return the kinds of a placement's resources to which the given spec path belongs."""
    return {resource.kind for resource in plan.on(placement) if resource.origin == origin[: len(resource.origin)]}


@pytest.mark.parametrize("example", [case for case in every_example() if case.environment is None], ids=str)
def test_all_output_comes_from_a_planned_resource(example: Example) -> None:
    assert orphans(planned_of(understand(example.inputs(), TARGETS))) == []


def test_output_for_elastic_classes_comes_from_a_planned_resource() -> None:
    assert orphans(planned_of(understand(Inputs(InputFile("system.yaml", LEADS)), TARGETS))) == []


def orphans(plan: Plan) -> list[tuple[str, str, str, Path]]:
    """Return output that belongs to no planned resource, or to one of the wrong kind."""
    output = list(lowered(plan))
    assert output
    orphaned: list[tuple[str, str, str, Path]] = []
    for placement, component, name, origin in output:
        kinds = sources(plan, placement, origin)
        if component not in ELSEWHERE and (not kinds if component == "object" else LOWERED[component] not in kinds):
            orphaned.append((placement, component, name, origin))
    return orphaned


def test_every_node_group_comes_from_a_planned_pool() -> None:
    """Every node group comes from a node pool or system pool in the plan."""
    plan = planned_of(understand(HYBRID.inputs(), TARGETS))
    nodes = [(what, name) for _, what, name, _ in lowered(plan) if what in {"SystemPool", "NodePool"}]
    system, pools = plan.of(SystemPool, "main"), plan.of(NodePool, "main")

    assert [name for what, name in nodes if what == "SystemPool"] == [pool.name for pool in system]
    assert len(nodes) == len(system) + sum(len(pool.value.groups) for pool in pools)
