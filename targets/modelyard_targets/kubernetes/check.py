"""Check that an existing cluster can provide what the plan requires."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.diagnostics.base import Diagnostic
from modelyard.plan import Plan
from modelyard_targets.kube.checks.check import Rule, check_cluster
from modelyard_targets.kube.existing import checks as existing
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.placed import target_of
from modelyard_targets.kubernetes.check_stores import check_stores


def check(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Run all checks that lowering relies on, reporting each problem at its line in the spec."""
    if plan.on(placement):
        yield from check_cluster(plan, placement, target_of(plan, placement), CHECKS, _context)


def _context(plan: Plan, placement: str) -> Context:
    from modelyard_targets.kubernetes.platform import context_of

    return context_of(plan, placement)


CHECKS: Final[tuple[Rule, ...]] = (check_stores, *existing.CHECKS)
