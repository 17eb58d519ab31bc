"""Azure's virtual machines: their size, what an AKS node leaves for Pods, and prices."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from modelyard.spec import Accelerator
from modelyard_targets.cloud.offerings import Machine, Offerings
from modelyard_targets.cloud.price_files import RegionalPrices
from modelyard_targets.machines.accelerators import canonical

_FOLDER: Final = os.path.dirname(__file__)

REFERENCE_REGION: Final = "westus2"
"""The region that sells every machine of the table; its prices stand in for those that are not known elsewhere."""

PODS_OF_A_NODE: Final = 64
"""The most Pods of a node, which the component sets: AKS reserves memory for each, and its default is 250."""

_GI: Final = 1024**3
_MI: Final = 1024**2

_HIDDEN_PER_MILLE: Final = 40
"""Share of the nominal memory that the operating system never sees, rounded up: nodes of 8 and 16 GiB show 3 % less."""

_CPU_STEPS: Final = ((1, 60), (2, 100), (4, 140), (8, 180), (16, 260), (32, 420), (64, 740))
"""vCPUs, and the millicores that AKS reserves of so many; in between, proportionally, and beyond, as in the last step
(learn.microsoft.com/azure/aks/node-resource-reservations, read 2026-11-27).
"""

_MEMORY_OF_A_POD_MI: Final = 20
_MEMORY_MI: Final = 50
_MOST_PER_CENT: Final = 25
_EVICTION_MI: Final = 100
"""Memory that AKS reserves from version 1.29 on: 20 MB for each Pod and 50, at most 25 % (same page)."""


@cache
def offerings() -> Offerings:
    """Return the machines in the table, read once."""
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
    return Offerings("Azure", REFERENCE_REGION, machines, prices, absent, unsupported)


def regions() -> tuple[str, ...]:
    """Return the regions of Azure that have a price for any machine of the table."""
    return tuple(offerings().absent)


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
        family=str(entry["family"]),
        generation=int(name.rpartition("_v")[2]),
    )


def allocatable(vcpus: int, memory_gib: float) -> tuple[int, int]:
    """Return the millicores and MiB that an AKS node leaves for Pods, including its DaemonSets."""
    seen = memory_gib * 1024 * (1000 - _HIDDEN_PER_MILLE) / 1000
    reserved = min(_MEMORY_OF_A_POD_MI * PODS_OF_A_NODE + _MEMORY_MI, seen * _MOST_PER_CENT / 100)
    return vcpus * 1000 - _reserved_cpu(vcpus), int(seen - reserved - _EVICTION_MI)


def _reserved_cpu(vcpus: int) -> int:
    at = next((at for at, (cores, _) in enumerate(_CPU_STEPS[1:], 1) if vcpus <= cores), len(_CPU_STEPS) - 1)
    (low, least), (high, most) = _CPU_STEPS[at - 1], _CPU_STEPS[at]
    return least + (most - least) * (vcpus - low) // (high - low)
