"""What AWS cannot honour of a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from modelyard.diagnostics.base import Diagnostic
from modelyard.plan import Plan
from modelyard_targets.aws.budget import check_budget
from modelyard_targets.cluster.check import check_workloads

Rule: TypeAlias = Callable[[Plan, str], Iterator[Diagnostic]]


def check(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Everything that lowering relies on, told at the line that asks for it."""
    if plan.on(placement):
        for rule in CHECKS:
            yield from rule(plan, placement)


CHECKS: Final[tuple[Rule, ...]] = (check_workloads, check_budget)
