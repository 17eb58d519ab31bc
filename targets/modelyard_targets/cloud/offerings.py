"""The machines that a cloud offers, with their capacity for Pods, regions and prices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from modelyard.indexes import index
from modelyard.records import field, record, replace
from modelyard.spec import Accelerator

_GI: Final = 1024**3


@record
class Machine:
    """A machine type. `cpu_millis` and `memory_bytes` are what Pods can use, i.e. less than the nominal size."""

    name: str
    vcpus: int
    memory_gib: float
    cpu_millis: int
    memory_bytes: int
    accelerator: Accelerator | None = None  # with the total count
    accelerator_memory_bytes: int | None = None  # memory of each accelerator; None if the cloud does not publish it
    arch: str = "amd64"
    burstable: bool = False  # full speed only for a limited time
    local_gb: int = 0  # total size of local NVMe disks
    family: str = ""
    generation: int = 0  # higher is newer within a family

    @property
    def local_gib(self) -> int:
        """Return the total size of local disks in GiB, the unit of Pod requests."""
        return self.local_gb * 1000**3 // _GI


@record
class Price:
    """An hourly price in US dollars, with its region, capacity type, source and date.

    `estimate` explains how a price was derived from another region's price, and is empty otherwise.
    """

    hourly: float
    region: str
    spot: bool
    source: str
    date: str
    estimate: str = ""


@record(eq=False)
class Offerings:
    """A cloud's known machines, with prices by machine, region and capacity type (spot or on-demand).

    `seller` is the cloud's name in messages. Missing prices are taken from `reference_region`. `absent` lists the
    machines and families that aren't available in a region. Regions that aren't listed are assumed to have all
    machines. For accelerators that aren't in `machines`, `unsupported` maps their canonical names to descriptions of
    how the cloud sells them, using `{}` for the name.
    """

    seller: str
    reference_region: str
    machines: tuple[Machine, ...]
    prices: Mapping[tuple[str, str, bool], Price]
    absent: Mapping[str, frozenset[str]]
    unsupported: Mapping[str, str] = field(default_factory=dict[str, str])

    def sold_in(self, region: str) -> Iterator[Machine]:
        """Yield the machines sold in a region, i.e. all except those known to be unavailable there."""
        absent = self.absent.get(region, frozenset())
        return (machine for machine in self.machines if absent.isdisjoint((machine.name, machine.family)))

    def machine(self, name: str) -> Machine:
        """Return the machine with the given name, which must be in the table."""
        return _by_name(self.machines)[name]

    def price(self, machine: str, region: str, spot: bool) -> Price | None:
        """Return the spot price if requested and known, or else the on-demand price, which is an upper bound.

        If the region has no price, the reference region's price is scaled by the price ratio of the two regions.
        Returns None if neither region has a price.
        """
        for place in (region, self.reference_region):
            for kind in (True, False) if spot else (False,):
                price = self.prices.get((machine, place, kind))
                if price is not None:
                    return price if place == region else self._scaled(price, region)
        return None

    def ratio(self, known: str, region: str) -> float | None:
        """Return the ratio of a region's machine prices to those of another region where prices are known.

        This is the median over all machines with an on-demand price in both regions, or None if there are none.
        """
        return 1.0 if known == region else _ratio(self, known, region)

    def _scaled(self, price: Price, region: str) -> Price:
        ratio = self.ratio(price.region, region)
        if ratio is None:
            return replace(price, estimate=f"price of {price.region}")
        note = f"price of {price.region} × {ratio:.3g}, the median ratio of machine prices"
        return replace(price, hourly=price.hourly * ratio, estimate=note)


@index
def _by_name(machines: tuple[Machine, ...]) -> Mapping[str, Machine]:
    return {machine.name: machine for machine in machines}


@lru_cache(maxsize=64)
def _ratio(offerings: Offerings, known: str, region: str) -> float | None:
    prices = offerings.prices
    pairs = (
        (prices.get((machine.name, region, False)), prices.get((machine.name, known, False)))
        for machine in offerings.machines
    )
    ratios = sorted(here.hourly / there.hourly for here, there in pairs if here is not None and there is not None)
    middle = len(ratios) // 2
    if not ratios:
        return None
    return ratios[middle] if len(ratios) % 2 else (ratios[middle - 1] + ratios[middle]) / 2
