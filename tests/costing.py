"""Reads cost lines, for tests of the targets."""

from __future__ import annotations

from collections.abc import Iterable

from modelyard.costs import CostLine, Total, total
from modelyard.plan import Plan
from modelyard.usage import NO_USAGE, Usage
from modelyard_targets import TARGETS


def lines_of(plan: Plan, placement: str = "main", usage: Usage = NO_USAGE) -> tuple[CostLine, ...]:
    """Return the cost lines of a placement."""
    return tuple(TARGETS[plan.system.target(placement).provider].lines(plan, placement, usage))


def costs_of(plan: Plan, placement: str = "main", usage: Usage = NO_USAGE) -> Total:
    """Return the total costs of a placement."""
    return total(lines_of(plan, placement, usage))


def line(lines: Iterable[CostLine], what: str) -> CostLine:
    """Return the only cost line whose text starts with the given prefix."""
    (match,) = (cost_line for cost_line in lines if cost_line.what.startswith(what))
    return match


def nodes_at_least(lines: Iterable[CostLine]) -> float:
    """Return the number of nodes that cost money even without any usage."""
    nodes = (
        cost_line
        for cost_line in lines
        if cost_line.category == "compute" and ("pool" in cost_line.what or " on " in cost_line.what)
    )
    return sum(cost_line.quantity.floor for cost_line in nodes) / 730
