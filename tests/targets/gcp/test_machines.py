"""Tests the table of Compute Engine machine types: allocatable resources and price and size sources."""

from __future__ import annotations

import pytest

from modelyard_targets.gcp.machines import (
    REFERENCE_REGION,
    accelerator_type,
    allocatable,
    disk_type,
    offerings,
    regions,
    system_offerings,
)
from tests.narrowing import present
from tools.list_google_machines import MACHINES, PRICES, TABLES, machines_text, price_texts

GI = 1024**3
GPU_SERIES = {
    "g2-standard-4": "nvidia-l4",
    "a2-highgpu-8g": "nvidia-tesla-a100",
    "a2-ultragpu-1g": "nvidia-a100-80gb",
    "a3-highgpu-8g": "nvidia-h100-80gb",
    "a3-megagpu-8g": "nvidia-h100-mega-80gb",
    "g4-standard-48": "nvidia-rtx-pro-6000",
}


def test_allocatable_is_not_above_the_example_of_gke() -> None:
    """GKE reports 3,920 millicores and 13,498,416 KiB for 4 vCPUs and 16 GiB ("Plan node sizes")."""
    cpu_millis, memory_mib = allocatable(4, 16)

    assert cpu_millis == 3920
    assert 0.98 * 13_498_416 < memory_mib * 1024 <= 13_498_416


@pytest.mark.parametrize(("vcpus", "memory", "reserved_gi"), [(2, 8, 1.8), (32, 128, 9.32), (96, 384, 14.44)])
def test_reserved_memory_follows_the_steps_of_gke(vcpus: int, memory: int, reserved_gi: float) -> None:
    """GKE reserves memory in steps.

    It reserves 25% of the first 4 GiB, 20% of the next 4, 10% of the next 8, 6% of the next 112, and 2% of the rest.
    """
    _, memory_mib = allocatable(vcpus, memory)

    assert memory_mib == int(memory * 1024 * 0.97 - reserved_gi * 1024 - 100)


def test_allocatable_resources_exclude_daemonsets() -> None:
    """The table subtracts DaemonSet requests. GPU nodes run one additional DaemonSet."""
    plain, gpu = offerings().machine("n2-standard-4"), offerings().machine("g2-standard-4")
    cpu_millis, memory_mib = allocatable(4, 16)

    assert plain.cpu_millis < cpu_millis
    assert plain.memory_bytes < memory_mib * 1024**2
    assert (gpu.cpu_millis, gpu.memory_bytes) < (plain.cpu_millis, plain.memory_bytes)


@pytest.mark.parametrize(("machine", "kind"), GPU_SERIES.items())
def test_accelerators_have_the_names_that_google_uses(machine: str, kind: str) -> None:
    assert accelerator_type(machine) == kind


def test_only_machines_with_accelerators_have_an_accelerator_type() -> None:
    for machine in offerings().machines:
        assert bool(accelerator_type(machine.name)) == (machine.accelerator is not None), machine.name


@pytest.mark.parametrize(
    ("machine", "name", "count"),
    [
        ("g2-standard-16", "L4", 1),
        ("g2-standard-24", "L4", 2),
        ("g2-standard-96", "L4", 8),
        ("a3-highgpu-8g", "H100", 8),
    ],
)
def test_machines_have_as_many_accelerators_as_google_documents(machine: str, name: str, count: int) -> None:
    accelerator = present(offerings().machine(machine).accelerator)

    assert (accelerator.name, accelerator.count) == (name, count)


def test_the_system_pool_attaches_persistent_disks() -> None:
    """The storage class creates Persistent Disks, which N4, C4 and G4 machines of a system pool could not attach."""
    assert disk_type("n4-standard-8") == "hyperdisk-balanced"
    assert {disk_type(machine.name) for machine in system_offerings().machines} == {"pd-balanced"}
    assert len(system_offerings().machines) < len(offerings().machines)


def test_regions_lack_only_machines_in_the_table() -> None:
    """A family excluded from a region must be in the table, since a misspelled one would exclude nothing."""
    known = {machine.name for machine in offerings().machines} | {machine.family for machine in offerings().machines}

    assert len(regions()) == 43
    assert all(absent <= known for absent in offerings().absent.values())


def test_machines_with_a_price_in_a_region_are_sold_there() -> None:
    for name, region, _ in offerings().prices:
        assert name in {machine.name for machine in offerings().sold_in(region)}, (name, region)


def test_machines_have_a_price_in_the_reference_region() -> None:
    """Every machine type has a price in the reference region, without which types could not be compared."""
    unpriced = [
        machine.name
        for machine in offerings().machines
        if offerings().price(machine.name, REFERENCE_REGION, spot=False) is None
    ]

    assert unpriced == ["a3-megagpu-8g"], "H100 machines for clusters of many, which a class gets where they are priced"


def test_a_price_has_its_region_source_and_date() -> None:
    price = present(offerings().price("g2-standard-8", "europe-west4", spot=True))

    assert (price.hourly, price.region, price.spot, price.date) == (0.47082, "europe-west4", True, "2026-08-03")
    assert "karpenter-provider-gcp@373e2ba" in price.source


def test_machine_table_is_up_to_date() -> None:
    assert MACHINES.read_text(encoding="utf-8") == machines_text(TABLES), "run tools/list_google_machines.py"


def test_price_files_are_up_to_date() -> None:
    written = {file.stem: file.read_text(encoding="utf-8") for file in PRICES.glob("*.json")}

    assert written == price_texts(TABLES), "run tools/list_google_machines.py"
