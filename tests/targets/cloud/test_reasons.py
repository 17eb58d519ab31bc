"""Tests messages that explain why no machine of a cloud qualifies."""

from __future__ import annotations

import pytest

from modelyard.plan import NoMachine
from modelyard.spec import ComputeClass, TargetSpec
from modelyard_targets.aws.hardware import choose
from modelyard_targets.azure.hardware import choose as choose_on_azure
from tests.targets.cloud.hardware_requests import compute_class


@pytest.mark.parametrize(
    ("compute", "region", "words"),
    [
        (
            compute_class(4, 16, "L4"),
            "eu-west-1",
            "EC2 offers no L4 in eu-west-1; the closest accelerator is A10G with 22.4Gi",
        ),
        (
            compute_class(4, 16, "H100:8", "H200:8"),
            "eu-central-1",
            "EC2 offers no H100 or H200 in eu-central-1; the closest",
        ),
        (
            compute_class(4, 16, "L4"),
            "ca-west-1",
            "EC2 offers no L4 in ca-west-1, nor any other supported accelerator",
        ),
        (compute_class(4, 16, by_memory=16), "ca-west-1", "EC2 offers no supported accelerator in ca-west-1"),
    ],
)
def test_missing_accelerator_names_the_closest_in_the_region(compute: ComputeClass, region: str, words: str) -> None:
    reason = choose(compute, TargetSpec("main", "aws", region=region))

    assert isinstance(reason, NoMachine)
    assert words in reason.reason


@pytest.mark.parametrize(
    ("compute", "words"),
    [
        (compute_class(100, 100), "the closest is m7i.16xlarge, which has 63.59 of the 100 requested CPUs"),
        (compute_class(4, 300), "the closest is r7i.8xlarge, which has 233.8Gi of the requested 300Gi of memory"),
        (compute_class(4, 16, "T4:8"), "the closest is g4dn.12xlarge, which has T4:4 (16Gi each) instead of T4:8"),
        (
            compute_class(4, 16, by_memory=300),
            "the closest is g7e.2xlarge, which has RTX-PRO-6000:1 (96Gi) instead of an accelerator",
        ),
        (
            compute_class(4, 16, "MI300X"),
            "no EC2 machine has MI300X; the closest accelerator is RTX-PRO-6000 with 96Gi",
        ),
        (
            compute_class(4, 16, "TPU-v5e", "V100"),
            "no EC2 machine has TPU-v5e or V100; the closest accelerator is T4 with 16Gi",
        ),
        (
            compute_class(4, 16, "Trainium"),
            "Trainium needs the resource aws.amazon.com/neuron, which no add-on provides yet; "
            "the closest accelerator is A100-40GB with 40Gi",
        ),
        (compute_class(4, 16, "L4OS", "L4"), "'L4OS' is not a known accelerator on EC2"),
    ],
)
def test_closest_machine_is_named_with_all_shortages(compute: ComputeClass, words: str) -> None:
    reason = choose(compute, TargetSpec("main", "aws", region="eu-central-1"))

    assert isinstance(reason, NoMachine)
    assert words in reason.reason


def test_a_misspelt_accelerator_names_the_cloud_and_the_place() -> None:
    reason = choose_on_azure(compute_class(4, 16, "H100", "A100-80G"), TargetSpec("main", "azure", region="westeurope"))

    assert reason == NoMachine(
        "'A100-80G' is not a known accelerator on Azure", position=1, hint="did you mean 'A100-80GB'?"
    )
