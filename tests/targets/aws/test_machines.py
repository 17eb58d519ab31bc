"""EC2 machines: the data is complete, nodes reserve what EKS documents, and every price has a source."""

from __future__ import annotations

import csv

import pytest

from modelyard_targets.aws.machines import REFERENCE_REGION, allocatable, offerings
from modelyard_targets.machines.accelerators import canonical, known
from tests.given import given
from tests.targets.cloud.hardware_asked import GI, machine, market


@pytest.mark.parametrize(
    ("vcpus", "memory_gib", "pods", "cpu", "memory"),
    [(2, 4, 29, 1930, 3114), (4, 7.5, 58, 3920, 6111), (8, 15, 58, 7910, 13215), (16, 30, 234, 15890, 25487)],
)
def test_a_node_keeps_what_its_bootstrap_computes(
    vcpus: int, memory_gib: float, pods: int, cpu: int, memory: int
) -> None:
    """The cases are c5.large, c3.xlarge, c3.2xlarge and c3.4xlarge from Karpenter's instance type reference."""
    assert allocatable(vcpus, memory_gib, pods) == (cpu, memory)


def test_pods_get_less_than_a_machine_is_sold_with() -> None:
    for one in offerings().machines:
        assert 0.8 * one.vcpus * 1000 < one.cpu_millis < one.vcpus * 1000, one.name
        assert 0.7 * one.memory_gib * GI < one.memory_bytes < one.memory_gib * GI, one.name


def test_every_accelerator_is_one_that_pods_can_ask_for() -> None:
    for one in offerings().machines:
        if one.accelerator is not None:
            assert known(one.accelerator.name) is not None, one.name
            assert one.accelerator.count > 0


def test_every_price_says_who_says_so_and_when() -> None:
    names = {one.name for one in offerings().machines}
    for (name, region, spot), price in offerings().prices.items():
        assert name in names
        assert price.source
        assert price.date >= "2026"
        assert price.hourly > 0
        on_demand = offerings().prices[name, region, False]
        assert not spot or price.hourly < on_demand.hourly


def test_no_machine_for_other_images_holds_more_than_all_others() -> None:
    """Machines whose architecture the images do not support can be left out, as none has more memory."""
    plain = [one for one in offerings().machines if one.accelerator is None]
    most = {arch: max(one.memory_bytes for one in plain if one.arch == arch) for arch in ("amd64", "arm64")}

    assert most["arm64"] <= most["amd64"]


def test_the_next_best_price_is_of_on_demand_and_then_of_elsewhere() -> None:
    prices = market(
        machine("a", 4, 16), us={"a": 1.0, "b": 2.0}, us_spot={"a": 0.4, "b": 0.5}, eu={"a": 1.2}, eu_spot={}
    )

    assert [prices.price("a", "eu-central-1", spot) for spot in (False, True)] == [
        prices.prices["a", "eu-central-1", False]
    ] * 2
    assert prices.price("b", "eu-central-1", True) == prices.prices["b", REFERENCE_REGION, True]
    assert prices.price("b", "eu-central-1", False) == prices.prices["b", REFERENCE_REGION, False]
    assert prices.price("c", "eu-central-1", False) is None


def test_what_a_region_lacks_is_told_of_machines_that_there_are() -> None:
    """A misspelt family would exclude nothing, and machines with a price in a region are sold there."""
    names = {one.name for one in offerings().machines}
    names |= {name.partition(".")[0] for name in names}

    assert all(absent <= names for absent in offerings().absent.values())
    for name, region, _ in offerings().prices:
        if region != REFERENCE_REGION:
            assert name in {one.name for one in offerings().sold_in(region)}, (name, region)


def test_the_table_says_what_the_survey_says() -> None:
    """The table has the same shape and price for every AWS machine in the survey."""
    machines = {one.name: one for one in offerings().machines}
    prices = dict(offerings().prices)
    with (given("MODELYARD_TABLES") / "accelerators.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["cloud"] == "aws"]
    for row in rows:
        one, name = machines[row["instance_type"]], row["instance_type"]
        offered = (canonical(one.accelerator.name), str(one.accelerator.count)) if one.accelerator else ("", "")
        assert offered == (canonical(row["accelerator"]), row["accelerator_count"])
        assert (one.vcpus, one.memory_gib, one.arch) == (int(row["vcpus"]), float(row["memory_gib"]), row["arch"])
        if row["accelerator_memory_gib"]:
            assert one.accelerator_memory_bytes == pytest.approx(float(row["accelerator_memory_gib"]) * GI, abs=1)
        for column, spot in (("on_demand_usd_per_hour", False), ("spot_usd_per_hour", True)):
            price = prices.pop((name, row["region"], spot), None)
            assert (str(price.hourly) if price else "") == row[column]
            assert price is None or price.source.split("@")[0].split(" ")[0] in row["source"]
            assert price is None or price.date in row["as_of"]

    assert set(machines) == {row["instance_type"] for row in rows}
    assert prices == {}
