"""Tests which quotas of a new AWS account a system exceeds when fully scaled up."""

from __future__ import annotations

from modelyard_targets.aws.machines import offerings
from modelyard_targets.aws.quotas import Excess, excesses
from tests.targets.aws.emitted import emitted_object
from tests.targets.aws.infrastructure import LEADS, changed, plan_of


def needed(text: str = LEADS) -> dict[str, int]:
    """Return how much a system needs of each quota it exceeds, keyed by quota code."""
    return {excess.code: excess.needed for excess in excesses(plan_of(text), "main")}


def test_excess_has_default_and_needed_amount() -> None:
    """A `spot-first` class exceeds the spot and on-demand GPU quotas, which are both zero in a new account."""
    exceeded = excesses(plan_of(), "main")

    assert [(excess.code, excess.default) for excess in exceeded] == [
        ("L-1216C47A", 5),
        ("L-DB2E81BA", 0),
        ("L-3819A6DF", 0),
    ]
    assert exceeded[1] == Excess("ec2", "L-DB2E81BA", "Running On-Demand G and VT instances", 0, exceeded[1].needed)


def test_alternative_groups_count_once() -> None:
    """Alternative node groups of a pool count once. Two workers need twice as many vCPUs as one."""
    two = changed(("compute: gpu,", "compute: gpu, workers: 2,"))

    assert needed(two)["L-DB2E81BA"] == 2 * needed()["L-DB2E81BA"]


def test_elastic_class_needs_its_node_pool_limit() -> None:
    """An elastic class needs as many vCPUs as its NodePool's limit, from the spot quota if `capacity` is `spot`."""
    few, many = changed(), changed(("workers: {min: 1, max: 3}", "workers: {min: 1, max: 30}"))
    spot = changed(("disk: 30Gi, elastic: true", "disk: 30Gi, elastic: true, capacity: spot"))
    before, after = needed(few)["L-1216C47A"], needed(many)["L-1216C47A"]
    limits = [int(emitted_object("NodePool", "free", text)["spec"]["limits"]["cpu"]) for text in (few, many)]

    assert after - before == limits[1] - limits[0] > 100
    assert needed(spot)["L-34B43A08"] == limits[0]


def test_disks_and_roles_of_large_systems_count() -> None:
    disks = changed(("disk: 30Gi, elastic: true", "disk: 30Ti"), ("workers: {min: 1, max: 3}", "workers: 3"))

    assert needed(disks)["L-7A658B76"] > 50
    assert "L-7A658B76" not in needed()


def test_no_address_quota_is_exceeded_by_default() -> None:
    assert "L-0263D0A3" not in needed()


def test_every_machine_has_a_quota_for_spot_and_on_demand() -> None:
    """Every instance type in the table has an on-demand quota and a spot quota."""
    from modelyard_targets.aws.quotas import _code  # pyright: ignore[reportPrivateUsage] # tested for every machine

    for machine in offerings().machines:
        for spot in (False, True):
            assert _code(machine.name, spot=spot).startswith("L-")
