"""Check whether a machine fits one Pod of a compute class, and describe missing or spare capacity."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, Protocol, TypeAlias

from modelyard.diagnostics import nearest
from modelyard.manifest import cpu_words
from modelyard.plan import NoMachine
from modelyard.spec import Accelerator, ComputeClass

SHOWN: Final = 3
"""How many machines `explain` shows for a compute class, including the chosen one."""

MemoryText: TypeAlias = Callable[[int], str]
"""Formats a memory size, exactly for declared machines and rounded for a cloud's machines."""


class Capacity(Protocol):
    """A machine's capacity for Pods."""

    @property
    def cpu_millis(self) -> int:
        """Return the CPU capacity in millicores."""
        ...

    @property
    def memory_bytes(self) -> int:
        """Return the memory capacity in bytes."""
        ...


def wants_accelerator(compute: ComputeClass) -> bool:
    """Return whether a compute class requests accelerators, by name or by memory."""
    return bool(compute.accelerators) or compute.accelerator_memory_bytes is not None


def has_room(compute: ComputeClass, machine: Capacity) -> bool:
    """Return whether a machine has enough CPU and memory for one Pod."""
    return compute.cpu_millis <= machine.cpu_millis and compute.memory_bytes <= machine.memory_bytes


def first_alternative(
    compute: ComputeClass, offered: Accelerator, memory_bytes: int, goes_by: Callable[[str], bool]
) -> tuple[int, Accelerator] | None:
    """Return the position and request of the first alternative a machine satisfies, or None.

    `offered` holds the number of accelerators in the machine, `memory_bytes` is the memory of each, and `goes_by`
    returns whether the machine's accelerator has a given name.
    """
    if compute.accelerator_memory_bytes is not None:
        return (0, Accelerator(offered.name, 1)) if memory_bytes >= compute.accelerator_memory_bytes else None
    for position, accelerator in enumerate(compute.accelerators):
        if accelerator.count <= offered.count and goes_by(accelerator.name):
            return position, accelerator
    return None


def unknown_accelerator(
    compute: ComputeClass, position: int, names: Iterable[str], where: str, also: str = ""
) -> NoMachine:
    """Explain that a class names an unknown accelerator, suggesting the closest match in `names`.

    `where` is the name of the cloud, or "Kubernetes".
    """
    name = compute.accelerators[position].name
    reason = f"'{name}' is not a known accelerator on {where}{also}"
    return NoMachine(reason, position, nearest(name, names, "did you mean {}?"))


def lacks(compute: ComputeClass, machine: Capacity, instead: str, text: MemoryText) -> Iterator[str]:
    """Yield what a machine is missing for one Pod, e.g. `64Gi of the requested 96Gi of memory`.

    `instead` describes the machine's accelerators if they don't satisfy the compute class, and is empty otherwise.
    """
    if compute.cpu_millis > machine.cpu_millis:
        yield f"{cpu_words(machine.cpu_millis)} of the {cpu_words(compute.cpu_millis)} requested CPUs"
    if compute.memory_bytes > machine.memory_bytes:
        yield f"{text(machine.memory_bytes)} of the requested {text(compute.memory_bytes)} of memory"
    if instead:
        yield f"{instead} instead of {_requested_accelerators(compute, text)}"


def shortfall(compute: ComputeClass, machine: Capacity) -> int:
    """Return how much CPU and memory a machine is short of for one Pod, in thousandths of the requests."""
    cpu = max(0, compute.cpu_millis - machine.cpu_millis) * 1000 // max(1, compute.cpu_millis)
    memory = max(0, compute.memory_bytes - machine.memory_bytes) * 1000 // max(1, compute.memory_bytes)
    return cpu + memory


def leaves(compute: ComputeClass, machine: Capacity, text: MemoryText) -> str:
    """Describe what one Pod leaves free on a machine."""
    cpu = cpu_words(machine.cpu_millis - compute.cpu_millis)
    return f"leaves {cpu} CPUs and {text(machine.memory_bytes - compute.memory_bytes)}"


def _requested_accelerators(compute: ComputeClass, text: MemoryText) -> str:
    if compute.accelerator_memory_bytes is not None:
        return f"an accelerator with {text(compute.accelerator_memory_bytes)}"
    return " or ".join(f"{accelerator.name}:{accelerator.count}" for accelerator in compute.accelerators) or "none"
