"""Tests which machine types fit a Pod, and what the other types lack."""

from __future__ import annotations

from modelyard.manifest import gibibytes, memory_text
from modelyard.plan import NoMachine
from modelyard.spec import Accelerator
from modelyard_targets.machines.fitting import (
    first_alternative,
    has_room,
    lacks,
    leaves,
    shortfall,
    unknown_accelerator,
)
from tests.targets.cloud.hardware_requests import GI, compute_class, machine

HALF, GPU = machine("half", 4, 16), Accelerator("L4", 4)


def test_pod_fits_exactly() -> None:
    assert has_room(compute_class(4, 16), HALF)
    assert not has_room(compute_class(4.001, 16), HALF)
    assert not has_room(compute_class(4, 16.001), HALF)


def test_alternatives_are_tried_in_their_order() -> None:
    assert first_alternative(compute_class(1, 4, "T4", "L4:8", "L4:2"), GPU, 24 * GI, "L4".__eq__) == (
        2,
        Accelerator("L4", 2),
    )
    assert first_alternative(compute_class(1, 4, "T4"), GPU, 24 * GI, "L4".__eq__) is None


def test_memory_request_gets_one_accelerator() -> None:
    assert first_alternative(compute_class(by_memory=24), GPU, 24 * GI, "".__eq__) == (0, Accelerator("L4", 1))
    assert first_alternative(compute_class(by_memory=25), GPU, 24 * GI, "".__eq__) is None


def test_all_shortages_are_listed() -> None:
    compute = compute_class(8, 24, "L4", "T4:2")

    assert tuple(lacks(compute, HALF, "no accelerator", gibibytes)) == (
        "4 of the 8 requested CPUs",
        "16Gi of the requested 24Gi of memory",
        "no accelerator instead of L4:1 or T4:2",
    )
    assert tuple(lacks(compute_class(4, 16), HALF, "", gibibytes)) == ()
    assert tuple(lacks(compute_class(1, 1, by_memory=80), HALF, "L4:1", gibibytes)) == (
        "L4:1 instead of an accelerator with 80Gi",
    )


def test_shortfall_is_relative_to_the_request() -> None:
    assert shortfall(compute_class(8, 16), HALF) == 500
    assert shortfall(compute_class(8, 64), HALF) == 500 + 750
    assert shortfall(compute_class(1, 1), HALF) == 0


def test_free_memory_is_formatted_by_the_target() -> None:
    assert leaves(compute_class(1, 3.75), HALF, memory_text) == "leaves 3 CPUs and 12544Mi"
    assert leaves(compute_class(1, 3.75), HALF, gibibytes) == "leaves 3 CPUs and 12.2Gi"


def test_misspelt_accelerator_has_a_suggestion() -> None:
    refusal = unknown_accelerator(compute_class(1, 4, "L4", "L4OS"), 1, ["L4", "L40S"], "Kubernetes")

    assert refusal == NoMachine("'L4OS' is not a known accelerator on Kubernetes", 1, "did you mean 'L40S'?")
