"""Tests that compute classes get the right instance types in the right order."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.plan import Hardware, NoMachine
from modelyard.spec import Accelerator, ComputeClass, Taint, TargetSpec
from modelyard_targets.aws.hardware import choose
from modelyard_targets.aws.machines import offerings
from modelyard_targets.cloud.offerings import Machine
from tests.targets.cloud.hardware_requests import GI, compute_class

REGIONS = ("us-east-1", "eu-central-1", "eu-west-1", "ap-south-1")


def on(region: str = "us-east-1") -> TargetSpec:
    return TargetSpec(name="main", provider="aws", region=region)


def chosen(compute: ComputeClass, region: str = "us-east-1") -> Hardware:
    hardware = choose(compute, on(region))
    assert isinstance(hardware, Hardware), hardware
    return hardware


def by_name(name: str) -> Machine:
    return next(machine for machine in offerings().machines if machine.name == name)


@pytest.mark.parametrize(
    ("compute", "region", "machine", "price"),
    [
        (compute_class(1, 4), "us-east-1", "m6i.large", 0.096),
        (compute_class(2, 4), "us-east-1", "c7i.xlarge", 0.1785),
        (compute_class(2, 8), "us-east-1", "m6i.xlarge", 0.192),
        (compute_class(1, 12), "us-east-1", "r7i.large", 0.1323),
        (compute_class(3, 12, capacity="spot"), "us-east-1", "m5.xlarge", 0.07044),
        (compute_class(3, 12, "T4"), "us-east-1", "g4dn.xlarge", 0.526),
        (compute_class(3, 12, "L4"), "us-east-1", "g6.xlarge", 0.8048),
        (compute_class(3, 12, "L4"), "eu-central-1", "g6.xlarge", 1.0064),
        (compute_class(3, 12, "A10G", capacity="spot-first"), "eu-west-1", "g5.xlarge", 0.5746),
        (compute_class(3, 12, "A10G", "L4"), "us-east-1", "g5.xlarge", 1.006),
        (compute_class(6, 24, "L4"), "eu-central-1", "g6.2xlarge", 1.22249),
        (compute_class(8, 32, "L4:4"), "us-east-1", "g6.12xlarge", 4.6016),
        (compute_class(3, 24, "L40S"), "eu-central-1", "g6e.xlarge", 2.327),
        (compute_class(8, 32, "H100"), "us-east-1", "p5.4xlarge", 6.88),
        (compute_class(90, 1000, "A100:8"), "us-east-1", "p4d.24xlarge", 21.957642),
        (compute_class(90, 1000, "a100-80gb:8"), "us-east-1", "p4de.24xlarge", 27.44705),
        (compute_class(90, 1000, "H200:8"), "us-east-1", "p5en.48xlarge", 63.296),
        (compute_class(90, 1000, "B200:8"), "us-east-1", "p6-b200.48xlarge", 113.9328),
        (compute_class(3, 12, by_memory=16), "us-east-1", "g4dn.xlarge", 0.526),
        (compute_class(3, 12, by_memory=20), "eu-central-1", "g6.xlarge", 1.0064),
        (compute_class(3, 12, by_memory=40), "us-east-1", "g6e.xlarge", 1.861),
        (compute_class(3, 12, "Inferentia2", "T4"), "us-east-1", "g4dn.xlarge", 0.526),
    ],
)
def test_cheapest_machine_that_fits_one_pod_is_chosen(
    compute: ComputeClass, region: str, machine: str, price: float
) -> None:
    hardware = chosen(compute, region)

    assert (hardware.machine, hardware.price_hourly) == (machine, price)
    assert hardware.considered[0].machine == machine
    assert hardware.considered[0].price_hourly == price


def test_variants_of_an_accelerator_are_distinguished() -> None:
    """`A100` and `A100-40GB` map to p4d instances (40 GB per GPU), and `A100-80GB` maps to p4de (80 GB)."""
    machines = {
        name: chosen(compute_class(90, 1000, f"{name}:8")).machine for name in ("A100", "A100-40GB", "A100-80GB")
    }

    assert machines == {"A100": "p4d.24xlarge", "A100-40GB": "p4d.24xlarge", "A100-80GB": "p4de.24xlarge"}
    assert chosen(compute_class(90, 1000, "A100:8")).considered[0].why.startswith("A100-40GB:8 of 40Gi; ")


def test_every_alternative_has_a_group_or_a_reason() -> None:
    """Alternatives get no node group if unknown, too large, unavailable in the region, or of a different count."""
    hardware = chosen(compute_class(4, 16, "L4:2", "A10G:2", "MI300X:2", "T4:8", "T4:1"), "eu-west-1")

    assert [group.accelerator.name for group in hardware.groups if group.accelerator] == ["A10G"]
    assert [(alternative.position, alternative.why.partition(";")[0]) for alternative in hardware.passed_over] == [
        (0, "EC2 offers no L4 in eu-west-1"),
        (2, "no EC2 machine has MI300X"),
        (3, "the closest is g4dn.12xlarge, which has T4:4 (16Gi each) instead of T4:8"),
        (4, "its Pods request 2 accelerators, like the first choice"),
    ]


def test_node_reserves_part_of_the_machine() -> None:
    """Nodes reserve some CPU for themselves, so a Pod that requests two CPUs needs a four-CPU instance."""
    assert chosen(compute_class(2, 4)).machine == "c7i.xlarge"
    assert chosen(compute_class(1.75, 6)).machine == "m6i.large"


def test_pods_select_and_tolerate_their_pool() -> None:
    hardware = chosen(compute_class(3, 12, "L4"))

    assert hardware.selector == (("modelyard.dev/pool", "train"),)
    assert hardware.tolerations == (Taint("modelyard.dev/pool", "train"), Taint("nvidia.com/gpu"))
    assert hardware.accelerator_resource == "nvidia.com/gpu"
    assert chosen(compute_class()).tolerations == (Taint("modelyard.dev/pool", "train"),)


def test_pool_label_fits_any_class_name() -> None:
    long = replace(compute_class(), name="a" * 63)

    assert 0 < len(chosen(long).selector[0][1]) <= 47


@pytest.mark.parametrize(
    ("capacity", "ways"),
    [("on-demand", [False, False]), ("spot", [True, True]), ("spot-first", [True, False, True, False])],
)
def test_alternatives_are_tried_in_order_spot_before_on_demand(capacity: str, ways: list[bool]) -> None:
    groups = chosen(compute_class(3, 12, "L4", "A10G", capacity=capacity)).groups

    assert [group.spot for group in groups] == ways
    names = [group.accelerator.name for group in groups if group.accelerator is not None]
    assert names == ["L4"] * (len(ways) // 2) + ["A10G"] * (len(ways) // 2)


def test_spot_group_has_several_machines_of_at_least_the_first_size() -> None:
    groups = chosen(compute_class(3, 12, capacity="spot-first")).groups

    assert [group.machines for group in groups] == [
        ("m5.xlarge", "r5.xlarge", "m7i.xlarge", "m6i.xlarge", "r7i.xlarge"),
        ("m6i.xlarge",),
    ]
    assert [group.price_hourly for group in groups] == [0.07044, 0.192]


def test_alternative_with_another_count_has_no_group() -> None:
    """An alternative with four L4 GPUs gets no node group if the class's first choice is a single A10G."""
    assert [group.accelerator for group in chosen(compute_class(3, 12, "A10G", "L4:4")).groups] == [
        Accelerator("A10G", 1)
    ]


