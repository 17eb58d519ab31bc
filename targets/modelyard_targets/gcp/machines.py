"""Compute Engine machines, including sizes, prices, boot disks, and the capacity a GKE node offers to Pods."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Final

from modelyard.records import replace
from modelyard_targets.cloud.machine_files import MACHINES, offerings_in, table
from modelyard_targets.cloud.offerings import Offerings

_FOLDER: Final = os.path.dirname(__file__)

REFERENCE_REGION: Final = "us-central1"
"""The region that offers every machine in the table. Its prices replace missing prices in other regions."""

PERSISTENT_DISK: Final = "pd-balanced"
HYPERDISK: Final = "hyperdisk-balanced"

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
    """Return the Compute Engine machines in the table, which is read only once."""
    return offerings_in(_FOLDER, "Google Cloud", REFERENCE_REGION, allocatable, _series)


@cache
def system_offerings() -> Offerings:
    """Return the system pool's candidate machines, which must support Persistent Disks as Pod volumes."""
    everything = offerings()
    machines = tuple(machine for machine in everything.machines if disk_type(machine.name) == PERSISTENT_DISK)
    return replace(everything, machines=machines)


def regions() -> tuple[str, ...]:
    """Return the Google Cloud regions that offer any machine in the table."""
    return tuple(offerings().absent)


def disk_type(machine: str) -> str:
    """Return the type of a machine's boot disk."""
    return str(table(_FOLDER, MACHINES)["machines"][machine].get("disk", PERSISTENT_DISK))


def accelerator_type(machine: str) -> str:
    """Return Google Cloud's name for a machine's accelerators, such as `nvidia-l4` for `g2-standard-4`, or ""."""
    types: dict[str, str] = table(_FOLDER, MACHINES)["acceleratorTypes"]
    return types.get(machine.rpartition("-")[0], "")


def _series(name: str, entry: Mapping[str, object]) -> tuple[str, int]:
    """Return the family and generation of a machine, such as `n2` and 2 for `n2-standard-4`."""
    return name.partition("-")[0], int(name[1])


def allocatable(vcpus: int, memory_gib: float) -> tuple[int, int]:
    """Return the millicores and MiB that a GKE node offers to Pods, including DaemonSets."""
    visible_mib = memory_gib * 1024 * (1000 - _HIDDEN_PER_MILLE) / 1000
    return vcpus * 1000 - _reserved_cpu(vcpus), int(visible_mib - _reserved_memory(memory_gib) - _EVICTION_MI)


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
