"""A provider's machines, read from tables in its folder and a price file for each region.

Includes the capacity that nodes offer to Pods.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, TypeAlias

from modelyard.spec import Accelerator
from modelyard_targets.cloud.offerings import Machine, Offerings
from modelyard_targets.cloud.price_files import RegionalPrices
from modelyard_targets.machines.accelerators import canonical

MACHINES: Final = "machines.json"

Allocatable: TypeAlias = Callable[[int, float], tuple[int, int]]
"""Returns the millicores and MiB that a node has for Pods, including its DaemonSets, given its vCPUs and GiB."""

Series: TypeAlias = Callable[[str, Mapping[str, object]], tuple[str, int]]
"""Returns the family and generation of a machine from its name and its entry in the table."""

_DAEMONS: Final = "daemons.json"
_PRICES: Final = "prices"
_GI: Final = 1024**3
_MI: Final = 1024**2


@cache
def table(folder: str, file: str) -> Any:
    """Return the contents of a provider's JSON file, which is read only once."""
    with open(os.path.join(folder, file), encoding="utf-8") as text:
        return json.load(text)


def offerings_in(folder: str, cloud: str, reference_region: str, allocatable: Allocatable, series: Series) -> Offerings:
    """Return the machines in a provider's folder. Missing prices are taken from `reference_region`."""
    known, nodes = table(folder, MACHINES), table(folder, _DAEMONS)
    plain, accelerated = _requests(nodes["daemons"]), _requests(nodes["acceleratorDaemons"])
    reserved = {False: plain, True: (plain[0] + accelerated[0], plain[1] + accelerated[1])}
    machines = tuple(
        _machine(name, entry, known["accelerators"], reserved["accelerator" in entry], allocatable, series)
        for name, entry in known["machines"].items()
    )
    absent = {region: frozenset(names) for region, names in known["absent"].items()}
    unsupported = {canonical(name): how for name, how in known["unsupported"].items()}
    prices = RegionalPrices(os.path.join(folder, _PRICES))
    return Offerings(cloud, reference_region, machines, prices, absent, unsupported)


def _requests(daemons: Mapping[str, Mapping[str, int]]) -> tuple[int, int]:
    """Return the millicores and MiB that DaemonSets request on each node."""
    return sum(pod["cpuMillis"] for pod in daemons.values()), sum(pod["memoryMi"] for pod in daemons.values())


def _machine(
    name: str,
    entry: Mapping[str, object],
    memories: Mapping[str, float],
    reserved: tuple[int, int],
    allocatable: Allocatable,
    series: Series,
) -> Machine:
    kind, _, count = str(entry.get("accelerator", "")).partition(":")
    vcpus, memory_gib = int(str(entry["vcpus"])), float(str(entry["memoryGi"]))
    cpu_millis, memory_mib = allocatable(vcpus, memory_gib)
    family, generation = series(name, entry)
    return Machine(
        name=name,
        vcpus=vcpus,
        memory_gib=memory_gib,
        cpu_millis=cpu_millis - reserved[0],
        memory_bytes=(memory_mib - reserved[1]) * _MI,
        accelerator=Accelerator(kind, int(count)) if kind else None,
        accelerator_memory_bytes=int(memories[kind] * _GI) if kind else None,
        family=family,
        generation=generation,
    )
