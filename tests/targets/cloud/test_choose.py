"""Tests that machine types are chosen for compute classes by price and size."""

from __future__ import annotations

from modelyard.plan import Hardware
from modelyard.spec import ComputeClass
from modelyard_targets.cloud.choose import choose
from modelyard_targets.cloud.offerings import Offerings
from tests.targets.cloud.hardware_requests import compute_class, machine, market


def picked(machines: Offerings, compute: ComputeClass, region: str = "us-east-1") -> Hardware:
    hardware = choose(machines, compute, region)
    assert isinstance(hardware, Hardware), hardware
    return hardware


def test_spot_group_has_similar_machines() -> None:
    """A spot group may include types with up to twice the memory and, with accelerators, up to twice the CPUs."""
    plain = market(
        machine("a", 4, 16),
        machine("memory", 4, 32),
        machine("too-much-memory", 4, 64),
        machine("more-cpus", 8, 16),
        us={"a": 1.0, "memory": 1.2, "too-much-memory": 1.3, "more-cpus": 1.4},
    )
    accelerated = market(
        machine("a", 4, 16, "L4"),
        machine("twice", 8, 32, "L4"),
        machine("too-large", 16, 32, "L4"),
        machine("others", 8, 32, "L4:4"),
        us={"a": 1.0, "twice": 1.2, "too-large": 1.3, "others": 1.4},
    )

    assert picked(plain, compute_class(capacity="spot")).groups[0].machines == ("a", "memory")
    assert picked(accelerated, compute_class(1, 4, "L4", capacity="spot")).groups[0].machines == ("a", "twice")


def test_missing_price_does_not_make_a_machine_cheap() -> None:
    """If any type has no price in the region, all types are compared by their reference region prices."""
    machines = market(
        machine("a", 4, 16), machine("b", 8, 16), us={"a": 1.0, "b": 1.1}, eu={"a": 1.3}, us_spot={"b": 0.2}
    )

    assert picked(machines, compute_class(), "eu-central-1").machine == "a"
    assert picked(machines, compute_class(), "eu-central-1").price_hourly == 1.3


def test_a_known_spot_price_beats_an_on_demand_price_that_stands_in_for_one() -> None:
    """Without a spot price, a machine may cost as much as on demand, so it ranks by its on-demand price."""
    machines = market(
        machine("a", 4, 16),
        machine("b", 8, 16),
        machine("c", 8, 16),
        us={"a": 1.0, "b": 1.1, "c": 1.8},
        us_spot={"b": 0.2, "c": 1.2},
    )
    spot = picked(machines, compute_class(capacity="spot"))

    assert [(candidate.machine, candidate.price_hourly) for candidate in spot.considered] == [
        ("b", 0.2),
        ("a", 1.0),
        ("c", 1.2),
    ]
    assert picked(machines, compute_class(capacity="on-demand")).machine == "a"


def test_complete_regional_prices_decide() -> None:
    machines = market(
        machine("a", 4, 16),
        machine("b", 8, 16),
        us={"a": 1.0, "b": 1.1},
        eu={"a": 1.3, "b": 1.2},
        eu_spot={"a": 0.3, "b": 0.9},
    )

    assert picked(machines, compute_class(), "eu-central-1").machine == "b"
    assert picked(machines, compute_class(capacity="spot"), "eu-central-1").machine == "a"
    assert picked(machines, compute_class(), "us-east-1").machine == "a"


def test_bigger_machine_wins_only_at_the_same_price() -> None:
    """A bigger machine type wins at the same price but not at a higher one."""
    same = market(machine("a", 4, 16), machine("b", 16, 64), us={"a": 1.0, "b": 1.0})
    dearer = market(machine("a", 4, 16), machine("b", 16, 64), us={"a": 1.0, "b": 1.1})

    assert picked(same, compute_class(4, 16)).machine == "b"
    assert picked(dearer, compute_class(4, 16)).machine == "a"


def test_a_machine_without_any_price_comes_last() -> None:
    machines = market(machine("a", 4, 16), machine("b", 4, 16), us={"b": 9.0})
    hardware = picked(machines, compute_class())

    assert [candidate.machine for candidate in hardware.considered] == ["b", "a"]
    assert [candidate.price_hourly for candidate in hardware.considered] == [9.0, None]
