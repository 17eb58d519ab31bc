"""The fifth stage: rules that check consistency and safety beyond what a schema can express."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from modelyard.checks import (
    accelerators,
    approvers,
    batches,
    built_in,
    captures,
    clock,
    clouds,
    columns,
    comparisons,
    data_overlap,
    deployment,
    evidence,
    following,
    governance,
    governance_in_name,
    hosts,
    imports,
    inference,
    language,
    leakage,
    monitors,
    never_works,
    pipelines,
    plausible,
    priorities,
    promises,
    promotions,
    schedules,
    scoring_steps,
    secrets,
    stages,
    step_order,
    watched,
)
from modelyard.diagnostics import Diagnostic
from modelyard.provider import Rule
from modelyard.spec import System

__all__ = ["CHECKS", "check"]

CHECKS: Final[tuple[Rule, ...]] = (
    *secrets.RULES,
    *deployment.RULES,
    *clouds.RULES,
    *governance.RULES,
    *approvers.RULES,
    *pipelines.RULES,
    *built_in.RULES,
    *schedules.RULES,
    *following.RULES,
    *scoring_steps.RULES,
    *step_order.RULES,
    *inference.RULES,
    *language.RULES,
    *monitors.RULES,
    *watched.RULES,
    *captures.RULES,
    *data_overlap.RULES,
    *never_works.RULES,
    *leakage.RULES,
    *governance_in_name.RULES,
    *clock.RULES,
    *promises.RULES,
    *columns.RULES,
    *comparisons.RULES,
    *accelerators.RULES,
    *evidence.RULES,
    *plausible.RULES,
    *hosts.RULES,
    *batches.RULES,
    *promotions.RULES,
    *stages.RULES,
    *imports.RULES,
    *priorities.RULES,
)


def check(system: System, provider_rules: Iterable[Rule] = ()) -> tuple[Diagnostic, ...]:
    """Run all rules on a system, including the providers' own rules, and collect their diagnostics."""
    return tuple(diagnostic for rule in (*CHECKS, *provider_rules) for diagnostic in rule(system))
