"""Tests that machine types qualify for a compute class by accelerator, region and architecture."""

from __future__ import annotations

from dataclasses import replace

from modelyard.spec import Accelerator
from modelyard_targets.cloud.matching import alternative, usable
from modelyard_targets.cloud.offerings import Offerings
from tests.targets.cloud.hardware_requests import compute_class, machine, market

PLAIN, L4 = machine("plain", 4, 16), machine("gpu", 4, 16, "L4:4")


def test_accelerators_must_be_requested() -> None:
    assert alternative(compute_class(), L4) is None
    assert alternative(compute_class(1, 4, "L4"), PLAIN) is None
    assert alternative(compute_class(1, 4, by_memory=1), PLAIN) is None
    assert alternative(compute_class(), PLAIN) == (0, None, "")


def test_first_matching_alternative_is_returned() -> None:
    assert alternative(compute_class(1, 4, "A10G", "l4:2"), L4) == (1, Accelerator("l4", 2), "l4")
    assert alternative(compute_class(1, 4, "A10G", "L4:8"), L4) is None


def test_memory_is_compared_to_each_accelerator() -> None:
    assert alternative(compute_class(1, 4, by_memory=24), L4) == (0, Accelerator("L4", 1), "*")
    assert alternative(compute_class(1, 4, by_memory=25), L4) is None
    assert alternative(compute_class(1, 4, by_memory=1), replace(L4, accelerator_memory_bytes=None)) is None


def test_absent_families_and_machines_are_not_usable() -> None:
    small, large, other = (
        machine("g6.xlarge", 4, 16, "L4"),
        machine("g6.2xlarge", 8, 32, "L4"),
        machine("g5.xlarge", 4, 16),
    )
    absent = {"eu-west-1": frozenset({"g6"}), "eu-west-2": frozenset({"g6.2xlarge"})}
    machines = replace(market(small, large, other), absent=absent)

    assert list(usable(machines, "eu-west-1")) == [other]
    assert list(usable(machines, "eu-west-2")) == [small, other]
    assert list(usable(machines, "mx-central-1")) == [small, large, other]  # regions without data


def test_arm_burstable_and_unsupported_machines_are_not_usable() -> None:
    other, tired = replace(PLAIN, name="arm", arch="arm64"), replace(PLAIN, name="t", burstable=True)
    machines: Offerings = market(other, PLAIN, tired, machine("inf", 4, 16, "Inferentia2:1"))

    assert list(usable(machines, "us-east-1")) == [PLAIN]
