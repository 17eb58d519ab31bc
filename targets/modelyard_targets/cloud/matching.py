"""Find the machines that a compute class may use, by architecture and accelerators."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.spec import Accelerator, ComputeClass
from modelyard_targets.cloud.offerings import Machine, Offerings
from modelyard_targets.machines.accelerators import canonical, resource_of
from modelyard_targets.machines.fitting import first_alternative, has_room, wants_accelerator

SERVED: Final = "nvidia.com/gpu"
"""The only accelerator resource that the add-ons and the runtime image support. Trainium and Inferentia would need the
Neuron device plugin, and other frameworks in the image.
"""


def usable(offerings: Offerings, region: str) -> Iterator[Machine]:
    """Yield a region's amd64 machines that can sustain full speed and don't have an unsupported accelerator."""
    for machine in offerings.sold_in(region):
        offered = machine.accelerator
        served = offered is None or resource_of(offered.name) == SERVED
        if served and machine.arch == "amd64" and not machine.burstable:
            yield machine


BY_MEMORY: Final = "*"


def alternative(compute: ComputeClass, machine: Machine) -> tuple[int, Accelerator | None, str] | None:
    """Return the requested alternative that a machine satisfies, or None if there is none.

    The result contains the alternative's position, the Pod's request, and the kind of machine whose prices it is
    compared with. A machine with an accelerator that wasn't requested doesn't satisfy any alternative.
    """
    offered = machine.accelerator
    if not wants_accelerator(compute):
        return (0, None, "") if offered is None else None
    if offered is None:
        return None
    memory, name = machine.accelerator_memory_bytes or 0, canonical(offered.name)
    match = first_alternative(compute, offered, memory, lambda requested: canonical(requested) == name)
    if match is None:
        return None
    return *match, BY_MEMORY if compute.accelerator_memory_bytes is not None else name


def holding(offerings: Offerings, compute: ComputeClass, region: str) -> list[Machine]:
    """Return the region's machines that fit one Pod of the given compute class."""
    return [
        machine
        for machine in usable(offerings, region)
        if alternative(compute, machine) is not None and has_room(compute, machine)
    ]


def kind_of(compute: ComputeClass, machine: Machine) -> str:
    """Return the group of machines that a machine's price is compared with.

    It doesn't depend on the requested CPUs, memory or number of accelerators.
    """
    if compute.accelerator_memory_bytes is not None and machine.accelerator is not None:
        return BY_MEMORY if machine.accelerator_memory_bytes is not None else "-"
    return canonical(machine.accelerator.name) if machine.accelerator is not None else ""
