"""Compute Engine machines: sizes, prices, boot disks, and the capacity that a GKE node has for Pods."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from modelyard.records import replace
from modelyard.spec import Accelerator
from modelyard_targets.cloud.offerings import Machine, Offerings
from modelyard_targets.cloud.price_files import RegionalPrices
from modelyard_targets.machines.accelerators import canonical

_FOLDER: Final = os.path.dirname(__file__)

REFERENCE_REGION: Final = "us-central1"
"""The region that offers every machine in the table. Its prices replace missing prices in other regions."""

PERSISTENT_DISK: Final = "pd-balanced"
HYPERDISK: Final = "hyperdisk-balanced"

_GI: Final = 1024**3
_MI: Final = 1024**2

_HIDDEN_PER_MILLE: Final = 30
"""Share of the nominal memory that the operating system never sees. With this share, a 16 GiB machine has 12.8 GiB for
Pods, as in GKE's own example (docs.cloud.google.com/kubernetes-engine, "Plan node sizes", read 2026-11-27).
"""

_MEMORY_STEPS: Final = ((4, 25), (4, 20), (8, 10), (112, 6))
"""Memory ranges in GiB, each with the percentage that GKE reserves (same page)."""

_MEMORY_REST: Final = 2
_EVICTION_MI: Final = 100

_CPU_STEPS: Final = ((1000, 600), (1000, 100), (2000, 50))
"""CPU ranges in millicores, each with the share in ten-thousandths that GKE reserves (same page)."""

_CPU_REST: Final = 25


@cache
def offerings() -> Offerings:
    """Return the Compute Engine machines from the table, which is read once."""
    known, nodes = _read("machines.json"), _read("daemons.json")
    plain, beside = _requests(nodes["daemons"]), _requests(nodes["acceleratorDaemons"])
    kept = {False: plain, True: (plain[0] + beside[0], plain[1] + beside[1])}
    machines = tuple(
        _machine(name, entry, known["accelerators"], kept["accelerator" in entry])
        for name, entry in known["machines"].items()
    )
    absent = {region: frozenset(names) for region, names in known["absent"].items()}
    unsupported = {canonical(name): how for name, how in known["unsupported"].items()}
    prices = RegionalPrices(os.path.join(_FOLDER, "prices"))
    return Offerings("Google Cloud", REFERENCE_REGION, machines, prices, absent, unsupported)


@cache
def system_offerings() -> Offerings:
    """Return the machines for the system pool: those that support Persistent Disks, which its Pods use as volumes."""
    everything = offerings()
    machines = tuple(machine for machine in everything.machines if disk_type(machine.name) == PERSISTENT_DISK)
    return replace(everything, machines=machines)


def regions() -> tuple[str, ...]:
    """Return the Google Cloud regions that offer any machine in the table."""
    return tuple(offerings().absent)


def disk_type(machine: str) -> str:
    """Return the type of a machine's boot disk."""
    return str(_read("machines.json")["machines"][machine].get("disk", PERSISTENT_DISK))


def accelerator_type(machine: str) -> str:
    """Return Google Cloud's name for a machine's accelerators, such as `nvidia-l4` for `g2-standard-4`, or ""."""
    types: dict[str, str] = _read("machines.json")["acceleratorTypes"]
    return types.get(machine.rpartition("-")[0], "")


@cache
def _read(file: str) -> Any:
    with open(os.path.join(_FOLDER, file), encoding="utf-8") as text:
        return json.load(text)


def _requests(daemons: Mapping[str, Mapping[str, int]]) -> tuple[int, int]:
    """Return the millicores and MiB that DaemonSets request on each node."""
    return sum(pod["cpuMillis"] for pod in daemons.values()), sum(pod["memoryMi"] for pod in daemons.values())


def _machine(name: str, entry: Mapping[str, object], memories: Mapping[str, float], kept: tuple[int, int]) -> Machine:
    kind, _, count = str(entry.get("accelerator", "")).partition(":")
    vcpus, memory_gib = int(str(entry["vcpus"])), float(str(entry["memoryGi"]))
    cpu_millis, memory_mib = allocatable(vcpus, memory_gib)
    return Machine(
        name=name,
        vcpus=vcpus,
        memory_gib=memory_gib,
        cpu_millis=cpu_millis - kept[0],
        memory_bytes=(memory_mib - kept[1]) * _MI,
        accelerator=Accelerator(kind, int(count)) if kind else None,
        accelerator_memory_bytes=int(memories[kind] * _GI) if kind else None,
        family=name.partition("-")[0],
        generation=_generation(name),
    )


def _generation(name: str) -> int:
    """Return a machine's generation, such as 2 for `n2-standard-4`."""
    return int(name[1])


def allocatable(vcpus: int, memory_gib: float) -> tuple[int, int]:
    """Return the millicores and MiB that a GKE node has for Pods, including those of DaemonSets."""
    seen = memory_gib * 1024 * (1000 - _HIDDEN_PER_MILLE) / 1000
    return vcpus * 1000 - _reserved_cpu(vcpus), int(seen - _reserved_memory(memory_gib) - _EVICTION_MI)


def _reserved_cpu(vcpus: int) -> int:
    left, reserved = vcpus * 1000, 0
    for step, share in _CPU_STEPS:
        reserved += min(left, step) * share // 10_000
        left = max(0, left - step)
    return reserved + left * _CPU_REST // 10_000


def _reserved_memory(memory_gib: float) -> float:
    """Return the MiB that GKE reserves."""
    left, reserved = memory_gib, 0.0
    for step, percent in _MEMORY_STEPS:
        reserved += min(left, step) * percent / 100
        left = max(0.0, left - step)
    return (reserved + left * _MEMORY_REST / 100) * 1024
