"""Explain a machine choice, showing each candidate's size, price, price source and free capacity."""

from __future__ import annotations

from typing import Final, TypeAlias

from modelyard.manifest import gibibytes
from modelyard.plan import Candidate
from modelyard.spec import Accelerator, ComputeClass
from modelyard_targets.cloud.offerings import Machine, Price
from modelyard_targets.machines.fitting import SHOWN, leaves

Considered: TypeAlias = tuple[Machine, Accelerator | None, Price | None]
"""A machine, the requested accelerators, and its price."""

ON_DEMAND_INSTEAD: Final = "on demand, because no spot price is known"
"""What is said of an on-demand price that stands in for a spot price."""


def considered(compute: ComputeClass, region: str, spot: bool, fits: list[Considered]) -> tuple[Candidate, ...]:
    """Describe the chosen machine and up to two runners-up."""
    return tuple(_candidate(compute, region, spot, *fit) for fit in fits[:SHOWN])


def price_note(price: Price, spot: bool) -> str:
    """Explain a price that is for another capacity type or derived from another region's price, or return ""."""
    return "; ".join(filter(None, (ON_DEMAND_INSTEAD if spot and not price.spot else "", price.estimate)))


def _candidate(
    compute: ComputeClass,
    region: str,
    spot: bool,
    machine: Machine,
    accelerator: Accelerator | None,
    price: Price | None,
) -> Candidate:
    left = leaves(compute, machine, gibibytes)
    why = f"{_what(machine, accelerator)}; {_priced(price, region, spot)}; {left}"
    return Candidate(machine.name, price.hourly if price is not None else None, why)


def _what(machine: Machine, accelerator: Accelerator | None) -> str:
    if machine.accelerator is None or accelerator is None:
        return "no accelerator"
    offered = f"{machine.accelerator.name}:{machine.accelerator.count}"
    memory = machine.accelerator_memory_bytes
    return f"{offered} of {gibibytes(memory)}" if memory is not None else offered


def _priced(price: Price | None, region: str, spot: bool) -> str:
    """Describe where a price comes from, and whether it's for another capacity type or region."""
    if price is None:
        return "price unknown"
    kind = "spot" if price.spot else ON_DEMAND_INSTEAD if spot else "on demand"
    if price.region == region:
        return f"USD, {kind}, in {region} ({price.source}, {price.date})"
    return f"USD, {kind}, estimated for {region}: {price.estimate} ({price.source}, {price.date})"
