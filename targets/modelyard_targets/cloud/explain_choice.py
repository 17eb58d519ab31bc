"""Explains a choice: what the machines that were considered have, cost and leave, and who says what they cost."""

from __future__ import annotations

from typing import TypeAlias

from modelyard.manifest import gibibytes
from modelyard.plan import Candidate
from modelyard.spec import Accelerator, ComputeClass
from modelyard_targets.cloud.offerings import Machine, Price
from modelyard_targets.machines.fitting import SHOWN, leaves

Considered: TypeAlias = tuple[Machine, Accelerator | None, Price | None]
"""A machine, what is asked of its accelerators, and its price."""


def considered(compute: ComputeClass, region: str, spot: bool, fits: list[Considered]) -> tuple[Candidate, ...]:
    """The choice and the two next best, of which there may be fewer."""
    return tuple(_candidate(compute, region, spot, *one) for one in fits[:SHOWN])


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
    """Which price it is, when that is not the one that was asked for, and who says so."""
    if price is None:
        return "no price is known"
    kind = "spot" if price.spot else "on demand"
    if spot and not price.spot:
        kind += ", as none of spot is known"
    where = f"in {price.region}" + ("" if price.region == region else f", as none is known of {region}")
    return f"USD, {kind}, {where} ({price.source}, {price.date})"
