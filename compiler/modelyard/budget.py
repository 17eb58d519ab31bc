"""Compare the monthly cost of all targets with the spec's budget."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from modelyard.costs import CostLine, Total, costliest_alternative, total
from modelyard.diagnostics.base import Diagnostic
from modelyard.diagnostics.budgets import (
    budget_exceeded,
    budget_expected_to_be_exceeded,
    budget_may_be_exceeded,
    budget_would_be_exceeded,
)
from modelyard.plan import Plan
from modelyard.units import money_text


def check_budget(plan: Plan, lines: Iterable[CostLine]) -> Iterator[Diagnostic]:
    """Report an error if the minimum cost exceeds the budget, or a warning if only the expected or maximum cost does.

    A target without cost lines is either free or has already reported why its cost is unknown.
    """
    budget = plan.system.governance.budget
    if budget is None:
        return
    listed = tuple(lines)
    costs = total(listed)
    if not costs.lines:
        return
    span = plan.system.at("governance", "budget", "monthly")
    allowed = money_text(budget.monthly, budget.currency)
    floor, expected, ceiling = (
        money_text(amount, budget.currency) for amount in (costs.floor, costs.expected, costs.ceiling)
    )
    note = _note(costs)
    if costs.floor > budget.monthly:
        problem = budget_exceeded if budget.on_exceed == "block" else budget_would_be_exceeded
        yield problem(span, allowed, floor, note)
    elif costs.expected > budget.monthly:
        yield budget_expected_to_be_exceeded(span, allowed, floor, expected, note)
    elif costs.ceiling > budget.monthly:
        yield budget_may_be_exceeded(span, allowed, expected, ceiling, costliest_alternative(listed), note)


def _note(costs: Total) -> str:
    """Describe how certain the prices are, or return "" if all prices are known."""
    parts = (
        f"{costs.estimated} estimated from another region or machine" if costs.estimated else "",
        f"{costs.unpriced} unknown" if costs.unpriced else "",
    )
    certainty = " and ".join(filter(None, parts))
    return f" (of {costs.lines} prices, {certainty})" if certainty else ""
