"""Machines of EC2: what they hold, what a node of EKS leaves of it to Pods, and what they cost."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from functools import cache
from math import ceil
from typing import Final

from modelyard.records import record
from modelyard.spec import Accelerator

_TABLE: Final = os.path.join(os.path.dirname(__file__), "machines.json")

REFERENCE_REGION: Final = "us-east-1"
"""The one region of which nearly all prices are known; they stand in for those that are not."""

_GI: Final = 1024**3
_MI: Final = 1024**2

_HIDDEN_PER_MILLE: Final = 75
"""Memory that EC2 promises and the operating system never sees, as Karpenter reckons it (its setting
`vm-memory-overhead-percent`, 0.075 unless told otherwise; github.com/aws/karpenter-provider-aws, read 2026-11-24).
"""

_EVICTION_MI: Final = 100
"""`memory.available` below which the kubelet evicts (github.com/awslabs/amazon-eks-ami, nodeadm, read 2026-11-24)."""

_CPU_STEPS: Final = ((1000, 600), (1000, 100), (2000, 50))
"""Thousandths of a CPU, from the first on, and how many in ten thousand of them the bootstrap of EKS reserves."""

_CPU_REST: Final = 25


@record
class Machine:
    """An instance type. `cpu_millis` and `memory_bytes` are what is left to Pods, less than it is sold with."""

    name: str
    vcpus: int
    memory_gib: float
    cpu_millis: int
    memory_bytes: int
    accelerator: Accelerator | None = None  # all that it has
    accelerator_memory_bytes: int | None = None  # of one; None where EC2 does not say
    arch: str = "amd64"
    burstable: bool = False  # full speed only for a while
    local_gb: int = 0  # NVMe disks of its own, all of them together

    @property
    def local_gib(self) -> int:
        """The same in GiB, in which Pods ask."""
        return self.local_gb * 1000**3 // _GI

    @property
    def generation(self) -> int:
        """5 of `m5.xlarge`: the higher, the newer within a family."""
        return int("".join(letter for letter in self.name.partition(".")[0][1:] if letter.isdigit())[:1] or 0)


@record
class Price:
    """US dollars an hour, where and of what, who says so and of which day."""

    hourly: float
    region: str
    spot: bool
    source: str
    date: str


@record
class Table:
    """What is known of machines, and prices by machine, region and whether it is of spot.

    `absent` names by region the machines and families that are not sold there; of a region that it does not name nobody
    knows, and all are taken to be.
    """

    machines: tuple[Machine, ...]
    prices: Mapping[tuple[str, str, bool], Price]
    absent: Mapping[str, frozenset[str]]

    def sold_in(self, region: str) -> Iterator[Machine]:
        """The machines that can be had there, as far as is known."""
        absent = self.absent.get(region, frozenset())
        return (one for one in self.machines if absent.isdisjoint((one.name, one.name.partition(".")[0])))

    def price(self, machine: str, region: str, spot: bool) -> Price | None:
        """The price to count with: of spot where it is asked for and known, else on demand, which is the most that
        spot costs; of the reference region where nothing is known of this one. None where nobody knows any.
        """
        for place in (region, REFERENCE_REGION):
            for kind in (True, False) if spot else (False,):
                found = self.prices.get((machine, place, kind))
                if found is not None:
                    return found
        return None


@cache
def table() -> Table:
    """The machines of EC2 that modelyard knows, read once."""
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
    return Table(machines, prices, absent)


def _kept(daemons: Mapping[str, Mapping[str, int]]) -> tuple[int, int]:
    """Thousandths of a CPU and MiB that DaemonSets ask for on each node."""
    return sum(one["cpuMillis"] for one in daemons.values()), sum(one["memoryMi"] for one in daemons.values())


def machine_named(name: str) -> Machine:
    """The machine of this name, which is one of the table."""
    return next(machine for machine in table().machines if machine.name == name)


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
    )


def allocatable(vcpus: int, memory_gib: float, pods: int) -> tuple[int, int]:
    """Thousandths of a CPU and MiB that a node of EKS lets Pods have, its own DaemonSets among them.

    `pods` is how many the machine's network interfaces have addresses for. As nodeadm of Amazon Linux 2023 computes
    it: github.com/awslabs/amazon-eks-ami, nodeadm/internal/kubelet/config.go, read 2026-11-24.
    """
    left, reserved = vcpus * 1000, 0
    for step, share in _CPU_STEPS:
        reserved += min(left, step) * share // 10_000
        left = max(0, left - step)
    reserved += left * _CPU_REST // 10_000
    seen = int(memory_gib * 1024 * (1000 - _HIDDEN_PER_MILLE) / 1000)
    return vcpus * 1000 - reserved, seen - (11 * pods + 255) - _EVICTION_MI
