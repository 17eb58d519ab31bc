"""Which machines a compute class may get at all, by what they are and by their accelerators."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.spec import Accelerator, ComputeClass
from modelyard_targets.aws.machines import Machine, Table
from modelyard_targets.kube.pods.accelerators import canonical, known

SERVED: Final = "nvidia.com/gpu"
"""The one resource that the cluster's add-ons offer and the runtime image is built for. Trainium and Inferentia would
need the device plugin of Neuron, and frameworks of its own in the image.
"""


def usable(machines: Table, region: str) -> Iterator[Machine]:
    """Machines of a region that the images run on, at full speed for as long as it takes. The images are of amd64."""
    for machine in machines.sold_in(region):
        offered = machine.accelerator
        served = offered is None or resource_of(offered.name) == SERVED
        if served and machine.arch == "amd64" and not machine.burstable:
            yield machine


def resource_of(accelerator: str) -> str:
    """What Pods ask for an accelerator by, empty where nobody knows it."""
    found = known(accelerator)
    return found.resource if found is not None else ""


BY_MEMORY: Final = "*"


def alternative(compute: ComputeClass, machine: Machine) -> tuple[int, Accelerator | None, str] | None:
    """Which of the wanted accelerators a machine has enough of: by position, as what it is asked for, and among what
    its price is compared. None where it has none of them, or has one that nobody asked for.
    """
    offered = machine.accelerator
    if compute.accelerator_memory_bytes is not None:
        enough = (machine.accelerator_memory_bytes or 0) >= compute.accelerator_memory_bytes
        return (0, Accelerator(offered.name, 1), BY_MEMORY) if offered is not None and enough else None
    if offered is None or not compute.accelerators:
        return (0, None, "") if offered is None and not compute.accelerators else None
    for at, wanted in enumerate(compute.accelerators):
        if canonical(wanted.name) == canonical(offered.name) and wanted.count <= offered.count:
            return at, wanted, canonical(wanted.name)
    return None


def kind_of(compute: ComputeClass, machine: Machine) -> str:
    """Among what a machine's price is compared, whatever a Pod asks for of CPUs, memory and number."""
    if compute.accelerator_memory_bytes is not None and machine.accelerator is not None:
        return BY_MEMORY if machine.accelerator_memory_bytes is not None else "-"
    return canonical(machine.accelerator.name) if machine.accelerator is not None else ""
