"""Why there is no machine for a compute class, in words, with the nearest that there is."""

from __future__ import annotations

from modelyard.manifest import gibibytes
from modelyard.spec import ComputeClass
from modelyard_targets.cloud.matching import SERVED, alternative, usable
from modelyard_targets.cloud.offerings import Machine, Offerings
from modelyard_targets.machines.accelerators import canonical, known, resource_of
from modelyard_targets.machines.fitting import lacks, no_resource, shortfall, wants_accelerator


def unknown(offerings: Offerings, compute: ComputeClass, region: str) -> str:
    """Why none of the accelerators can be had in a region, or that one has no name that anybody knows; or nothing."""
    there = usable(offerings, region)
    offered = {one.accelerator.name: one.accelerator_memory_bytes or 0 for one in there if one.accelerator}
    for wanted in compute.accelerators:
        if known(wanted.name) is None:
            return no_resource(wanted.name, offered)
    names = {canonical(name) for name in offered}
    if not compute.accelerators or any(canonical(one.name) in names for one in compute.accelerators):
        return ""
    first = known(compute.accelerators[0].name)
    memory = first.memory_bytes if first is not None else 0
    why = _why(offerings, compute, region)
    if not offered:
        return f"{why}, nor any other accelerator that is served here"
    close = min(offered, key=lambda name: abs(offered[name] - memory))
    return f"{why}; the nearest accelerator is {close} with {gibibytes(offered[close])}"


def _why(offerings: Offerings, compute: ComputeClass, region: str) -> str:
    """Whether the cloud has none of them, or none in this region, or only such as no add-on can use."""
    there = {canonical(one.accelerator.name) for one in offerings.machines if one.accelerator}
    names = " or ".join(one.name for one in compute.accelerators)
    for wanted in compute.accelerators:
        if canonical(wanted.name) in there:
            if resource_of(wanted.name) == SERVED:
                return f"{offerings.seller} sells no {names} in {region}"
            return f"{wanted.name} is asked for by {resource_of(wanted.name)}, which no add-on offers yet"
    return f"no machine of {offerings.seller} has {names}"


def nothing_fits(offerings: Offerings, compute: ComputeClass, region: str) -> str:
    """The machine of the region that comes nearest and what it lacks."""
    wants = wants_accelerator(compute)
    sort = [machine for machine in usable(offerings, region) if (machine.accelerator is not None) is wants]
    if not sort:
        return f"{offerings.seller} sells no accelerator in {region} that is served here"
    close = min(sort, key=lambda machine: _distance(compute, machine))
    return f"the nearest is {close.name} with {' and '.join(_lacks(compute, close))}"


def _lacks(compute: ComputeClass, machine: Machine) -> tuple[str, ...]:
    """What a machine has too little of for one Pod, after what the node itself takes."""
    return tuple(lacks(compute, machine, _instead(compute, machine), gibibytes))


def _instead(compute: ComputeClass, machine: Machine) -> str:
    """What a machine has where its accelerators are not those that the class wants; else empty."""
    if alternative(compute, machine) is not None:
        return ""
    offer = machine.accelerator
    return f"{offer.name}:{offer.count}{_of(machine)}" if offer is not None else "no accelerator"


def _of(machine: Machine) -> str:
    memory = machine.accelerator_memory_bytes
    return f" of {gibibytes(memory)}" if memory is not None else ""


def _distance(compute: ComputeClass, machine: Machine) -> tuple[bool, int, int, int]:
    """How far a machine is from holding a Pod: whether its accelerator is another one, how many things it lacks, how
    much of them; then the one with more accelerators, or the more memory in each, is nearer.
    """
    names = {canonical(one.name) for one in compute.accelerators}
    other = bool(names) and (machine.accelerator is None or canonical(machine.accelerator.name) not in names)
    by_memory = compute.accelerator_memory_bytes is not None
    most = (machine.accelerator_memory_bytes or 0) if by_memory else _count(machine)
    return other, len(_lacks(compute, machine)), shortfall(compute, machine), -most


def _count(machine: Machine) -> int:
    return machine.accelerator.count if machine.accelerator is not None else 0
