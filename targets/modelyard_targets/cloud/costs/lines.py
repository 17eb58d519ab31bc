"""Helpers for a placement's cost lines that do not depend on usage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from modelyard.costs import HOURS_OF_A_MONTH, Category, CostLine, Quantity, fixed
from modelyard.plan import Cluster, Plan
from modelyard.records import record
from modelyard.spec import Store, System
from modelyard_targets.cloud.costs.nodes import PLATFORM
from modelyard_targets.cloud.costs.prices import Sheet

HOURS: Final = "hours"


@record(eq=False)
class Bill:
    """Builds the cost lines of a placement. `address` is the address of its cluster or the placement itself."""

    sheet: Sheet
    address: str

    def hourly(
        self,
        count: float,
        what: str,
        item: str,
        category: Category,
        component: str = PLATFORM,
        note: str = "",
        address: str = "",
    ) -> Iterator[CostLine]:
        """Yield a cost line for an item that is billed by the hour, unless the count is zero."""
        yield from self.monthly(fixed(count * HOURS_OF_A_MONTH), what, item, HOURS, category, component, note, address)

    def monthly(
        self,
        quantity: Quantity,
        what: str,
        item: str,
        unit: str,
        category: Category,
        component: str = PLATFORM,
        note: str = "",
        address: str = "",
    ) -> Iterator[CostLine]:
        """Yield a cost line with the given quantity per month, unless the quantity is zero."""
        if quantity.ceiling > 0:
            where, rate = address or self.address, self.sheet.service(item)
            yield CostLine(component, where, what, unit, quantity, rate, category, item, assumption=note)


def address_of(plan: Plan, placement: str) -> str:
    """Return the address of cost lines for a whole placement, which is that of its cluster, if any."""
    return next((cluster.place for cluster in plan.of(Cluster, placement)), f"{placement}:")


def copies_of(store: Store, system: System) -> int:
    """Return the number of servers in a managed database, which is one plus a standby if replicated."""
    replicas = store.replicas if store.replicas is not None else (2 if system.profile.size == "enterprise" else 1)
    return 2 if replicas > 1 else 1


def sum_of(lines: Iterable[CostLine], what: str) -> Quantity:
    """Return the total quantity of the compute cost lines with the given unit."""
    chosen = [line.quantity for line in lines if line.category == "compute" and line.unit == what]
    return Quantity(
        sum(quantity.floor for quantity in chosen),
        sum(quantity.expected for quantity in chosen),
        sum(quantity.ceiling for quantity in chosen),
    )
