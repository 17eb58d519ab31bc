"""Compare the monthly cost of all targets with the spec's budget."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from modelyard.diagnostics.base import Diagnostic
from modelyard.diagnostics.budgets import budget_exceeded, budget_may_be_exceeded, budget_would_be_exceeded
from modelyard.plan import Plan
from modelyard.target import Cost
from modelyard.units import money_text


def check_budget(plan: Plan, costs: Sequence[Cost]) -> Iterator[Diagnostic]:
    """Report an error if the fixed cost exceeds the budget, and a warning if only the cost at maximum scale does.

    If a target has no cost, it is free or has already reported why its cost is unknown.
    """
    budget = plan.system.governance.budget
    if budget is None or not costs:
        return
    span = plan.system.at("governance", "budget", "monthly")
    sure, most = (sum(amounts) for amounts in zip(*((cost.sure, cost.most) for cost in costs), strict=True))
    allowed = money_text(budget.monthly, budget.currency)
    if sure > budget.monthly:
        problem = budget_exceeded if budget.on_exceed == "block" else budget_would_be_exceeded
        yield problem(span, allowed, money_text(sure, budget.currency))
    elif most > budget.monthly:
        amounts = (money_text(amount, budget.currency) for amount in (sure, most))
        yield budget_may_be_exceeded(span, allowed, *amounts)
