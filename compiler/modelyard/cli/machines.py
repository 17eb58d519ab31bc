"""Describe machines in `explain` output: the chosen machine and its price, runners-up, and fallbacks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from modelyard.manifest import cpu_words, gibibytes
from modelyard.plan import Hardware, NodeGroup, Plan, Resource, Smaller, SystemPool, hardware_of
from modelyard.source import Path


def machines_of(plan: Plan, resources: Iterable[Resource], path: Path) -> Iterator[str]:
    """Describe the machines for the given resources or for the compute class at `path`."""
    mine = {resource.place for resource in resources}
    machines: dict[tuple[str, Hardware], list[str]] = {}
    for resource in plan.resources:
        for label, hardware in hardware_of(resource):
            compute_path = plan.system.compute[hardware.compute].path
            if resource.place in mine or (path[0] == "compute" and compute_path[: len(path)] == path):
                machines.setdefault((resource.placement, hardware), []).append(label)
    for pool in plan.of(SystemPool):
        if pool.place in mine:
            yield f"\nmachine of {pool.address}, for Pods that no compute class sizes, on {pool.placement}:"
            yield from _lines(pool.value.hardware)
    for (placement, hardware), labels in machines.items():
        yield f"\nmachine of {'; '.join(labels)} (compute class {hardware.compute}, on {placement}):"
        yield from _lines(hardware)


def _lines(hardware: Hardware) -> Iterator[str]:
    for at, candidate in enumerate(hardware.considered):
        place, price = "chosen" if at == 0 else "next", _price(candidate.price_hourly)
        yield f"  {place}: {candidate.machine}, {price}; {candidate.why}"
    if hardware.smaller is not None:
        yield f"  just missed: {_smaller(hardware.smaller)}"
    for other in hardware.passed_over:
        yield f"  passed over: {other.accelerator.name}:{other.accelerator.count}; {other.why}"
    if not hardware.considered:
        yield f"  {hardware.machine or 'any machine'}: the target declares no capacity to choose from"
    if hardware.fallback is not None:
        yield f"  when that is reclaimed or full: {hardware.fallback.machine}"
    if hardware.elastic:
        yield "  elastic: created on demand, as any machine that is big enough, the cheapest at that time"
    if hardware.groups:
        yield "  tried in this order:"
        yield from (f"    {at}. {_group(group)}" for at, group in enumerate(hardware.groups, 1))


def _smaller(smaller: Smaller) -> str:
    asks = f"{cpu_words(smaller.cpu_millis)} CPUs and {gibibytes(smaller.memory_bytes)}"
    return f"{smaller.machine}, {_price(smaller.price_hourly)}; a Pod of {asks} fits on it"


def _group(group: NodeGroup) -> str:
    has = f" with {group.accelerator.name}:{group.accelerator.count}" if group.accelerator is not None else ""
    kind = "spot" if group.spot else "on demand"
    note = f", {group.price_note}" if group.price_note else ""
    return f"{kind}: {' or '.join(group.machines)}{has}, {_price(group.price_hourly)}{note}"


def _price(hourly: float | None) -> str:
    return "price unknown" if hourly is None else f"{hourly:g} an hour"
