"""EC2 machines: their size, what an EKS node leaves for Pods, and their prices."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from math import ceil
from typing import Final

from modelyard.spec import Accelerator
from modelyard_targets.cloud.offerings import Machine, Offerings, Price

_TABLE: Final = os.path.join(os.path.dirname(__file__), "machines.json")

REFERENCE_REGION: Final = "us-east-1"
"""The only region with nearly all prices; they stand in for missing ones elsewhere."""

_GI: Final = 1024**3
_MI: Final = 1024**2

_HIDDEN_PER_MILLE: Final = 75
"""Share of EC2's nominal memory that the operating system never sees, as Karpenter estimates it (its setting
`vm-memory-overhead-percent`, 0.075 by default; github.com/aws/karpenter-provider-aws, read 2026-11-24).
"""

_EVICTION_MI: Final = 100
"""The kubelet evicts below this `memory.available` (github.com/awslabs/amazon-eks-ami, nodeadm, read 2026-11-24)."""

_CPU_STEPS: Final = ((1000, 600), (1000, 100), (2000, 50))
"""Steps of CPU in millicores, and the share in ten-thousandths that the EKS bootstrap reserves of each."""

_CPU_REST: Final = 25


@cache
def offerings() -> Offerings:
    """Return the EC2 machines in the table, read once."""
    with open(_TABLE, encoding="utf-8") as file:
        known = json.load(file)
    plain, beside = _kept(known["daemons"]), _kept(known["acceleratorDaemons"])
    kept = {False: plain, True: (plain[0] + beside[0], plain[1] + beside[1])}
    machines = tuple(
        _machine(name, entry, known["accelerators"], kept["accelerator" in entry])
        for name, entry in known["machines"].items()
    )
    prices: dict[tuple[str, str, bool], Price] = {}
    for listed in known["prices"]:
        region, spot = str(listed["region"]), listed["capacity"] == "spot"
        for name, hourly in listed["usd"].items():
            prices[name, region, spot] = Price(float(hourly), region, spot, listed["source"], listed["date"])
    absent = {region: frozenset(names) for region, names in known["absent"]["regions"].items()}
    return Offerings("EC2", REFERENCE_REGION, machines, prices, absent)


def _kept(daemons: Mapping[str, Mapping[str, int]]) -> tuple[int, int]:
    """Return the millicores and MiB that DaemonSets request on each node."""
    return sum(one["cpuMillis"] for one in daemons.values()), sum(one["memoryMi"] for one in daemons.values())


def _machine(
    name: str, entry: Mapping[str, object], memories: Mapping[str, float | None], kept: tuple[int, int]
) -> Machine:
    kind, _, count = str(entry.get("accelerator", "")).partition(":")
    memory = memories.get(kind)
    vcpus, memory_gib, pods = int(str(entry["vcpus"])), float(str(entry["memoryGi"])), int(str(entry["pods"]))
    cpu_millis, memory_mib = allocatable(vcpus, memory_gib, pods)
    return Machine(
        name=name,
        vcpus=vcpus,
        memory_gib=memory_gib,
        cpu_millis=cpu_millis - kept[0],
        memory_bytes=(memory_mib - kept[1]) * _MI,
        accelerator=Accelerator(kind, int(count)) if kind else None,
        accelerator_memory_bytes=None if memory is None else ceil(memory * _GI),
        arch=str(entry.get("arch", "amd64")),
        burstable=bool(entry.get("burstable", False)),
        local_gb=int(str(entry.get("localGb", 0))),
        family=name.partition(".")[0],
        generation=_generation(name),
    )


def _generation(name: str) -> int:
    """Return the generation: 5 for `m5.xlarge`."""
    digits = (letter for letter in name.partition(".")[0][1:] if letter.isdigit())
    return int(next(digits, 0))


def allocatable(vcpus: int, memory_gib: float, pods: int) -> tuple[int, int]:
    """Return the millicores and MiB that an EKS node leaves for Pods, including its DaemonSets.

    `pods` is how many addresses the machine's network interfaces have. Same calculation as nodeadm on Amazon Linux
    2023: github.com/awslabs/amazon-eks-ami, nodeadm/internal/kubelet/config.go, read 2026-11-24.
    """
    left, reserved = vcpus * 1000, 0
    for step, share in _CPU_STEPS:
        reserved += min(left, step) * share // 10_000
        left = max(0, left - step)
    reserved += left * _CPU_REST // 10_000
    seen = int(memory_gib * 1024 * (1000 - _HIDDEN_PER_MILLE) / 1000)
    return vcpus * 1000 - reserved, seen - (11 * pods + 255) - _EVICTION_MI
