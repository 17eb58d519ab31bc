"""What the declared machines cost a month when everything runs at its largest, and whether they have prices."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.diagnostics.base import Diagnostic
from modelyard.diagnostics.budgets import budget_without_price
from modelyard.plan import Plan
from modelyard.spec import target_path
from modelyard.target import Cost
from modelyard_targets.kube.placement.placed import target_of
from modelyard_targets.kubernetes.capacity import machines_needed
from modelyard_targets.machines.prices import HOURS_OF_A_MONTH


def check_prices(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Where there is a budget, it is known what machines cost."""
    if plan.system.governance.budget is not None and plan.has_cluster(placement):
        yield from _unpriced(plan, placement)


def cost(plan: Plan, placement: str) -> Cost | None:
    """Machines of one's own are paid for whether they are busy or not; None where nothing runs."""
    if not plan.has_cluster(placement):
        return None
    monthly = monthly_high(plan, placement)
    return Cost(monthly, monthly)


def monthly_high(plan: Plan, placement: str) -> float:
    """The price of the machines that are needed when all runs at its largest, all month long."""
    capacity = target_of(plan, placement).capacity
    needed = machines_needed(plan, placement)
    return sum(count * (capacity[at].price_hourly or 0.0) * HOURS_OF_A_MONTH for at, count in needed.items())


def _unpriced(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Nobody knows what the target costs: no capacity declared, or a machine that is needed has no price."""
    system = plan.system
    capacity, path = target_of(plan, placement).capacity, target_path(system, placement)
    if not capacity:
        yield budget_without_price(system.key(*path), placement, "it declares no `capacity`")
        return
    for at, count in machines_needed(plan, placement).items():
        if count and capacity[at].price_hourly is None:
            yield budget_without_price(system.at(*path, "capacity", at), placement, f"capacity[{at}] has no `price`")
