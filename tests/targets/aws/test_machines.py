"""Tests that the EC2 instance type tables are complete and match the EKS documentation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from modelyard_targets.aws.machines import REFERENCE_REGION, allocatable, offerings
from modelyard_targets.machines.accelerators import known
from tests.narrowing import present
from tests.targets.cloud.hardware_requests import GI, machine, market
from tools.list_machines import CHOSEN_FROM, MACHINES, PRICES, TABLES, machines_text, price_texts


@pytest.mark.parametrize(
    ("vcpus", "memory_gib", "pods", "cpu", "memory"),
    [(2, 4, 29, 1930, 3114), (4, 7.5, 58, 3920, 6111), (8, 15, 58, 7910, 13215), (16, 30, 234, 15890, 25487)],
)
def test_allocatable_matches_karpenters_reference(
    vcpus: int, memory_gib: float, pods: int, cpu: int, memory: int
) -> None:
    """Allocatable resources match Karpenter's reference for c5.large, c3.xlarge, c3.2xlarge and c3.4xlarge."""
    assert allocatable(vcpus, memory_gib, pods) == (cpu, memory)


def test_allocatable_is_below_the_nominal_size() -> None:
    for offered in offerings().machines:
        assert 0.8 * offered.vcpus * 1000 < offered.cpu_millis < offered.vcpus * 1000, offered.name
        assert 0.7 * offered.memory_gib * GI < offered.memory_bytes < offered.memory_gib * GI, offered.name


def test_every_accelerator_is_known() -> None:
    for offered in offerings().machines:
        if offered.accelerator is not None:
            assert known(offered.accelerator.name) is not None, offered.name
            assert offered.accelerator.count > 0


def test_every_price_has_source_and_date() -> None:
    names = {offered.name for offered in offerings().machines}
    for (name, region, spot), price in offerings().prices.items():
        assert name in names
        assert price.source
        assert price.date >= "2025-05-28"
        assert price.hourly > 0
        on_demand = offerings().prices[name, region, False]
        assert not spot or price.hourly < on_demand.hourly


def test_no_arm_machine_has_more_memory_than_amd64() -> None:
    """No ARM type has more memory than the largest amd64 type, so leaving out ARM makes no request impossible."""
    plain = [offered for offered in offerings().machines if offered.accelerator is None]
    most = {arch: max(offered.memory_bytes for offered in plain if offered.arch == arch) for arch in ("amd64", "arm64")}

    assert most["arm64"] <= most["amd64"]


def test_missing_price_falls_back_to_on_demand_then_to_the_scaled_price_of_the_reference_region() -> None:
    """Prices from another region are scaled by the median price ratio of the two regions and marked as scaled."""
    prices = market(
        machine("a", 4, 16), us={"a": 1.0, "b": 2.0}, us_spot={"a": 0.4, "b": 0.5}, eu={"a": 1.2}, eu_spot={}
    )

    assert [prices.price("a", "eu-central-1", spot) for spot in (False, True)] == [
        prices.prices["a", "eu-central-1", False]
    ] * 2
    for spot, hourly in ((True, 0.5), (False, 2.0)):
        scaled = present(prices.price("b", "eu-central-1", spot))
        assert scaled.hourly == pytest.approx(hourly * 1.2)
        assert scaled.region == REFERENCE_REGION
        assert scaled.estimate == "price of us-east-1 × 1.2, the median ratio of machine prices"
    assert present(prices.price("b", "ap-south-1", False)).estimate == "price of us-east-1"
    assert prices.price("c", "eu-central-1", False) is None


def test_absent_machines_exist_and_have_no_price() -> None:
    """The list of absent instance types contains only existing types without a price in the region."""
    names = {offered.name for offered in offerings().machines}
    names |= {name.partition(".")[0] for name in names}

    assert all(absent <= names for absent in offerings().absent.values())
    for name, region, _ in offerings().prices:
        if region != REFERENCE_REGION:
            assert name in {offered.name for offered in offerings().sold_in(region)}, (name, region)


