"""Choose EC2 instance types for compute classes and the system pool."""

from __future__ import annotations

from modelyard.plan import Hardware, NoMachine
from modelyard.spec import ComputeClass, System, TargetSpec
from modelyard_targets.aws.machines import offerings
from modelyard_targets.cloud import pools
from modelyard_targets.cloud.choose import choose as choose_from


def choose_system(system: System, target: TargetSpec) -> Hardware:
    """Return the instance type for the system pool in the target's region."""
    return pools.choose_system(offerings(), system, target)


def choose(compute: ComputeClass, target: TargetSpec) -> Hardware | NoMachine:
    """Return the instance types for a compute class in the target's region, or the reason why none fits."""
    return choose_from(offerings(), compute, target.region)
