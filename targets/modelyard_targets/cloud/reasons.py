"""Explain why no machine fits a compute class, and name the closest alternative."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from modelyard.manifest import gibibytes
from modelyard.plan import NoMachine
from modelyard.spec import ComputeClass
from modelyard_targets.cloud.matching import SERVED, alternative, usable
from modelyard_targets.cloud.offerings import Machine, Offerings
from modelyard_targets.machines.accelerators import canonical, known, resource_of
from modelyard_targets.machines.fitting import lacks, shortfall, unknown_accelerator, wants_accelerator


def unknown(offerings: Offerings, compute: ComputeClass, region: str) -> NoMachine | None:
    """Explain why a requested accelerator is unknown or unavailable in a region, or return None if it isn't."""
    there = usable(offerings, region)
    offered = {option.accelerator.name: option.accelerator_memory_bytes or 0 for option in there if option.accelerator}
    for position, accelerator in enumerate(compute.accelerators):
        if known(accelerator.name) is None:
            return unknown_accelerator(compute, position, offered, offerings.seller)
    names = {canonical(name) for name in offered}
    if not compute.accelerators or any(canonical(option.name) in names for option in compute.accelerators):
        return None
    first = known(compute.accelerators[0].name)
    memory = first.memory_bytes if first is not None else 0
    why = _why(offerings, compute, region)
    if not offered:
        return NoMachine(f"{why}, nor any other supported accelerator")
    close = min(offered, key=lambda name: abs(offered[name] - memory))
    return NoMachine(f"{why}; the closest accelerator is {close} with {gibibytes(offered[close])}")


def _why(offerings: Offerings, compute: ComputeClass, region: str) -> str:
    """Explain whether the accelerators are missing from the cloud or the region, or not supported by modelyard."""
    there = {canonical(option.accelerator.name) for option in offerings.machines if option.accelerator}
    names = " or ".join(option.name for option in compute.accelerators)
    for accelerator in compute.accelerators:
        if canonical(accelerator.name) in there:
            if resource_of(accelerator.name) == SERVED:
                return f"{offerings.seller} offers no {names} in {region}"
            return (
                f"{accelerator.name} needs the resource {resource_of(accelerator.name)}, which no add-on provides yet"
            )
    return ", and ".join(_left_out(offerings, [option.name for option in compute.accelerators]))


def _left_out(offerings: Offerings, names: Iterable[str]) -> Iterator[str]:
    """Explain why no machine in the table has the given accelerators, although the cloud may offer them."""
    by_reason: dict[str, list[str]] = {}
    for name in names:
        by_reason.setdefault(offerings.unsupported.get(canonical(name), ""), []).append(name)
    absent = by_reason.pop("", [])
    for how, sold in by_reason.items():
        yield f"{how.format(' and '.join(sold))}, which modelyard does not support yet"
    if absent:
        yield f"no {offerings.seller} machine has {' or '.join(absent)}"


def nothing_fits(offerings: Offerings, compute: ComputeClass, region: str) -> NoMachine:
    """Describe the region's closest machine and what it lacks."""
    wants = wants_accelerator(compute)
    sort = [machine for machine in usable(offerings, region) if (machine.accelerator is not None) is wants]
    if not sort:
        return NoMachine(f"{offerings.seller} offers no supported accelerator in {region}")
    close = min(sort, key=lambda machine: _distance(compute, machine))
    return NoMachine(f"the closest is {close.name}, which has {' and '.join(_lacks(compute, close))}")


def _lacks(compute: ComputeClass, machine: Machine) -> tuple[str, ...]:
    """Describe what a machine lacks to fit one Pod."""
    return tuple(lacks(compute, machine, _instead(compute, machine), gibibytes))


def _instead(compute: ComputeClass, machine: Machine) -> str:
    """Describe a machine's accelerators if they don't satisfy any requested alternative, or else return ""."""
    if alternative(compute, machine) is not None:
        return ""
    offer = machine.accelerator
    return f"{offer.name}:{offer.count}{_of(machine)}" if offer is not None else "no accelerator"


def _of(machine: Machine) -> str:
    memory = machine.accelerator_memory_bytes
    each = " each" if _count(machine) > 1 else ""
    return f" ({gibibytes(memory)}{each})" if memory is not None else ""


def _distance(compute: ComputeClass, machine: Machine) -> tuple[bool, int, int, int]:
    """Rank how far a machine is from fitting a Pod, by accelerator mismatch and number and size of shortages.

    Among equally ranked machines, those with more accelerators, or more memory per accelerator, are closer.
    """
    names = {canonical(accelerator.name) for accelerator in compute.accelerators}
    other = bool(names) and (machine.accelerator is None or canonical(machine.accelerator.name) not in names)
    by_memory = compute.accelerator_memory_bytes is not None
    most = (machine.accelerator_memory_bytes or 0) if by_memory else _count(machine)
    return other, len(_lacks(compute, machine)), shortfall(compute, machine), -most


def _count(machine: Machine) -> int:
    return machine.accelerator.count if machine.accelerator is not None else 0
