"""Whether a machine holds one Pod of a compute class, and in words what it lacks or leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, Protocol, TypeAlias

from modelyard.diagnostics import nearest
from modelyard.manifest import cpu_words
from modelyard.spec import Accelerator, ComputeClass

SHOWN: Final = 3
"""Machines that `explain` shows for a class: the choice and the next best."""

MemoryText: TypeAlias = Callable[[int], str]
"""How a target writes sizes of memory: to the byte where users declared them, rounded where a cloud did."""


class Sized(Protocol):
    """A machine by what Pods may use of it."""

    @property
    def cpu_millis(self) -> int:
        """Thousandths of a CPU."""
        ...

    @property
    def memory_bytes(self) -> int:
        """Memory."""
        ...


def wants_accelerator(compute: ComputeClass) -> bool:
    """Whether a class asks for accelerators, by name or by their memory."""
    return bool(compute.accelerators) or compute.accelerator_memory_bytes is not None


def has_room(compute: ComputeClass, machine: Sized) -> bool:
    """Whether a machine has the CPUs and the memory of one Pod."""
    return compute.cpu_millis <= machine.cpu_millis and compute.memory_bytes <= machine.memory_bytes


def first_alternative(
    compute: ComputeClass, offered: Accelerator, memory_bytes: int, goes_by: Callable[[str], bool]
) -> tuple[int, Accelerator] | None:
    """The first wanted alternative that a machine's accelerators satisfy: its position, and what a Pod asks for.

    `offered` is all that the machine has, `memory_bytes` is of one of them, and `goes_by` compares with their name.
    """
    if compute.accelerator_memory_bytes is not None:
        return (0, Accelerator(offered.name, 1)) if memory_bytes >= compute.accelerator_memory_bytes else None
    for position, wanted in enumerate(compute.accelerators):
        if wanted.count <= offered.count and goes_by(wanted.name):
            return position, wanted
    return None


def no_resource(accelerator: str, names: Iterable[str], also: str = "") -> str:
    """Why a class cannot be placed that names an accelerator which no device plugin offers."""
    guess = nearest(accelerator, names, "; did you mean {}?")
    return f"no resource of Kubernetes is known for an accelerator called '{accelerator}'{also}{guess}"


def lacks(compute: ComputeClass, machine: Sized, instead: str, text: MemoryText) -> Iterator[str]:
    """What a machine has too little of for one Pod: `64Gi of the 96Gi of memory`.

    `instead` is what it has where its accelerators are not those that the class wants, and else empty.
    """
    if compute.cpu_millis > machine.cpu_millis:
        yield f"{cpu_words(machine.cpu_millis)} of the {cpu_words(compute.cpu_millis)} CPUs"
    if compute.memory_bytes > machine.memory_bytes:
        yield f"{text(machine.memory_bytes)} of the {text(compute.memory_bytes)} of memory"
    if instead:
        yield f"{instead} instead of {_wanted(compute, text)}"


def shortfall(compute: ComputeClass, machine: Sized) -> int:
    """How much of its CPUs and memory a Pod would miss on a machine, in thousandths of what it asks for."""
    cpu = max(0, compute.cpu_millis - machine.cpu_millis) * 1000 // max(1, compute.cpu_millis)
    memory = max(0, compute.memory_bytes - machine.memory_bytes) * 1000 // max(1, compute.memory_bytes)
    return cpu + memory


def leaves(compute: ComputeClass, machine: Sized, text: MemoryText) -> str:
    """What is left of a machine beside one Pod."""
    cpu = cpu_words(machine.cpu_millis - compute.cpu_millis)
    return f"leaves {cpu} CPUs and {text(machine.memory_bytes - compute.memory_bytes)}"


def _wanted(compute: ComputeClass, text: MemoryText) -> str:
    if compute.accelerator_memory_bytes is not None:
        return f"an accelerator with {text(compute.accelerator_memory_bytes)}"
    return " or ".join(f"{one.name}:{one.count}" for one in compute.accelerators) or "none"
