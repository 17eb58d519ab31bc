"""Cost lines for a cluster's own machines, and checks that all of them have a price if there is a budget.

Existing machines cost the same at any load, so the minimum and maximum cost are equal. Databases, volumes and so on run
on these machines and don't add any cost.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.costs import HOURS_OF_A_MONTH, CostLine, Rate, fixed, total
from modelyard.diagnostics.base import Diagnostic
from modelyard.diagnostics.budgets import budget_without_price
from modelyard.plan import Cluster, Plan
from modelyard.spec import Machines, target_path
from modelyard.units import money_text
from modelyard.usage import NO_USAGE, Usage
from modelyard_targets.kube.existing.capacity import machines_needed
from modelyard_targets.kube.placement.placed import target_of

_PROVIDER: Final = "kubernetes"


def check_prices(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Require machine prices if the spec has a budget."""
    if plan.system.governance.budget is not None and plan.has_cluster(placement):
        yield from _unpriced(plan, placement)


def lines(plan: Plan, placement: str, usage: Usage) -> Iterator[CostLine]:
    """Yield one cost line per `capacity` entry, for the machines needed when all workloads run at maximum size.

    Without `capacity`, yield a single unpriced line, which states that the machines aren't declared.
    """
    capacity = target_of(plan, placement).capacity
    for cluster in plan.of(Cluster, placement):
        if not capacity:
            what = "machines that are not declared under `capacity`"
            yield CostLine("platform", cluster.place, what, "hours", fixed(HOURS_OF_A_MONTH), None, "compute")
        for at, count in machines_needed(plan, placement).items() if capacity else ():
            if count:
                what = f"{count} machine{'' if count == 1 else 's'} of capacity[{at}]"
                hours = fixed(count * HOURS_OF_A_MONTH)
                rate = _rate(capacity[at], at, placement, usage)
                note = "all machines that the largest size needs"
                yield CostLine(
                    "platform", cluster.place, what, "hours", hours, rate, "compute", f"capacity[{at}]", assumption=note
                )


def _rate(machines: Machines, at: int, placement: str, usage: Usage) -> Rate | None:
    """Return a machine's hourly price from the user's price book (by target and entry) or the spec."""
    own = usage.prices.get((_PROVIDER, placement, f"capacity[{at}]"))
    if own is not None:
        return Rate(own, machines.currency or "USD", placement, f"own price book, {usage.prices_source}", "", own=True)
    if machines.price_hourly is None:
        return None
    return Rate(machines.price_hourly, machines.currency, placement, f"capacity[{at}].price", "", own=True)


def cost_rows(plan: Plan, placement: str) -> Iterator[tuple[str, str]]:
    """Yield the README's row with the cost of the machines, if all machines have prices."""
    capacity = target_of(plan, placement).capacity
    priced = [machine for machine in capacity if machine.price_hourly is not None]
    if priced and len(priced) == len(capacity):
        high = money_text(total(lines(plan, placement, NO_USAGE)).ceiling, priced[0].currency)
        yield "machines cost at most", f"{high} a month, if everything runs at its largest all the time"


def _unpriced(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report that a target's cost is unknown because it declares no capacity or a machine has no price."""
    system = plan.system
    capacity, path = target_of(plan, placement).capacity, target_path(system, placement)
    if not capacity:
        yield budget_without_price(system.key(*path), placement, "the target does not declare `capacity`")
        return
    for at, count in machines_needed(plan, placement).items():
        if count and capacity[at].price_hourly is None:
            yield budget_without_price(system.at(*path, "capacity", at), placement, f"capacity[{at}] has no `price`")