def test_machine_table_is_up_to_date() -> None:
    assert MACHINES.read_text(encoding="utf-8") == machines_text(), "run tools/list_machines.py"


def test_price_files_are_up_to_date() -> None:
    written = {file.stem: file.read_text(encoding="utf-8") for file in PRICES.glob("*.json")}

    assert written == price_texts(TABLES), "run tools/list_machines.py"


def test_no_larger_size_of_a_family_is_cheaper() -> None:
    """If larger sizes could be cheaper, the cheapest fitting type might be several times too large."""
    prices = offerings().prices
    for family, sizes in CHOSEN_FROM.items():
        for region, spot in {(region, spot) for _, region, spot in prices}:
            hourly = [prices[key].hourly for size in sizes if (key := (f"{family}.{size}", region, spot)) in prices]
            assert hourly == sorted(hourly), (family, region, spot)


def test_older_prices_are_estimated_from_newer_ones(tmp_path: Path) -> None:
    """On-demand prices are scaled like the type's us-east-1 price, and spot prices like those of other sizes."""
    head = "machine,region,capacity,usd_per_hour,source,date\n"
    (tmp_path / "newest.csv").write_text(
        head + "p4d.24xlarge,us-east-1,on-demand,20,a list,2026-07-20\n"
        "g5.xlarge,us-east-1,on-demand,1,a list,2026-07-20\n"
        "g5.xlarge,us-east-1,spot,0.6,another,2026-09-06\n"
    )
    (tmp_path / "every-region.csv").write_text(
        head + "p4d.24xlarge,us-east-1,on-demand,30,old,2025-05-28\n"
        "p4d.24xlarge,eu-west-1,on-demand,36,old,2025-05-28\n"
        "g5.xlarge,us-east-1,on-demand,1,old,2025-05-28\n"
        "g5.2xlarge,us-east-1,on-demand,2,old,2025-05-28\n"
        "g5.2xlarge,us-east-1,spot,0.4,old,2025-05-28\n"
        "g5.2xlarge,eu-west-1,on-demand,3,old,2025-05-28\n"
        "g5.2xlarge,eu-west-1,spot,1.5,old,2025-05-28\n"
        "g5.4xlarge,eu-west-1,on-demand,4,old,2025-05-28\n"
        "g5.4xlarge,eu-west-1,spot,1,old,2025-05-28\n"
        "g5.8xlarge,eu-west-1,on-demand,8,old,2025-05-28\n"
        "g5.8xlarge,eu-west-1,spot,8,old,2025-05-28\n"
    )
    prices = {region: json.loads(text) for region, text in price_texts(tmp_path).items()}

    assert usd(prices["eu-west-1"], "on-demand") == {
        "p4d.24xlarge": 24,
        "g5.2xlarge": 3,
        "g5.4xlarge": 4,
        "g5.8xlarge": 8,
    }
    assert usd(prices["eu-west-1"], "spot") == {"g5.2xlarge": 1.5, "g5.4xlarge": 2}, "a larger size is never cheaper"
    assert usd(prices["us-east-1"], "spot") == {"g5.xlarge": 0.6, "g5.2xlarge": 1.2}
    assert "estimated" in next(entry["source"] for entry in prices["eu-west-1"] if "p4d.24xlarge" in entry["usd"])


def usd(entries: list[dict[str, Any]], capacity: str) -> dict[str, float]:
    return {name: price for entry in entries if entry["capacity"] == capacity for name, price in entry["usd"].items()}


def test_unknown_region_has_no_prices() -> None:
    prices = offerings().prices

    assert ("m7i.xlarge", "nowhere-1", False) not in prices
    assert prices["m7i.xlarge", "eu-central-1", False].hourly > prices["m7i.xlarge", REFERENCE_REGION, False].hourly