def test_memory_request_uses_the_cheapest_kinds() -> None:
    """A class that requests accelerators by memory uses at most the three cheapest accelerator types."""
    groups = chosen(compute_class(3, 12, by_memory=20)).groups

    assert [group.accelerator.name for group in groups if group.accelerator] == ["L4", "A10G", "L40S"]


def test_an_elastic_class_has_no_groups() -> None:
    hardware = chosen(replace(compute_class(3, 12), elastic=True))

    assert hardware.elastic
    assert hardware.groups == ()
    assert hardware.machine == "m6i.xlarge"


SIZES = st.tuples(st.integers(1, 200), st.integers(1, 4000))
ACCELERATORS = st.lists(
    st.sampled_from(["T4", "L4", "A10G", "L40S", "H100", "A100-80GB", "MI300X"]), max_size=3, unique=True
)


@given(
    small=SIZES,
    more=SIZES,
    accelerators=ACCELERATORS,
    region=st.sampled_from(REGIONS),
    capacity=st.sampled_from(["on-demand", "spot", "spot-first"]),
)
def test_larger_requests_never_get_a_smaller_or_cheaper_machine(
    small: tuple[int, int], more: tuple[int, int], accelerators: list[str], region: str, capacity: str
) -> None:
    """Compares on-demand prices in the reference region, where every instance type has a price."""
    large = (small[0] + more[0] - 1, small[1] + more[1] - 1)
    less, most = (choose(compute_class(*size, *accelerators, capacity=capacity), on(region)) for size in (small, large))
    if isinstance(most, NoMachine):
        return
    assert isinstance(less, Hardware), less
    first, second = by_name(less.machine), by_name(most.machine)
    smaller = second.cpu_millis <= first.cpu_millis and second.memory_bytes <= first.memory_bytes
    assert not smaller or (first.cpu_millis, first.memory_bytes) == (second.cpu_millis, second.memory_bytes)
    if less.accelerator == most.accelerator:
        low, high = (offerings().price(name, "us-east-1", spot=False) for name in (first.name, second.name))
        assert low is not None
        assert high is not None
        assert low.hourly <= high.hourly


@given(
    size=SIZES,
    accelerators=ACCELERATORS,
    last=st.sampled_from(["T4", "L4", "A100", "H200:8", "B200:8"]),
    region=st.sampled_from(REGIONS),
)
def test_last_alternative_never_changes_the_first_choice(
    size: tuple[int, int], accelerators: list[str], last: str, region: str
) -> None:
    before = choose(compute_class(*size, *accelerators), on(region))
    if isinstance(before, Hardware) and accelerators:
        assert chosen(compute_class(*size, *accelerators, last), region).machine == before.machine


@given(
    size=SIZES,
    accelerators=ACCELERATORS,
    memory=st.sampled_from([0, 0, 16, 24, 80]),
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
    assert hardware.machine == hardware.groups[0].machines[0]
    assert hardware.spot == hardware.groups[0].spot == (capacity != "on-demand")
    for group in hardware.groups:
        for name in group.machines:
            machine = by_name(name)
            assert (machine.accelerator, machine.arch) == (group.accelerator, group.arch)
            assert machine.cpu_millis >= compute.cpu_millis
            assert machine.memory_bytes >= compute.memory_bytes
            assert (machine.accelerator is None) is (hardware.accelerator is None)
            if machine.accelerator is not None and hardware.accelerator is not None:
                assert machine.accelerator.count >= hardware.accelerator.count
                assert (machine.accelerator_memory_bytes or 0) >= memory * GI
