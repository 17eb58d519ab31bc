"""The fifth room: rules that a schema cannot state. A system that passes makes sense, and keeps its own rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from modelyard.checks import (
    built_in,
    clock,
    clouds,
    columns,
    comparisons,
    data_overlap,
    deployment,
    governance,
    governance_in_name,
    inference,
    leakage,
    monitors,
    never_works,
    pipelines,
    promises,
    schedules,
    secrets,
)
from modelyard.diagnostics import Diagnostic
from modelyard.spec import System

__all__ = ["CHECKS", "check"]

Rule: TypeAlias = Callable[[System], Iterator[Diagnostic]]

CHECKS: Final[tuple[Rule, ...]] = (
    secrets.literals,
    secrets.stores,
    deployment.mode,
    deployment.residency,
    deployment.prices,
    deployment.binding,
    deployment.images,
    deployment.local_files,
    deployment.unused,
    clouds.access,
    clouds.ranges,
    clouds.reachability,
    clouds.secrets_manager,
    clouds.encryption_keys,
    governance.approvals,
    governance.explainability,
    governance.cards,
    governance.classifications,
    governance.captures,
    governance.retention,
    governance.locks,
    governance.exposure,
    governance.callers,
    governance.residency_limited,
    pipelines.columns,
    pipelines.inputs,
    pipelines.trainers,
    built_in.tasks,
    built_in.together,
    built_in.groups,
    pipelines.gates,
    pipelines.tuning,
    pipelines.steps,
    pipelines.workers,
    pipelines.origin,
    pipelines.aliases,
    schedules.schedules,
    inference.traffic,
    inference.rollouts,
    inference.pools,
    inference.pool_paths,
    inference.addresses,
    inference.promises,
    inference.readers,
    monitors.monitors,
    monitors.features,
    data_overlap.captured,
    data_overlap.outputs,
    data_overlap.scores,
    data_overlap.registered,
    data_overlap.adopted,
    never_works.aliases,
    never_works.parameters,
    never_works.buckets,
    never_works.labels,
    leakage.labels,
    leakage.splits,
    leakage.gates,
    leakage.inputs,
    leakage.scoring,
    governance_in_name.gates,
    governance_in_name.approvals,
    governance_in_name.in_the_clear,
    governance_in_name.endpoints_abroad,
    governance_in_name.overrides,
    clock.schedules,
    promises.scale_to_zero,
    promises.availability,
    data_overlap.training_data,
    never_works.retention,
    never_works.outputs,
    never_works.retraining,
    columns.roles,
    columns.labels,
    comparisons.keys,
    comparisons.known_rows,
    comparisons.slices,
    comparisons.thresholds,
    governance_in_name.requests_in_the_clear,
)


def check(system: System) -> tuple[Diagnostic, ...]:
    """Everything that the rules find in a system, rule by rule."""
    return tuple(found for rule in CHECKS for found in rule(system))
