"""Compute Engine zones and machine types, for lookups by programs and for nodes."""

from __future__ import annotations

import re

_ZONES = {"europe-west1": "bcd", "us-east1": "bcd", "us-central1": "abcf"}
_USUAL = "abc"
_FEWER = {"a2": "ab", "a3": "bc", "g2": "abc", "g4": "ab"}
"""The zones in a region that have machines with accelerators. The choice of zones is an example."""

_MACHINE = re.compile(
    r"(e2|n2|n2d|n4|n1|c2|c2d|c3|c3d|c4|c4a|c4d|t2d|m3)-(standard|highmem|highcpu|megamem)-\d+|e2-(micro|small|medium)"
    r"|(a2-(highgpu|ultragpu|megagpu)|a3-(highgpu|megagpu)|g2-standard|g4-standard)-\d+g?"
)
_GPUS = {
    "a2-highgpu": "nvidia-tesla-a100",
    "a2-megagpu": "nvidia-tesla-a100",
    "a2-ultragpu": "nvidia-a100-80gb",
    "a3-highgpu": "nvidia-h100-80gb",
    "a3-megagpu": "nvidia-h100-mega-80gb",
    "g2-standard": "nvidia-l4",
    "g4-standard": "nvidia-rtx-pro-6000",
}
_L4 = {24: 2, 48: 4, 96: 8}
_G4 = {96: 2, 192: 4, 384: 8}


def zones(region: str) -> list[str]:
    """Return the zones of a region: https://docs.cloud.google.com/compute/docs/regions-zones, read 2026-11-27."""
    return [f"{region}-{letter}" for letter in _ZONES.get(region, _USUAL)]


def offered(machine: str, zone: str) -> bool:
    """Return whether a zone has a machine type."""
    letters = _FEWER.get(machine.partition("-")[0])
    return bool(_MACHINE.fullmatch(machine)) and (letters is None or zone[-1] in letters)


def accelerators(machine: str) -> tuple[str, int] | None:
    """Return a machine type's accelerators: https://docs.cloud.google.com/compute/docs/gpus, 2026-11-27."""
    family, _, size = machine.rpartition("-")
    if family not in _GPUS:
        return None
    number = int(size.rstrip("g"))
    several = {"g2-standard": _L4, "g4-standard": _G4}.get(family)
    return _GPUS[family], number if several is None else several.get(number, 1)


def takes(machine: str, disk: str) -> bool:
    """Return whether a machine type can boot from a disk type.

    Source: https://docs.cloud.google.com/compute/docs/disks/hyperdisks, read 2026-11-27.
    """
    family = machine.partition("-")[0]
    if family in ("n4", "c4", "c4a", "c4d", "g4"):
        return disk.startswith("hyperdisk-")
    return family not in ("e2", "n1", "g2", "a2") or disk.startswith("pd-")
