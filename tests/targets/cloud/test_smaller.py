"""Tests that a smaller request is suggested when a compute class narrowly misses a much cheaper machine."""

from __future__ import annotations

import pytest

from modelyard.plan import Hardware, Smaller
from modelyard.spec import TargetSpec
from modelyard_targets.aws.hardware import choose
from modelyard_targets.cloud.choose import choose as choose_from
from tests.targets.aws.infrastructure import changed, refused
from tests.targets.cloud.hardware_requests import GI, compute_class, machine, market

FOUR = Smaller("half", 0.5, 4000, 14 * GI)


@pytest.mark.parametrize(
    ("cpu", "memory", "price", "expected"),
    [
        (4.5, 14, 0.5, FOUR),
        (4.5, 17, 0.5, Smaller("half", 0.5, 4000, 16 * GI)),
        (5.5, 14, 0.5, None),  # over a fifth too large
        (4.5, 14, 0.9, None),  # less than a fifth cheaper
    ],
)
def test_cheaper_machine_is_suggested(cpu: float, memory: float, price: float, expected: Smaller | None) -> None:
    machines = market(machine("half", 4, 16), machine("whole", 8, 32), us={"whole": 1.0, "half": price})
    hardware = choose_from(machines, compute_class(cpu, memory), "us-east-1")

    assert isinstance(hardware, Hardware)
    assert (hardware.machine, hardware.smaller) == ("whole", expected)


def test_only_machines_with_the_same_accelerator_count() -> None:
    """A cheaper machine type isn't suggested if its accelerators belong to a different alternative."""
    machines = market(machine("t", 4, 16, "T4"), machine("l", 8, 32, "L4"), us={"t": 0.5, "l": 1.0})
    hardware = choose_from(machines, compute_class(4.5, 14, "L4", "T4"), "us-east-1")

    assert isinstance(hardware, Hardware)
    assert hardware.smaller is None


def reported(replicas: int, compute: str) -> list[str]:
    small = ("  small: {cpu: 1, memory: 2Gi}", f"  small: {compute}")
    more = ("    compute: small\n", f"    compute: small\n    replicas: {replicas}\n")
    return [line for line in refused(changed(small, more)) if line.startswith("W0662")]


def test_worthwhile_saving_is_reported() -> None:
    """Ten 2-CPU Pods on 4-CPU machines are reported, but not a single one, nor ten Pods that fit well."""
    assert reported(10, "{cpu: 2, memory: 6Gi}") == ["W0662 small: {cpu: 2, memory: 6Gi}"]
    assert reported(1, "{cpu: 2, memory: 6Gi}") == []
    assert reported(10, "{cpu: 1750m, memory: 6Gi}") == []


def test_pods_that_share_a_large_machine_are_not_reported() -> None:
    """Two Pods sharing a 4-CPU machine aren't reported if it costs less than two 2-CPU machines."""
    hardware = choose(compute_class(1.8, 3), TargetSpec("main", "aws", region="eu-central-1"))

    assert isinstance(hardware, Hardware)
    assert (hardware.machine, hardware.smaller and hardware.smaller.machine) == ("c7i.xlarge", "m6i.large")
    assert reported(10, "{cpu: 1800m, memory: 3Gi}") == []
