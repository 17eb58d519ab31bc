"""What is said when no machine of EC2 will do."""

from __future__ import annotations

import pytest

from modelyard.spec import ComputeClass, TargetSpec
from modelyard_targets.aws.hardware import choose
from tests.targets.aws.hardware_asked import asked


@pytest.mark.parametrize(
    ("compute", "words"),
    [
        (asked(100, 100), "the nearest is m7i.16xlarge with 63590m of the 100 CPUs"),
        (asked(4, 300), "the nearest is r7i.8xlarge with 233.8Gi of the 300Gi of memory"),
        (asked(4, 16, "T4:8"), "the nearest is g4dn.12xlarge with T4:4 of 16Gi instead of T4:8"),
        (
            asked(4, 16, by_memory=300),
            "the nearest is p6-b300.48xlarge with B300:8 of 268.6Gi instead of an accelerator",
        ),
        (asked(4, 16, "MI300X"), "no machine of EC2 has MI300X; the nearest accelerator is B200 with 179.1Gi"),
        (
            asked(4, 16, "TPU-v5e", "V100"),
            "no machine of EC2 has TPU-v5e or V100; the nearest accelerator is T4 with 16Gi",
        ),
        (
            asked(4, 16, "Trainium"),
            "Trainium is asked for by aws.amazon.com/neuron, which no add-on offers yet; "
            "the nearest accelerator is A100 with 40Gi",
        ),
        (asked(4, 16, "L4OS", "L4"), "an accelerator called 'L4OS'; did you mean 'L40S'?"),
    ],
)
def test_the_nearest_is_named_and_all_that_it_lacks(compute: ComputeClass, words: str) -> None:
    found = choose(compute, TargetSpec("main", "aws", region="eu-central-1"))

    assert isinstance(found, str)
    assert words in found
