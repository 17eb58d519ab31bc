"""Choose Compute Engine machines for compute classes and the system pool."""

from __future__ import annotations

from typing import Final

from modelyard.plan import Hardware, NoMachine
from modelyard.records import replace
from modelyard.spec import ComputeClass, System, Taint, TargetSpec
from modelyard_targets.cloud import pools
from modelyard_targets.cloud.choose import POOL
from modelyard_targets.cloud.existing import derived
from modelyard_targets.cloud.single_machines import choose_single
from modelyard_targets.gcp.machines import offerings, system_offerings

COMPUTE_CLASS: Final = "cloud.google.com/compute-class"
"""The key of the label and taint on nodes that belong to a ComputeClass. Pods select the ComputeClass by the same
label.
"""


def choose_system(system: System, target: TargetSpec) -> Hardware:
    """Return the machine type for the system pool in the target's region."""
    return pools.choose_system(system_offerings(), system, target)


def choose(compute: ComputeClass, target: TargetSpec) -> Hardware | NoMachine:
    """Return the machine types for a compute class in the target's region, or the reason why none fits.

    A GKE node pool has only one machine type, so a group with several types is split into several pools. In that case,
    Pods select the ComputeClass that tries the pools in order. Elastic classes have no ComputeClass, so GKE grows the
    cheapest pool.
    """
    chosen = choose_single(offerings(), compute, target.region)
    if isinstance(chosen, NoMachine) or chosen.elastic or len(chosen.groups) == 1:
        return chosen
    return _ordered(chosen)


def _ordered(hardware: Hardware) -> Hardware:
    """Make Pods select the ComputeClass and tolerate its taint. The prefix avoids clashes with GKE's classes."""
    name = derived(dict(hardware.selector)[POOL])
    return replace(
        hardware,
        selector=(*hardware.selector, (COMPUTE_CLASS, name)),
        tolerations=(*hardware.tolerations, Taint(COMPUTE_CLASS, name)),
    )
