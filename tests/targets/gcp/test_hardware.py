"""Tests that compute classes get the right Google Cloud machine types and node pools, in the right order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.plan import Hardware, NoMachine
from modelyard.records import replace
from modelyard.spec import ComputeClass, Taint, TargetSpec
from modelyard_targets.gcp.hardware import COMPUTE_CLASS, choose
from modelyard_targets.gcp.machines import offerings
from tests.narrowing import present
from tests.targets.cloud.hardware_requests import compute_class

REGIONS = ("us-central1", "europe-west3", "europe-west4", "asia-southeast1")
SIZES = st.tuples(st.integers(1, 200), st.integers(1, 1500))
ACCELERATORS = st.lists(st.sampled_from(["L4", "A100", "A100-80GB", "H100:8", "T4"]), max_size=3, unique=True)


def on(region: str) -> TargetSpec:
    return TargetSpec(name="main", provider="gcp", region=region)


def chosen(compute: ComputeClass, region: str = "us-central1") -> Hardware:
    hardware = choose(compute, on(region))
    assert isinstance(hardware, Hardware), hardware
    return hardware


@pytest.mark.parametrize(
    ("compute", "region", "machine"),
    [
        (compute_class(1, 4), "us-central1", "e2-standard-2"),
        (compute_class(2, 8), "us-central1", "e2-standard-4"),
        (compute_class(2, 8), "europe-west3", "e2-standard-4"),
        (compute_class(1, 10), "us-central1", "e2-highmem-2"),
        (compute_class(3, 10, "L4"), "us-central1", "g2-standard-4"),
        (compute_class(6, 24, "L4"), "europe-west4", "g2-standard-8"),
        (compute_class(8, 32, "L4:4"), "us-central1", "g2-standard-48"),
        (compute_class(8, 32, "A100"), "us-central1", "a2-highgpu-1g"),
        (compute_class(8, 32, "A100-80GB"), "us-central1", "a2-ultragpu-1g"),
        (compute_class(90, 1000, "H100:8"), "europe-west4", "a3-highgpu-8g"),
        (compute_class(3, 12, by_memory=20), "us-central1", "g2-standard-4"),
        (compute_class(3, 12, by_memory=60), "us-central1", "g4-standard-48"),
    ],
)
def test_cheapest_machine_that_fits_one_pod_is_chosen(compute: ComputeClass, region: str, machine: str) -> None:
    hardware = chosen(compute, region)
    price = present(offerings().price(machine, region, spot=False))

    assert (hardware.machine, hardware.price_hourly) == (machine, price.hourly)


@pytest.mark.parametrize(
    ("accelerators", "region", "reason"),
    [
        (("MI300X",), "us-central1", "no Google Cloud machine has MI300X; the closest accelerator is RTX-PRO-6000"),
        (("A100",), "europe-west3", "Google Cloud offers no A100 in europe-west3; the closest accelerator is L4"),
        (("T4", "V100"), "us-central1", "Google Cloud attaches T4 and V100 to N1 machines, which modelyard does not"),
        (("H200:8",), "us-central1", "Google Cloud sells H200 only as spot or with a reservation, which modelyard"),
        (("TPU-v6e",), "us-central1", "Google Cloud offers TPU-v6e only on TPU machines, which modelyard does not"),
        (("L40S", "T4"), "us-central1", "does not support yet, and no Google Cloud machine has L40S; the closest"),
    ],
)
def test_a_missing_accelerator_is_explained(accelerators: tuple[str, ...], region: str, reason: str) -> None:
    """An accelerator may be missing from this region or from all regions, or be available only on unlisted types."""
    outcome = choose(compute_class(3, 12, *accelerators), on(region))

    assert isinstance(outcome, NoMachine)
    assert reason in outcome.reason


def test_a_single_h100_is_not_offered() -> None:
    """A Pod with one H100 gets a machine with eight, because smaller machines are sold only as spot or reserved."""
    assert chosen(compute_class(8, 32, "H100")).machine == "a3-highgpu-8g"


def test_every_group_has_a_single_machine_type() -> None:
    groups = chosen(compute_class(3, 12, capacity="spot-first")).groups

    assert [group.spot for group in groups] == [True, True, False]
    assert {len(group.machines) for group in groups} == {1}
    assert groups[0].machines != groups[1].machines


def test_each_group_has_the_price_of_its_machine() -> None:
    for group in chosen(compute_class(3, 12, capacity="spot-first")).groups:
        price = present(offerings().price(group.machines[0], "us-central1", group.spot))
        assert group.price_hourly == price.hourly


def test_alternatives_are_tried_in_the_order_of_the_spec() -> None:
    """The A100 is tried first, as in the spec, even though it costs more than the L4."""
    groups = chosen(compute_class(3, 12, "A100", "L4", capacity="spot-first")).groups
    order = [(group.accelerator.name, group.spot) for group in groups if group.accelerator is not None]

    assert order[0] == ("A100-40GB", True)
    assert [name for name, _ in order] == sorted((name for name, _ in order), reverse=False)
    assert [spot for name, spot in order if name == "L4"][-1] is False


def test_pods_of_several_pools_select_their_compute_class() -> None:
    hardware = chosen(compute_class(3, 12, "A100", "L4"))

    assert hardware.selector == (("modelyard.dev/pool", "train"), (COMPUTE_CLASS, "modelyard-train"))
    assert hardware.tolerations == (
        Taint("modelyard.dev/pool", "train"),
        Taint("nvidia.com/gpu"),
        Taint(COMPUTE_CLASS, "modelyard-train"),
    )


def test_pods_of_a_single_pool_need_no_compute_class() -> None:
    hardware = chosen(compute_class(3, 12))

    assert hardware.selector == (("modelyard.dev/pool", "train"),)
    assert hardware.tolerations == (Taint("modelyard.dev/pool", "train"),)


def test_an_elastic_class_has_pools_for_several_sizes_and_no_order() -> None:
    """GKE adds the cheapest node for pending Pods. Elastic classes have no ComputeClass to set an order."""
    hardware = chosen(replace(compute_class(3, 12, capacity="spot-first"), elastic=True))
    machines = [group.machines[0] for group in hardware.groups]

    assert hardware.elastic
    assert COMPUTE_CLASS not in dict(hardware.selector)
    assert len(set(machines)) > 2
    assert machines[0] == hardware.machine
    assert {group.spot for group in hardware.groups} == {True, False}
    assert len(hardware.groups) == len({(group.machines, group.spot) for group in hardware.groups})


def test_larger_pools_of_an_elastic_class_have_more_accelerators() -> None:
    groups = chosen(replace(compute_class(3, 12, "L4"), elastic=True)).groups

    assert [group.accelerator.count for group in groups if group.accelerator is not None] == [1, 2, 4, 8]


@given(
    size=SIZES,
    accelerators=ACCELERATORS,
    memory=st.sampled_from([0, 0, 16, 40, 80]),
    region=st.sampled_from(REGIONS),
    capacity=st.sampled_from(["on-demand", "spot", "spot-first"]),
)
def test_every_machine_in_every_group_fits_the_pod(
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
