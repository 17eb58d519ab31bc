"""The monthly cost of the declared machines at full load, and checks that all these machines have prices."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.diagnostics.base import Diagnostic
from modelyard.diagnostics.budgets import budget_without_price
from modelyard.plan import Plan
from modelyard.spec import target_path
from modelyard.target import Cost
from modelyard.units import money_text
from modelyard_targets.kube.existing.capacity import machines_needed
from modelyard_targets.kube.placement.placed import target_of
from modelyard_targets.machines.prices import HOURS_OF_A_MONTH


def check_prices(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Require machine prices if the spec has a budget."""
    if plan.system.governance.budget is not None and plan.has_cluster(placement):
        yield from _unpriced(plan, placement)


def cost(plan: Plan, placement: str) -> Cost | None:
    """Return the monthly cost, or None if nothing runs. Existing machines cost the same at any load."""
    if not plan.has_cluster(placement):
        return None
    monthly = monthly_high(plan, placement)
    return Cost(monthly, monthly)


def monthly_high(plan: Plan, placement: str) -> float:
    """Return the monthly price of the machines that are needed if every workload has its largest size all month."""
    capacity = target_of(plan, placement).capacity
    needed = machines_needed(plan, placement)
    return sum(count * (capacity[at].price_hourly or 0.0) * HOURS_OF_A_MONTH for at, count in needed.items())


def cost_rows(plan: Plan, placement: str) -> Iterator[tuple[str, str]]:
    """Yield the README's row with the cost of the machines, if all of them have prices."""
    capacity = target_of(plan, placement).capacity
    priced = [machine for machine in capacity if machine.price_hourly is not None]
    if priced and len(priced) == len(capacity):
        high = money_text(monthly_high(plan, placement), priced[0].currency)
        yield "machines cost at most", f"{high} a month, if everything runs at its largest all the time"


def _unpriced(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report that a target's cost is unknown, because it declares no capacity or a needed machine has no price."""
    system = plan.system
    capacity, path = target_of(plan, placement).capacity, target_path(system, placement)
    if not capacity:
        yield budget_without_price(system.key(*path), placement, "it declares no `capacity`")
        return
    for at, count in machines_needed(plan, placement).items():
        if count and capacity[at].price_hourly is None:
            yield budget_without_price(system.at(*path, "capacity", at), placement, f"capacity[{at}] has no `price`")
