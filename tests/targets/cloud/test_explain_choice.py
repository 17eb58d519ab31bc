"""Tests that a machine choice is explained by accelerators, free capacity, and prices with their source."""

from __future__ import annotations

from modelyard.manifest import gibibytes
from modelyard.plan import Hardware
from modelyard.usage import NO_USAGE
from modelyard_targets.cloud.choose import choose
from modelyard_targets.cloud.costs.prices import Sheet
from tests.narrowing import present
from tests.targets.cloud.hardware_requests import compute_class, machine, market

MARKET = market(
    machine("a", 4, 16, "L4:2"),
    machine("b", 8, 32, "L4:2"),
    machine("c", 8, 64, "L4:2"),
    machine("d", 8, 64, "L4:2"),
    us={"a": 1.0, "b": 1.1, "c": 1.2},
    us_spot={"b": 0.5},
    eu={"a": 1.3},
)


def whys(region: str, capacity: str) -> dict[str, str]:
    hardware = choose(MARKET, compute_class(1, 4, "L4", capacity=capacity), region)
    assert isinstance(hardware, Hardware)
    return {candidate.machine: candidate.why for candidate in hardware.considered}


def test_choice_and_two_runners_up_are_shown() -> None:
    assert list(whys("us-east-1", "on-demand")) == ["a", "b", "c"]


def test_price_from_another_kind_or_region_is_marked() -> None:
    scaled = (
        "estimated for eu-central-1: price of us-east-1 × 1.3, the median ratio of machine prices (a test, 2026-01-01)"
    )

    assert whys("eu-central-1", "spot") == {
        "a": "L4:2 of 24Gi; USD, on demand, because no spot price is known, in eu-central-1 (a test, "
        "2026-01-01); leaves 3 CPUs and 12Gi",
        "b": f"L4:2 of 24Gi; USD, spot, {scaled}; leaves 7 CPUs and 28Gi",
        "c": f"L4:2 of 24Gi; USD, on demand, because no spot price is known, {scaled}; leaves 7 CPUs and 60Gi",
    }


def test_an_on_demand_price_in_place_of_a_spot_price_is_an_estimate() -> None:
    sheet = Sheet("aws", "eu-central-1", MARKET, {}, NO_USAGE)
    prices = [present(sheet.machine(name, spot=True)) for name in "abc"]
    on_demand = present(sheet.machine("a", spot=False))
    scaled = "price of us-east-1 × 1.3, the median ratio of machine prices"

    assert [price.estimate for price in prices] == [
        "on demand, because no spot price is known",
        scaled,
        f"on demand, because no spot price is known; {scaled}",
    ]
    assert on_demand.estimate == ""


def test_machine_without_a_price_is_explained() -> None:
    hardware = choose(market(machine("a", 4, 16)), compute_class(1, 4), "us-east-1")

    assert isinstance(hardware, Hardware)
    assert hardware.considered[0].why == "no accelerator; price unknown; leaves 3 CPUs and 12Gi"


def test_sizes_are_never_rounded_up() -> None:
    assert [gibibytes(size) for size in (0, 1024**3, 2 * 1024**3 - 1)] == ["0Gi", "1Gi", "1.9Gi"]
