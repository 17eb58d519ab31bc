"""Workload checks that apply to every cluster and do not need emitted objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from modelyard.diagnostics.base import Diagnostic, has_errors
from modelyard.diagnostics.target import run_of_once
from modelyard.plan import MonitorJob, Plan
from modelyard.spec import TargetSpec
from modelyard_targets.kube.checks.addresses import check_addresses, check_buckets
from modelyard_targets.kube.checks.identities import check_identities
from modelyard_targets.kube.checks.machines import (
    check_accelerators,
    check_batches,
    check_timeouts,
    check_trainers,
)
from modelyard_targets.kube.checks.reach import check_edge, check_egress
from modelyard_targets.kube.checks.reserved import check_names
from modelyard_targets.kube.checks.settings import check_patches, check_ranges, check_settings
from modelyard_targets.kube.network.route import check_routes
from modelyard_targets.kube.placement.context import Context

Rule: TypeAlias = Callable[[Plan, str], Iterator[Diagnostic]]
"""A check that reports what a provider cannot do for a placement in the plan."""


def check_cluster(
    plan: Plan, placement: str, target: TargetSpec, rules: Iterable[Rule], context: Callable[[Plan, str], Context]
) -> Iterator[Diagnostic]:
    """Run the checks for any cluster, then the provider's `rules`, then those for emitted objects.

    `target` is the placement's target, including defaults added by its platform. `context` is only called if there are
    overrides or `egress` ranges.
    """
    diagnostics = [*check_workloads(plan, placement, target), *check_settings(plan, placement, target)]
    diagnostics += [problem for rule in rules for problem in rule(plan, placement)]
    yield from diagnostics
    if not has_errors(diagnostics):  # emitted objects need an otherwise valid plan
        yield from check_patches(plan, placement, lambda: context(plan, placement))
        yield from check_ranges(plan, placement, lambda: context(plan, placement))


def check_workloads(plan: Plan, placement: str, target: TargetSpec) -> Iterator[Diagnostic]:
    """Run the workload checks for any cluster. `target` is the placement's target including platform defaults."""
    yield from check_names(plan, placement)
    yield from check_routes(plan, placement, target.gateway)
    yield from check_monitors(plan, placement)
    yield from check_timeouts(plan, placement)
    yield from check_accelerators(plan, placement)
    yield from check_trainers(plan, placement)
    yield from check_batches(plan, placement)
    yield from check_addresses(plan, placement)
    yield from check_buckets(plan, placement)
    yield from check_identities(plan, placement)
    yield from check_egress(plan, placement)
    yield from check_edge(plan, placement)


def check_monitors(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report monitors that start a pipeline with schedule `once`, which can only run once."""
    for monitor in (resource.value.monitor for resource in plan.of(MonitorJob, placement)):
        if not monitor.on_breach.run:
            continue
        pipeline = plan.system.pipelines[monitor.on_breach.run]
        where = plan.system.at("monitors", monitor.name, "onBreach", "run")
        if pipeline.schedule.kind == "once":
            yield run_of_once(where, pipeline.name)
