"""Tests that compute classes get the right Azure VM sizes and node pools, in the right order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.plan import Hardware, NoMachine
from modelyard.records import replace
from modelyard.spec import ComputeClass, Taint, TargetSpec
from modelyard_targets.azure.hardware import SPOT, choose
from modelyard_targets.azure.machines import offerings
from tests.narrowing import present
from tests.targets.cloud.hardware_requests import compute_class

REGIONS = ("westus2", "westeurope", "germanywestcentral", "eastus")
SIZES = st.tuples(st.integers(1, 100), st.integers(1, 700))
ACCELERATORS = st.lists(st.sampled_from(["T4", "A100-80GB", "A100:8", "H100:8", "H200"]), max_size=3, unique=True)


def on(region: str) -> TargetSpec:
    return TargetSpec(name="main", provider="azure", region=region)


def chosen(compute: ComputeClass, region: str = "westus2") -> Hardware:
    hardware = choose(compute, on(region))
    assert isinstance(hardware, Hardware), hardware
    return hardware


@pytest.mark.parametrize(
    ("compute", "region", "machine"),
    [
        (compute_class(1, 2), "westus2", "Standard_F2s_v2"),
        (compute_class(2, 8), "westeurope", "Standard_D4as_v6"),
        (compute_class(1, 12), "westus2", "Standard_E2as_v6"),
        (compute_class(3, 10, "T4"), "westeurope", "Standard_NC4as_T4_v3"),
        (compute_class(8, 32, "T4:4"), "westus2", "Standard_NC64as_T4_v3"),
        (compute_class(8, 32, "A100-80GB"), "westus2", "Standard_NC24ads_A100_v4"),
        (compute_class(8, 32, "A100:8"), "westus2", "Standard_ND96asr_v4"),
        (compute_class(90, 1000, "H100:8"), "westeurope", "Standard_ND96isr_H100_v5"),
        (compute_class(3, 12, by_memory=16), "westus2", "Standard_NC4as_T4_v3"),
        (compute_class(3, 12, by_memory=60), "westus2", "Standard_NC24ads_A100_v4"),
    ],
)
def test_the_cheapest_machine_that_holds_one_pod(compute: ComputeClass, region: str, machine: str) -> None:
    hardware = chosen(compute, region)
    price = present(offerings().price(machine, region, spot=False))

    assert (hardware.machine, hardware.price_hourly) == (machine, price.hourly)


@pytest.mark.parametrize(
    ("accelerators", "region", "reason"),
    [
        (("L40S",), "westus2", "no Azure machine has L40S; the closest accelerator is A100-40GB"),
        (("H200",), "westeurope", "Azure offers no H200 in westeurope; the closest accelerator is H100-NVL"),
        (("A10",), "westus2", "Azure offers A10 only on NVads A10 machines, which modelyard does not support yet"),
        (("T4",), "austriaeast", "Azure offers no T4 in austriaeast, nor any other supported accelerator"),
    ],
)
def test_a_missing_accelerator_is_explained(accelerators: tuple[str, ...], region: str, reason: str) -> None:
    """An accelerator may be missing from this region or from all regions, or be available only on unlisted VM sizes."""
    outcome = choose(compute_class(3, 12, *accelerators), on(region))

    assert isinstance(outcome, NoMachine)
    assert reason in outcome.reason


def test_every_group_has_one_machine_since_node_pools_have_one() -> None:
    groups = chosen(compute_class(3, 12, "T4", capacity="spot-first")).groups

    assert [group.spot for group in groups] == [True, True, False]
    assert {len(group.machines) for group in groups} == {1}
    assert groups[0].machines != groups[1].machines


def test_alternatives_come_in_the_order_of_the_spec() -> None:
    """The A100 is tried first even though it costs more than the T4."""
    groups = chosen(compute_class(3, 12, "A100-80GB", "T4", capacity="spot-first")).groups
    order = [(group.accelerator.name, group.spot) for group in groups if group.accelerator is not None]

    assert order[0] == ("A100-80GB", True)
    assert [name for name, _ in order] == sorted(name for name, _ in order)
    assert order[-1] == ("T4", False)


def test_pods_tolerate_the_taint_of_spot_nodes_where_there_are_any() -> None:
    """AKS adds this taint to every node of a spot pool."""
    taint = Taint("modelyard.dev/pool", "train")

    assert chosen(compute_class(3, 12)).tolerations == (taint,)
    assert chosen(compute_class(3, 12, capacity="spot")).tolerations == (taint, SPOT)
    assert chosen(compute_class(3, 12, "T4", capacity="spot-first")).tolerations == (
        taint,
        Taint("nvidia.com/gpu"),
        SPOT,
    )


def test_an_elastic_class_has_pools_for_several_sizes_from_spot_to_on_demand() -> None:
    hardware = chosen(replace(compute_class(3, 12, capacity="spot-first"), elastic=True))
    sizes = [offerings().machine(group.machines[0]).vcpus for group in hardware.groups if group.spot]

    assert hardware.elastic
    assert len(hardware.groups) == len({(group.machines, group.spot) for group in hardware.groups})
    assert [group.spot for group in hardware.groups] == sorted((group.spot for group in hardware.groups), reverse=True)
    assert sizes == sorted(sizes)
    assert len(set(sizes)) > 2


@given(
    size=SIZES,
    accelerators=ACCELERATORS,
    memory=st.sampled_from([0, 0, 16, 40, 80]),
    region=st.sampled_from(REGIONS),
    capacity=st.sampled_from(["on-demand", "spot", "spot-first"]),
)
def test_every_machine_of_every_group_holds_the_pod_and_is_sold_there(
    size: tuple[int, int], accelerators: list[str], memory: int, region: str, capacity: str
) -> None:
    compute = compute_class(*size, *(() if memory else accelerators), capacity=capacity, by_memory=memory)
    hardware = choose(compute, on(region))
    if isinstance(hardware, NoMachine):
        return
    sold = {machine.name for machine in offerings().sold_in(region)}
    assert hardware.machine == hardware.groups[0].machines[0]
    for group in hardware.groups:
        (name,) = group.machines
        machine = offerings().machine(name)
        assert name in sold
        assert machine.cpu_millis >= compute.cpu_millis
        assert machine.memory_bytes >= compute.memory_bytes
        assert machine.accelerator == group.accelerator
        if machine.accelerator is not None and hardware.accelerator is not None:
            assert machine.accelerator.count >= hardware.accelerator.count
