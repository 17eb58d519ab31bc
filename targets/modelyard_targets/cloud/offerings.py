"""Machines that a cloud offers: what they leave to Pods, where they are sold, and what they cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from modelyard.indexes import index
from modelyard.records import record
from modelyard.spec import Accelerator

_GI: Final = 1024**3


@record
class Machine:
    """A machine type. `cpu_millis` and `memory_bytes` are what a node leaves to Pods, less than it is sold with."""

    name: str
    vcpus: int
    memory_gib: float
    cpu_millis: int
    memory_bytes: int
    accelerator: Accelerator | None = None  # all that it has
    accelerator_memory_bytes: int | None = None  # of one; None where the cloud does not say
    arch: str = "amd64"
    burstable: bool = False  # full speed only for a while
    local_gb: int = 0  # NVMe disks of its own, all of them together
    family: str = ""
    generation: int = 0  # the higher, the newer within a family

    @property
    def local_gib(self) -> int:
        """Its local disks in GiB, in which Pods ask."""
        return self.local_gb * 1000**3 // _GI


@record
class Price:
    """US dollars an hour, where and of what, who says so and of which day."""

    hourly: float
    region: str
    spot: bool
    source: str
    date: str


@record(eq=False)
class Offerings:
    """What is known of a cloud's machines, and prices by machine, region and whether it is of spot.

    `seller` is the cloud's name for it in messages. `reference_region` is the region whose prices stand in for those
    that are not known. `absent` names by region the machines and families that are not sold there; of a region that it
    does not name nobody knows, and all are taken to be.
    """

    seller: str
    reference_region: str
    machines: tuple[Machine, ...]
    prices: Mapping[tuple[str, str, bool], Price]
    absent: Mapping[str, frozenset[str]]

    def sold_in(self, region: str) -> Iterator[Machine]:
        """The machines that can be had there, as far as is known."""
        absent = self.absent.get(region, frozenset())
        return (one for one in self.machines if absent.isdisjoint((one.name, one.family)))

    def machine(self, name: str) -> Machine:
        """The machine of this name, which is one of them."""
        return _by_name(self.machines)[name]

    def price(self, machine: str, region: str, spot: bool) -> Price | None:
        """The price to count with: of spot where it is asked for and known, else on demand, which is the most that
        spot costs; of the reference region where nothing is known of this one. None where nobody knows any.
        """
        for place in (region, self.reference_region):
            for kind in (True, False) if spot else (False,):
                found = self.prices.get((machine, place, kind))
                if found is not None:
                    return found
        return None


@index
def _by_name(machines: tuple[Machine, ...]) -> Mapping[str, Machine]:
    return {machine.name: machine for machine in machines}
