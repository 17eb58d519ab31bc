"""The monthly cost of a system, line by line: a quantity, a price, and the source of each.

Targets yield lines, and the printing code adds them up. Every line has three quantities. The floor is paid even if
nothing is used. The expected quantity comes from a usage file, or from assumptions stated in the line. The ceiling
follows from the spec's own limits: maximum replicas, timeouts, retries and cooldowns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal, TypeAlias

from modelyard.records import record, replace

HOURS_OF_A_MONTH: Final = 730

Category: TypeAlias = Literal["compute", "storage", "database", "network", "other"]
CATEGORIES: Final[tuple[Category, ...]] = ("compute", "storage", "database", "network", "other")
"""The categories of cost lines, to which discounts apply. FOCUS calls them service categories."""


@record
class Rate:
    """A price per unit, and the region it applies to.

    `estimate` explains how the price was derived if none is known for the region; otherwise it is empty. `own` marks a
    price that the user actually pays, which discounts don't apply to.
    """

    amount: float
    currency: str
    region: str
    source: str
    date: str
    estimate: str = ""
    own: bool = False


@record
class Quantity:
    """A line's monthly quantity in its unit: the minimum without any use, the expected, and the maximum."""

    floor: float
    expected: float
    ceiling: float

    def times(self, factor: float) -> Quantity:
        """Return the quantity multiplied by a factor."""
        return Quantity(self.floor * factor, self.expected * factor, self.ceiling * factor)


def fixed(amount: float) -> Quantity:
    """Return a quantity that does not depend on usage."""
    return Quantity(amount, amount, amount)


@record
class CostLine:
    """An item that costs money on a target.

    `component` is an address in the spec, such as `inference.scorer`, `pipelines.retrain` or `stores.registry-db`, or
    `platform`. Together with `address` and `what`, it identifies the line when two plans are compared. A line without a
    price is unpriced and makes totals lower bounds. If the most expensive alternative costs more, `ceiling_price`
    differs from `price` and `ceiling_assumes` names the alternative. An `open_ended` line depends on traffic or stored
    data, which no field of the spec limits.
    """

    component: str
    address: str  # of the resource in the plan
    what: str
    unit: str
    quantity: Quantity
    price: Rate | None
    category: Category
    item: str = ""  # the item's name in a price book
    ceiling_price: Rate | None = None
    ceiling_assumes: str = ""  # such as `m7i.large, on demand`
    assumption: str = ""
    open_ended: bool = False

    @property
    def floor(self) -> float:
        """Return the cost if nothing is used."""
        return self.quantity.floor * self._amount

    @property
    def expected(self) -> float:
        """Return the expected cost."""
        return self.quantity.expected * self._amount

    @property
    def ceiling(self) -> float:
        """Return the highest cost."""
        dearest = self.ceiling_price if self.ceiling_price is not None else self.price
        return self.quantity.ceiling * (dearest.amount if dearest is not None else 0.0)

    @property
    def assumptions(self) -> str:
        """Return what the expected quantity and the ceiling's price assume."""
        return "; ".join(filter(None, (self.assumption, _ceiling_note(self.ceiling_assumes))))

    @property
    def _amount(self) -> float:
        return self.price.amount if self.price is not None else 0.0

    @property
    def is_unpriced(self) -> bool:
        """Return whether the line has a quantity but no price, and so is missing from totals."""
        return self.price is None and self.quantity.ceiling > 0

    @property
    def is_estimated(self) -> bool:
        """Return whether a price was derived from another region's price."""
        return any(rate is not None and rate.estimate != "" for rate in (self.price, self.ceiling_price))


def _ceiling_note(alternative: str) -> str:
    return f"the ceiling assumes {alternative}" if alternative else ""


def costliest_alternative(lines: Iterable[CostLine]) -> str:
    """Name the alternative assumed in the highest ceiling, or return "" if no line assumes one."""
    assuming = [line for line in lines if line.ceiling_assumes]
    if not assuming:
        return ""
    line = max(assuming, key=lambda line: line.ceiling)
    return f"for {line.component}, {_ceiling_note(line.ceiling_assumes)}"


@record
class Total:
    """The total costs of several lines, which are lower bounds if any line is unpriced.

    `estimated` counts lines with estimated prices, and `open_ended` those that the ceiling doesn't bound.
    """

    floor: float = 0.0
    expected: float = 0.0
    ceiling: float = 0.0
    lines: int = 0
    estimated: int = 0
    unpriced: int = 0
    open_ended: int = 0

    def text(self, amount: str) -> str:
        """Format an amount, marked as a lower bound if some lines are unpriced: `at least 566 USD`."""
        return f"at least {amount}" if self.unpriced else amount


def total(lines: Iterable[CostLine]) -> Total:
    """Add up lines."""
    listed = tuple(lines)
    return Total(
        sum(line.floor for line in listed),
        sum(line.expected for line in listed),
        sum(line.ceiling for line in listed),
        len(listed),
        sum(line.is_estimated for line in listed),
        sum(line.is_unpriced for line in listed),
        sum(line.open_ended for line in listed),
    )


def by_component(lines: Iterable[CostLine]) -> Mapping[str, tuple[CostLine, ...]]:
    """Group lines by component, with the platform's lines last."""
    groups: dict[str, list[CostLine]] = {}
    for line in lines:
        groups.setdefault(line.component, []).append(line)
    ordered = sorted(groups, key=lambda name: (name == "platform", name))
    return {name: tuple(groups[name]) for name in ordered}


def discounted(lines: Iterable[CostLine], shares: Mapping[str, float]) -> Iterable[CostLine]:
    """Apply discounts to list prices by category. `all` covers categories without a discount of their own."""
    for line in lines:
        share = shares.get(line.category, shares.get("all", 0.0))
        has_list_price = line.price is not None and not line.price.own
        yield _discounted(line, share) if share and has_list_price else line


def _discounted(line: CostLine, share: float) -> CostLine:
    note = f"with a discount of {share * 100:g}%"
    return replace(
        line,
        price=_reduced(line.price, share),
        ceiling_price=_reduced(line.ceiling_price, share),
        assumption=f"{line.assumption}; {note}" if line.assumption else note,
    )


def _reduced(rate: Rate | None, share: float) -> Rate | None:
    return rate if rate is None or rate.own else replace(rate, amount=rate.amount * (1 - share))
