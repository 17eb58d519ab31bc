"""Which machines a compute class may get at all, by what they are and by their accelerators."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.spec import Accelerator, ComputeClass
from modelyard_targets.cloud.offerings import Machine, Offerings
from modelyard_targets.machines.accelerators import canonical, resource_of
from modelyard_targets.machines.fitting import first_alternative, has_room, wants_accelerator

SERVED: Final = "nvidia.com/gpu"
"""The one resource that the cluster's add-ons offer and the runtime image is built for. Trainium and Inferentia would
need the device plugin of Neuron, and frameworks of its own in the image.
"""


def usable(offerings: Offerings, region: str) -> Iterator[Machine]:
    """Machines of a region that the images run on, at full speed for as long as it takes. The images are of amd64."""
    for machine in offerings.sold_in(region):
        offered = machine.accelerator
        served = offered is None or resource_of(offered.name) == SERVED
        if served and machine.arch == "amd64" and not machine.burstable:
            yield machine


BY_MEMORY: Final = "*"


def alternative(compute: ComputeClass, machine: Machine) -> tuple[int, Accelerator | None, str] | None:
    """Which of the wanted accelerators a machine has enough of: by position, as what it is asked for, and among what
    its price is compared. None where it has none of them, or has one that nobody asked for.
    """
    offered = machine.accelerator
    if not wants_accelerator(compute):
        return (0, None, "") if offered is None else None
    if offered is None:
        return None
    memory, name = machine.accelerator_memory_bytes or 0, canonical(offered.name)
    match = first_alternative(compute, offered, memory, lambda wanted: canonical(wanted) == name)
    if match is None:
        return None
    return *match, BY_MEMORY if compute.accelerator_memory_bytes is not None else name


def holding(offerings: Offerings, compute: ComputeClass, region: str) -> list[Machine]:
    """The machines of a region that hold one Pod of a class."""
    return [
        machine
        for machine in usable(offerings, region)
        if alternative(compute, machine) is not None and has_room(compute, machine)
    ]


def kind_of(compute: ComputeClass, machine: Machine) -> str:
    """Among what a machine's price is compared, whatever a Pod asks for of CPUs, memory and number."""
    if compute.accelerator_memory_bytes is not None and machine.accelerator is not None:
        return BY_MEMORY if machine.accelerator_memory_bytes is not None else "-"
    return canonical(machine.accelerator.name) if machine.accelerator is not None else ""
