"""What a cluster of somebody else's cannot honour of a plan."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.diagnostics.base import Diagnostic
from modelyard.plan import Plan
from modelyard_targets.cluster.workloads import check_workloads


def check(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Everything that lowering relies on, told at the line that asks for it."""
    yield from check_workloads(plan, placement)
