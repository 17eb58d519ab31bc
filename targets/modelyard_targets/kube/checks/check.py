"""What no cluster can honour of the workloads of a plan; none of what makes their objects is needed to say so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from modelyard.diagnostics.base import Diagnostic, has_errors
from modelyard.diagnostics.target import run_of_once
from modelyard.plan import MonitorJob, Plan
from modelyard.spec import TargetSpec
from modelyard_targets.kube.checks.machines import (
    check_accelerators,
    check_batches,
    check_timeouts,
    check_trainers,
)
from modelyard_targets.kube.checks.reach import check_edge, check_egress
from modelyard_targets.kube.checks.reserved import check_names
from modelyard_targets.kube.checks.settings import check_patches, check_settings
from modelyard_targets.kube.network.route import check_routes
from modelyard_targets.kube.placement.context import Context

Rule: TypeAlias = Callable[[Plan, str], Iterator[Diagnostic]]
"""Plan and placement: what a provider cannot honour."""


def check_cluster(
    plan: Plan, placement: str, target: TargetSpec, rules: Iterable[Rule], context: Callable[[Plan, str], Context]
) -> Iterator[Diagnostic]:
    """Everything that lowering relies on, told at the line that asks for it: what holds anywhere, then `rules`.

    `target` is the placement's with what its platform fills in; `context` is made only where objects are patched.
    """
    found = [*check_workloads(plan, placement, target), *check_settings(plan, placement, target)]
    found += [problem for rule in rules for problem in rule(plan, placement)]
    yield from found
    if not has_errors(found):  # patches are tried on what is emitted, and nothing is before all else holds
        yield from check_patches(plan, placement, lambda: context(plan, placement))


def check_workloads(plan: Plan, placement: str, target: TargetSpec) -> Iterator[Diagnostic]:
    """What no cluster can honour of the workloads of a placement; `target` is it with what its platform fills in."""
    yield from check_names(plan, placement)
    yield from check_routes(plan, placement, target.gateway)
    yield from check_monitors(plan, placement)
    yield from check_timeouts(plan, placement)
    yield from check_accelerators(plan, placement)
    yield from check_trainers(plan, placement)
    yield from check_batches(plan, placement)
    yield from check_egress(plan, placement)
    yield from check_edge(plan, placement)


def check_monitors(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Pipelines that a breach cannot start, since nothing is left to start them from, here or on another target."""
    for monitor in (resource.value.monitor for resource in plan.of(MonitorJob, placement)):
        if not monitor.on_breach.run:
            continue
        pipeline = plan.system.pipelines[monitor.on_breach.run]
        where = plan.system.at("monitors", monitor.name, "onBreach", "run")
        if pipeline.schedule.kind == "once":
            yield run_of_once(where, pipeline.name)
