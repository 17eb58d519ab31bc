"""What the declared machines cost a month when everything runs at its largest, against the budget."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.diagnostics.base import Diagnostic
from modelyard.diagnostics.plan import budget_exceeded, budget_without_price, budget_would_be_exceeded
from modelyard.plan import Plan, target_path
from modelyard_targets.cluster.placed import target_of
from modelyard_targets.cluster.prices import HOURS_OF_A_MONTH, money
from modelyard_targets.kubernetes.capacity import machines_needed


def check_budget(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """A budget is kept by every target together, and only where machines have prices; told once, for the first
    target.
    """
    budget = plan.system.governance.budget
    clusters = [name for name in plan.placements() if target_of(plan, name).provider == "kubernetes"]
    if budget is None or not clusters or clusters[0] != placement:
        return
    unpriced = list(_unpriced(plan, clusters))
    yield from unpriced
    if unpriced:
        return
    monthly = sum(monthly_high(plan, name) for name in clusters)
    if monthly > budget.monthly:
        tell = budget_exceeded if budget.on_exceed == "block" else budget_would_be_exceeded
        span = plan.system.at("governance", "budget", "monthly")
        yield tell(span, money(budget.monthly, budget.currency), money(monthly, budget.currency))


def monthly_high(plan: Plan, placement: str) -> float:
    """The price of the machines that are needed when all runs at its largest, all month long."""
    capacity = target_of(plan, placement).capacity
    needed = machines_needed(plan, placement)
    return sum(count * (capacity[at].price_hourly or 0.0) * HOURS_OF_A_MONTH for at, count in needed.items())


def _unpriced(plan: Plan, clusters: list[str]) -> Iterator[Diagnostic]:
    """Targets of which nobody knows what they cost: no capacity declared, or a machine that is needed has no price."""
    system = plan.system
    for name in clusters:
        capacity = target_of(plan, name).capacity
        path = target_path(system, name)
        if not capacity:
            yield budget_without_price(system.key(*path), name, "it declares no `capacity`")
            continue
        for at, count in machines_needed(plan, name).items():
            if count and capacity[at].price_hourly is None:
                yield budget_without_price(system.at(*path, "capacity", at), name, f"capacity[{at}] has no `price`")
