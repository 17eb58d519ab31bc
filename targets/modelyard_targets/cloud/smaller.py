"""Find a much cheaper machine that is just too small for a compute class's Pods.

For example, a class with 4 CPUs and 16Gi doesn't fit on a machine of that size, because the node reserves some CPU and
memory. The class then gets the next larger machine and leaves half of it idle.
"""

from __future__ import annotations

from typing import Final

from modelyard.plan import Smaller
from modelyard.spec import ComputeClass
from modelyard_targets.cloud.matching import alternative, usable
from modelyard_targets.cloud.offerings import Machine, Offerings, Price

_NEAR: Final = 0.8
"""The smallest share of the compute class's CPUs and memory that a suggestion may keep."""

_CHEAPER: Final = 0.8
"""The largest share of the current price that the smaller machine may cost."""

_CPU_STEP: Final = 250
_MEMORY_STEP: Final = 1024**3 // 2
"""Suggestions are rounded to multiples of a quarter of a CPU and half a Gi."""


def smaller(
    offerings: Offerings, compute: ComputeClass, region: str, spot: bool, position: int, taken: Price | None
) -> Smaller | None:
    """Return the cheapest machine that a Pod narrowly misses for the same accelerator alternative, or None.

    `position` is the index of the chosen alternative, and `taken` the price of its machine. Only prices of the same
    kind in the same region are compared.
    """
    close: list[tuple[float, int, str, Machine]] = []
    for machine in usable(offerings, region):
        price, match = offerings.price(machine.name, region, spot), alternative(compute, machine)
        if price is None or taken is None or match is None or match[0] != position:
            continue
        same = (price.region, price.spot) == (taken.region, taken.spot)
        if same and price.hourly <= _CHEAPER * taken.hourly and _nearly_fits(compute, machine):
            close.append((price.hourly, -machine.generation, machine.name, machine))
    if not close:
        return None
    hourly, _, name, machine = min(close, key=lambda entry: entry[:3])
    return Smaller(name, hourly, *_fitting(compute, machine))


def _nearly_fits(compute: ComputeClass, machine: Machine) -> bool:
    cpu, memory = _fitting(compute, machine)
    return cpu >= _NEAR * compute.cpu_millis and memory >= _NEAR * compute.memory_bytes


def _fitting(compute: ComputeClass, machine: Machine) -> tuple[int, int]:
    """Return a compute class's requests, capped at a machine's capacity (rounded down)."""
    cpu, memory = compute.cpu_millis, compute.memory_bytes
    return (
        cpu if cpu <= machine.cpu_millis else machine.cpu_millis // _CPU_STEP * _CPU_STEP,
        memory if memory <= machine.memory_bytes else machine.memory_bytes // _MEMORY_STEP * _MEMORY_STEP,
    )
