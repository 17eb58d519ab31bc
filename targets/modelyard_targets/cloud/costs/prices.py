"""Machine and service prices in a region, from tables, a user's price book, or scaled from another region."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from modelyard.costs import Rate
from modelyard.records import record
from modelyard.usage import Usage
from modelyard_targets.cloud.explain_choice import price_note
from modelyard_targets.cloud.offerings import Offerings

CURRENCY: Final = "USD"
EVERYWHERE: Final = "*"
SPOT: Final = " spot"
"""Suffix of a machine's name in a price book: `m6i.xlarge spot`."""


@record(eq=False)
class Sheet:
    """The prices for one placement.

    `services` is the provider's price table for everything except machines. The price book in `usage` overrides it.
    """

    provider: str
    region: str
    offerings: Offerings
    services: Mapping[str, Any]
    usage: Usage

    def service(self, item: str) -> Rate | None:
        """Return the price of an item in the table, such as `nat-gateway-hours`, or None if it's unknown."""
        own = self._own(item)
        if own is not None:
            return own
        for entry in self.services.get(item, ()):
            if self.region in entry["usd"]:
                return self._rate(entry, self.region)
        for entry in self.services.get(item, ()):
            if EVERYWHERE in entry["usd"]:
                return self._rate(entry, EVERYWHERE)
        return next((self._scaled(entry) for entry in self.services.get(item, ())), None)

    def machine(self, name: str, spot: bool) -> Rate | None:
        """Return a machine's price per hour: the spot price if requested and known, otherwise the on-demand price.

        An on-demand price that stands in for an unknown spot price is marked as an estimate.
        """
        own = self._own(f"{name}{SPOT}") if spot else None
        own = own or self._own(name)
        if own is not None:
            return own
        price = self.offerings.price(name, self.region, spot)
        if price is None:
            return None
        return Rate(price.hourly, CURRENCY, price.region, price.source, price.date, price_note(price, spot))

    def _own(self, item: str) -> Rate | None:
        for region in (self.region, EVERYWHERE):
            amount = self.usage.prices.get((self.provider, region, item))
            if amount is not None:
                return Rate(amount, CURRENCY, self.region, f"own price book, {self.usage.prices_source}", "", own=True)
        return None

    def _rate(self, entry: Mapping[str, Any], region: str) -> Rate:
        where = self.region if region == EVERYWHERE else region
        return Rate(
            float(entry["usd"][region]), CURRENCY, where, entry["source"], entry["date"], entry.get("estimate", "")
        )

    def _scaled(self, entry: Mapping[str, Any]) -> Rate:
        """Return the entry's price in its first region, scaled by the ratio of machine prices in the two regions."""
        known, amount = next(iter(entry["usd"].items()))
        ratio = self.offerings.ratio(known, self.region)
        note = scaled_from(known, ratio)
        earlier = entry.get("estimate", "")
        return Rate(
            float(amount) * (ratio or 1.0),
            CURRENCY,
            known,
            entry["source"],
            entry["date"],
            f"{earlier}; {note}" if earlier else note,
        )


def scaled_from(region: str, ratio: float | None) -> str:
    """Explain a price that is derived from another region's price."""
    if ratio is None:
        return f"price of {region}"
    return f"price of {region} × {ratio:.3g}, the median ratio of machine prices"


def items_of(offerings: Offerings, services: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the items a price book may list: on-demand machines, machines with `spot`, and services."""
    names = tuple(machine.name for machine in offerings.machines)
    return (*names, *(f"{name}{SPOT}" for name in names), *services)


@cache
def services_in(folder: str) -> Mapping[str, Any]:
    """Return a provider's price table for services, which is read only once."""
    with open(f"{folder}/services.json", encoding="utf-8") as text:
        table: dict[str, Any] = json.load(text)
    return table
