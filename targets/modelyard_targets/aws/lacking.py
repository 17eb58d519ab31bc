"""Why there is no machine for a compute class, in words, with the nearest that there is."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.diagnostics import nearest
from modelyard.manifest import cpu_words, gibibytes
from modelyard.spec import ComputeClass
from modelyard_targets.aws.machines import Machine, Table
from modelyard_targets.aws.matching import SERVED, alternative, resource_of, usable
from modelyard_targets.cluster.accelerators import canonical, known


def unknown(machines: Table, compute: ComputeClass, region: str) -> str:
    """Why none of the accelerators can be had in a region, or that one has no name that anybody knows; or nothing."""
    there = usable(machines, region)
    offered = {one.accelerator.name: one.accelerator_memory_bytes or 0 for one in there if one.accelerator}
    for wanted in compute.accelerators:
        if known(wanted.name) is None:
            guess = nearest(wanted.name, offered, "; did you mean {}?")
            return f"'{wanted.name}' is not a known accelerator on Kubernetes{guess}"
    names = {canonical(name) for name in offered}
    if not compute.accelerators or any(canonical(one.name) in names for one in compute.accelerators):
        return ""
    first = known(compute.accelerators[0].name)
    memory = first.memory_bytes if first is not None else 0
    why = _why(machines, compute, region)
    if not offered:
        return f"{why}, nor any other supported accelerator"
    close = min(offered, key=lambda name: abs(offered[name] - memory))
    return f"{why}; the closest accelerator is {close} with {gibibytes(offered[close])}"


def _why(machines: Table, compute: ComputeClass, region: str) -> str:
    """Whether EC2 has none of them, or none in this region, or has machines that nothing here knows how to use."""
    there = {canonical(one.accelerator.name) for one in machines.machines if one.accelerator}
    names = " or ".join(one.name for one in compute.accelerators)
    for wanted in compute.accelerators:
        if canonical(wanted.name) in there:
            if resource_of(wanted.name) == SERVED:
                return f"EC2 offers no {names} in {region}"
            return f"{wanted.name} needs the resource {resource_of(wanted.name)}, which no add-on provides yet"
    return f"no EC2 machine has {names}"


def nothing_fits(machines: Table, compute: ComputeClass, region: str) -> str:
    """The machine of the region that comes nearest and what it lacks."""
    wants = bool(compute.accelerators) or compute.accelerator_memory_bytes is not None
    sort = [machine for machine in usable(machines, region) if (machine.accelerator is not None) is wants]
    if not sort:
        return f"EC2 offers no supported accelerator in {region}"
    close = min(sort, key=lambda machine: _distance(compute, machine))
    return f"the closest is {close.name} with {' and '.join(_lacks(compute, close))}"


def _lacks(compute: ComputeClass, machine: Machine) -> Iterator[str]:
    """What a machine has too little of for one Pod, after what the node itself takes."""
    if compute.cpu_millis > machine.cpu_millis:
        yield f"{cpu_words(machine.cpu_millis)} of the {cpu_words(compute.cpu_millis)} CPUs"
    if compute.memory_bytes > machine.memory_bytes:
        yield f"{gibibytes(machine.memory_bytes)} of the {gibibytes(compute.memory_bytes)} of memory"
    if alternative(compute, machine) is None:
        offer = machine.accelerator
        has = f"{offer.name}:{offer.count}{_of(machine)}" if offer is not None else "no accelerator"
        yield f"{has} instead of {_wish(compute)}"


def _of(machine: Machine) -> str:
    memory = machine.accelerator_memory_bytes
    return f" of {gibibytes(memory)}" if memory is not None else ""


def _wish(compute: ComputeClass) -> str:
    if compute.accelerator_memory_bytes is not None:
        return f"an accelerator with {gibibytes(compute.accelerator_memory_bytes)}"
    return " or ".join(f"{one.name}:{one.count}" for one in compute.accelerators) or "none"


def _distance(compute: ComputeClass, machine: Machine) -> tuple[bool, int, int, int]:
    """How far a machine is from holding a Pod: whether its accelerator is another one, how many things it lacks, how
    much of them; then the one with more accelerators, or the more memory in each, is nearer.
    """
    cpu = max(0, compute.cpu_millis - machine.cpu_millis) * 1000 // max(1, compute.cpu_millis)
    memory = max(0, compute.memory_bytes - machine.memory_bytes) * 1000 // max(1, compute.memory_bytes)
    names = {canonical(one.name) for one in compute.accelerators}
    other = bool(names) and (machine.accelerator is None or canonical(machine.accelerator.name) not in names)
    by_memory = compute.accelerator_memory_bytes is not None
    most = (machine.accelerator_memory_bytes or 0) if by_memory else _count(machine)
    return other, len(tuple(_lacks(compute, machine))), cpu + memory, -most


def _count(machine: Machine) -> int:
    return machine.accelerator.count if machine.accelerator is not None else 0
