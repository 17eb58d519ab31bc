"""Tests the table of Azure VM sizes: allocatable resources, and the sources of prices and sizes."""

from __future__ import annotations

import pytest

from modelyard_targets.azure.machines import REFERENCE_REGION, allocatable, offerings, regions
from tests.narrowing import present
from tools.list_azure_machines import MACHINES, PRICES, TABLES, machines_text, price_texts


@pytest.mark.parametrize(
    ("vcpus", "reserved"),
    [(1, 60), (2, 100), (4, 140), (8, 180), (16, 260), (24, 340), (32, 420), (64, 740), (96, 1060)],
)
def test_reserved_cpu_follows_the_table_of_aks(vcpus: int, reserved: int) -> None:
    """Reserved CPU is interpolated between the sizes in AKS's table and extrapolated beyond the largest."""
    assert vcpus * 1000 - allocatable(vcpus, 64)[0] == reserved


def test_reserved_memory_is_that_of_64_pods() -> None:
    """AKS reserves 50 MB plus 20 MB per Pod, and evicts Pods below 100 MiB.

    It reports 15.6 GiB on a 16 GiB machine.
    """
    _, memory_mib = allocatable(4, 16)

    assert memory_mib == int(16 * 1024 * 0.96 - (20 * 64 + 50) - 100)
    assert memory_mib < 15.6 * 1024 - 1330 - 100


def test_small_machines_reserve_a_quarter_at_most() -> None:
    assert allocatable(1, 2)[1] == int(2048 * 0.96 * 0.75 - 100)


def test_daemonsets_are_taken_off_what_pods_may_use() -> None:
    """The table subtracts DaemonSet requests. GPU nodes run two additional DaemonSets."""
    plain, gpu = offerings().machine("Standard_D4s_v5"), offerings().machine("Standard_NC4as_T4_v3")
    cpu_millis, memory_mib = allocatable(4, 16)

    assert plain.cpu_millis < cpu_millis
    assert plain.memory_bytes < memory_mib * 1024**2
    assert gpu.cpu_millis < plain.cpu_millis


@pytest.mark.parametrize(
    ("machine", "name", "count"),
    [
        ("Standard_NC16as_T4_v3", "T4", 1),
        ("Standard_NC64as_T4_v3", "T4", 4),
        ("Standard_NC48ads_A100_v4", "A100-80GB", 2),
        ("Standard_ND96asr_v4", "A100-40GB", 8),
        ("Standard_ND96isr_H100_v5", "H100", 8),
        ("Standard_ND96isr_H200_v5", "H200", 8),
    ],
)
def test_machines_have_as_many_accelerators_as_azure_documents(machine: str, name: str, count: int) -> None:
    accelerator = present(offerings().machine(machine).accelerator)

    assert (accelerator.name, accelerator.count) == (name, count)


def test_a_region_lacks_only_machines_of_the_table() -> None:
    """A family excluded from a region must be in the table, since a misspelled one would exclude nothing."""
    known = {machine.name for machine in offerings().machines} | {machine.family for machine in offerings().machines}

    assert len(regions()) == 57
    assert all(absent <= known for absent in offerings().absent.values())


def test_machines_with_a_price_in_a_region_are_sold_there() -> None:
    for name, region, _ in offerings().prices:
        assert name in {machine.name for machine in offerings().sold_in(region)}, (name, region)


def test_the_reference_region_sells_every_machine() -> None:
    """Every VM size has a price in the reference region, without which sizes could not be compared."""
    assert [
        machine.name
        for machine in offerings().machines
        if (machine.name, REFERENCE_REGION, False) not in offerings().prices
    ] == []


def test_a_spot_price_is_never_above_the_price_on_demand() -> None:
    prices = offerings().prices
    spot = [(name, region) for name, region, is_spot in prices if is_spot]

    assert spot
    assert [key for key in spot if prices[*key, True].hourly > prices[*key, False].hourly] == []


def test_larger_machines_of_a_family_cost_more() -> None:
    """Larger VM sizes in a family cost more.

    The test would fail if a Windows price were used by mistake, because the price source lists those as well.
    """
    for family in {machine.family for machine in offerings().machines if machine.accelerator is None}:
        members = [machine for machine in offerings().machines if machine.family == family]
        for region in regions():
            rates = [
                price.hourly / machine.vcpus
                for machine in members
                if (price := offerings().prices.get((machine.name, region, False))) is not None
            ]
            assert not rates or max(rates) < 1.1 * min(rates), (family, region)


def test_a_price_has_its_region_source_and_date() -> None:
    demand = present(offerings().price("Standard_NC4as_T4_v3", "westeurope", spot=False))
    spot = present(offerings().price("Standard_D4s_v5", "eastus", spot=True))

    assert (demand.hourly, demand.region, demand.date) == (0.658, "westeurope", "2026-06-18")
    assert (spot.hourly, spot.spot, spot.date) == (0.040531, True, "2026-09-06")
    assert "karpenter-provider-azure@352646f" in demand.source


def test_machines_are_those_of_their_table() -> None:
    assert MACHINES.read_text(encoding="utf-8") == machines_text(TABLES), "run tools/list_azure_machines.py"


def test_prices_are_those_of_their_table() -> None:
    written = {file.stem: file.read_text(encoding="utf-8") for file in PRICES.glob("*.json")}

    assert written == price_texts(TABLES), "run tools/list_azure_machines.py"
