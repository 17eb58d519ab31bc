"""Helpers that build compute classes, machine types and offerings for machine selection tests."""

from __future__ import annotations

from modelyard.spec import Accelerator, ComputeClass
from modelyard_targets.cloud.offerings import Machine, Offerings, Price

GI = 1024**3


def compute_class(
    cpu: float = 1, memory: float = 4, *accelerators: str, capacity: str = "on-demand", by_memory: float = 0
) -> ComputeClass:
    """Return a compute class with the given CPUs and GiB of memory. Accelerators are written as `L4` or `L4:4`."""
    return ComputeClass(
        name="train",
        path=("compute", "train"),
        cpu_millis=int(cpu * 1000),
        memory_bytes=int(memory * GI),
        accelerators=tuple(accelerator(label) for label in accelerators),
        accelerator_memory_bytes=int(by_memory * GI) or None,
        capacity=capacity,
    )


def accelerator(text: str) -> Accelerator:
    """Parse an accelerator such as `L4:4`. `L4` means one L4."""
    name, _, count = text.partition(":")
    return Accelerator(name, int(count or 1))


def machine(name: str, cpus: int, memory: int, offered: str = "") -> Machine:
    """Return a machine type whose CPUs and memory are all available to Pods."""
    return Machine(
        name,
        cpus,
        memory,
        cpus * 1000,
        memory * GI,
        accelerator(offered) if offered else None,
        24 * GI,
        family=name.partition(".")[0],
        generation=int(next(filter(str.isdigit, name), "0")),
    )


def market(*machines: Machine, **prices: dict[str, float]) -> Offerings:
    """Return offerings with the given prices. `us`, `us_spot`, `eu` and `eu_spot` map machine names to prices."""
    regions = {"us": "us-east-1", "eu": "eu-central-1"}
    listed: dict[tuple[str, str, bool], Price] = {}
    for where, of in prices.items():
        region, spot = regions[where[:2]], where.endswith("spot")
        for name, hourly in of.items():
            listed[name, region, spot] = Price(hourly, region, spot, "a test", "2026-01-01")
    return Offerings("EC2", "us-east-1", machines, listed, {})
