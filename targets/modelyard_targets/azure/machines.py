"""Azure virtual machines, including their sizes, prices, and the capacity an AKS node offers to Pods."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Final

from modelyard_targets.cloud.machine_files import offerings_in
from modelyard_targets.cloud.offerings import Offerings

_FOLDER: Final = os.path.dirname(__file__)

REFERENCE_REGION: Final = "westus2"
"""The region that sells every machine in the table. Its prices stand in where another region's price is unknown."""

PODS_OF_A_NODE: Final = 64
"""The maximum number of Pods on a node, set by the component. AKS reserves memory for each of these Pods, and its own
default is 250 Pods.
"""

_HIDDEN_PER_MILLE: Final = 40
"""Share of nominal memory that the operating system never sees, rounded up: nodes with 8 and 16 GiB show 3 % less."""

_CPU_STEPS: Final = ((1, 60), (2, 100), (4, 140), (8, 180), (16, 260), (32, 420), (64, 740))
"""Numbers of vCPUs, each with the millicores that AKS reserves. Values in between are interpolated, and beyond the last
step its slope continues (learn.microsoft.com/azure/aks/node-resource-reservations, read 2026-11-27).
"""

_MEMORY_OF_A_POD_MI: Final = 20
_MEMORY_MI: Final = 50
_MOST_PER_CENT: Final = 25
_EVICTION_MI: Final = 100
"""Memory that AKS reserves since version 1.29: 20 MB for each Pod plus 50 MB, at most 25 % (same page)."""


@cache
def offerings() -> Offerings:
    """Return the machines in the table, which is read only once."""
    return offerings_in(_FOLDER, "Azure", REFERENCE_REGION, allocatable, _series)


def regions() -> tuple[str, ...]:
    """Return the Azure regions with a price for at least one machine in the table."""
    return tuple(offerings().absent)


def _series(name: str, entry: Mapping[str, object]) -> tuple[str, int]:
    return str(entry["family"]), int(name.rpartition("_v")[2])


def allocatable(vcpus: int, memory_gib: float) -> tuple[int, int]:
    """Return the millicores and MiB that an AKS node offers to Pods, including DaemonSets."""
    visible_mib = memory_gib * 1024 * (1000 - _HIDDEN_PER_MILLE) / 1000
    reserved = min(_MEMORY_OF_A_POD_MI * PODS_OF_A_NODE + _MEMORY_MI, visible_mib * _MOST_PER_CENT / 100)
    return vcpus * 1000 - _reserved_cpu(vcpus), int(visible_mib - reserved - _EVICTION_MI)


def _reserved_cpu(vcpus: int) -> int:
    at = next((at for at, (cores, _) in enumerate(_CPU_STEPS[1:], 1) if vcpus <= cores), len(_CPU_STEPS) - 1)
    (low, least), (high, most) = _CPU_STEPS[at - 1], _CPU_STEPS[at]
    return least + (most - least) * (vcpus - low) // (high - low)
