"""Choice of EC2 instance types for a compute class."""

from __future__ import annotations

from modelyard.plan import Hardware
from modelyard.spec import ComputeClass, TargetSpec
from modelyard_targets.aws.machines import offerings
from modelyard_targets.cloud.choose import choose as choose_from


def choose(compute: ComputeClass, target: TargetSpec) -> Hardware | str:
    """Return the machines for a class in the target's region, or the reason why there are none."""
    return choose_from(offerings(), compute, target.region)
