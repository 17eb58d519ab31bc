"""The README's cost rows: totals, the minimum cost by category, and how certain the prices are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from modelyard.costs import CATEGORIES, CostLine, Rate, total
from modelyard.units import money_text
from modelyard_targets.cloud.costs.departing import ITEMS
from modelyard_targets.cloud.costs.nodes import PLATFORM
from modelyard_targets.cloud.costs.prices import CURRENCY

_WORDS: Final = {
    "compute": "nodes and control plane",
    "storage": "disks, volumes and images",
    "database": "databases",
    "network": "gateways, endpoints and load balancers",
    "other": "keys, secrets, alarms and logs",
}


def cost_rows(lines: Iterable[CostLine]) -> Iterator[tuple[str, str]]:
    """Yield each row's label and text.

    The rows are the three totals, the minimum cost by category, unknown costs, and price sources.
    """
    listed = tuple(lines)
    costs = total(listed)
    yield "even if nothing is used", costs.text(f"{_money(costs.floor)} a month")
    for category in CATEGORIES:
        part = sum(line.floor for line in listed if line.category == category)
        if part:
            yield f"of this, {_WORDS[category]}", f"{_money(part)} a month"
    yield "expected, without a usage file", f"{_money(costs.expected)} a month"
    ceiling = f"{_money(costs.ceiling)} a month, with maximum replicas, timeouts, retries and cooldowns"
    yield "at most", ceiling
    for line in listed:
        if line.item in ITEMS.values() and line.component == PLATFORM:
            yield line.what, _price(line)
    for line in listed:
        if line.is_unpriced:
            yield "without a known price", line.what
    yield "without a bound", ", ".join(dict.fromkeys(line.what for line in listed if line.open_ended))
    for rate in _sources(listed):
        yield "prices", rate
    if costs.estimated:
        yield "estimated prices", f"{costs.estimated} of {costs.lines}; modelyard cost lists each with its origin"


def _price(line: CostLine) -> str:
    """Describe the price per gigabyte of traffic, which no other row shows while the amount is unknown."""
    if line.price is None:
        return "its price is not known"
    sign = "~" if line.is_estimated else ""
    return f"{sign}{line.price.amount:.3g} {CURRENCY} a GB; {line.assumption}"


def _money(amount: float) -> str:
    return money_text(round(amount, 2), CURRENCY)


def _sources(lines: Iterable[CostLine]) -> Iterator[str]:
    """Yield each source of machine prices once, with its date and region."""
    rates = (line.price for line in lines if line.category == "compute" and line.unit == "hours")
    yield from dict.fromkeys(_source(rate) for rate in rates if rate is not None)


def _source(rate: Rate) -> str:
    estimate = f" ({rate.estimate})" if rate.estimate else ""
    return f"of {rate.date}, {rate.region}: {rate.source}{estimate}" if rate.date else rate.source
