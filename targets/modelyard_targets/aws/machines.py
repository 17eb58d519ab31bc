"""EC2 instance types, including their sizes, prices, and the capacity an EKS node offers to Pods."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from math import ceil
from typing import Any, Final

from modelyard.spec import Accelerator
from modelyard_targets.cloud.offerings import Machine, Offerings
from modelyard_targets.cloud.price_files import RegionalPrices

_FOLDER: Final = os.path.dirname(__file__)

REFERENCE_REGION: Final = "us-east-1"
"""The region with the most known prices, which stand in where another region's price is missing."""

_GI: Final = 1024**3
_MI: Final = 1024**2

_HIDDEN_PER_MILLE: Final = 75
"""Share of EC2's nominal memory that the operating system never sees: the default of Karpenter's setting
`vm-memory-overhead-percent`, 0.075 (github.com/aws/karpenter-provider-aws, read 2026-11-24).
"""

_EVICTION_MI: Final = 100
"""The kubelet evicts Pods below this `memory.available` (github.com/awslabs/amazon-eks-ami, nodeadm, 2026-11-24)."""

_CPU_STEPS: Final = ((1000, 600), (1000, 100), (2000, 50))
"""CPU ranges in millicores, each with the share in ten-thousandths that the EKS bootstrap reserves."""

_CPU_REST: Final = 25


@cache
def offerings() -> Offerings:
    """Return the EC2 instance types in the table, which is read only once."""
    known, nodes = _read("machines.json"), _read("daemons.json")
    plain, accelerated = _reserved(nodes["daemons"]), _reserved(nodes["acceleratorDaemons"])
    reserved = {False: plain, True: (plain[0] + accelerated[0], plain[1] + accelerated[1])}
    machines = tuple(
        _machine(name, entry, known["accelerators"], reserved["accelerator" in entry])
        for name, entry in known["machines"].items()
    )
    absent = {region: frozenset(names) for region, names in known["absent"].items()}
    return Offerings("EC2", REFERENCE_REGION, machines, RegionalPrices(os.path.join(_FOLDER, "prices")), absent)


def _read(file: str) -> Any:
    with open(os.path.join(_FOLDER, file), encoding="utf-8") as text:
        return json.load(text)


def _reserved(daemons: Mapping[str, Mapping[str, int]]) -> tuple[int, int]:
    """Return the millicores and MiB that DaemonSets request on each node."""
    return sum(daemon["cpuMillis"] for daemon in daemons.values()), sum(
        daemon["memoryMi"] for daemon in daemons.values()
    )


def _machine(
    name: str, entry: Mapping[str, object], memories: Mapping[str, float | None], reserved: tuple[int, int]
) -> Machine:
    kind, _, count = str(entry.get("accelerator", "")).partition(":")
    memory = memories.get(kind)
    vcpus, memory_gib, pods = int(str(entry["vcpus"])), float(str(entry["memoryGi"])), int(str(entry["pods"]))
    cpu_millis, memory_mib = allocatable(vcpus, memory_gib, pods)
    return Machine(
        name=name,
        vcpus=vcpus,
        memory_gib=memory_gib,
        cpu_millis=cpu_millis - reserved[0],
        memory_bytes=(memory_mib - reserved[1]) * _MI,
        accelerator=Accelerator(kind, int(count)) if kind else None,
        accelerator_memory_bytes=None if memory is None else ceil(memory * _GI),
        arch=str(entry.get("arch", "amd64")),
        burstable=bool(entry.get("burstable", False)),
        local_gb=int(str(entry.get("localGb", 0))),
        family=name.partition(".")[0],
        generation=_generation(name),
    )


def _generation(name: str) -> int:
    """Return an instance type's generation, such as 5 for `m5.xlarge`."""
    digits = (letter for letter in name.partition(".")[0][1:] if letter.isdigit())
    return int(next(digits, 0))


def allocatable(vcpus: int, memory_gib: float, pods: int) -> tuple[int, int]:
    """Return the millicores and MiB that an EKS node offers to Pods, including DaemonSets.

    `pods` is the number of addresses on the machine's network interfaces. The calculation matches nodeadm on Amazon
    Linux 2023: github.com/awslabs/amazon-eks-ami, nodeadm/internal/kubelet/config.go, read 2026-11-24.
    """
    left, reserved = vcpus * 1000, 0
    for step, share in _CPU_STEPS:
        reserved += min(left, step) * share // 10_000
        left = max(0, left - step)
    reserved += left * _CPU_REST // 10_000
    visible_mib = int(memory_gib * 1024 * (1000 - _HIDDEN_PER_MILLE) / 1000)
    return vcpus * 1000 - reserved, visible_mib - (11 * pods + 255) - _EVICTION_MI
