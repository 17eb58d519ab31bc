"""Choice of Compute Engine machines for a compute class."""

from __future__ import annotations

from typing import Final

from modelyard.names import object_name
from modelyard.plan import Hardware
from modelyard.records import replace
from modelyard.spec import ComputeClass, System, Taint, TargetSpec
from modelyard_targets.cloud import pools
from modelyard_targets.cloud.choose import POOL
from modelyard_targets.cloud.single_machines import choose_single
from modelyard_targets.gcp.machines import offerings, system_offerings

COMPUTE_CLASS: Final = "cloud.google.com/compute-class"
"""Label and taint of nodes that a ComputeClass may add, and the label by which Pods select the class."""


def choose_system(system: System, target: TargetSpec) -> Hardware:
    """Return the machine of the system pool in the target's region."""
    return pools.choose_system(system_offerings(), system, target)


def choose(compute: ComputeClass, target: TargetSpec) -> Hardware | str:
    """Return the machines for a class in the target's region, or the reason why there are none.

    A node pool of GKE has one machine type, so a group of several becomes several. With more than one pool, Pods select
    the ComputeClass that tries them in order, except those of an elastic class: GKE adds the cheapest of its pools.
    """
    chosen = choose_single(offerings(), compute, target.region)
    if isinstance(chosen, str) or chosen.elastic or len(chosen.groups) == 1:
        return chosen
    return _ordered(chosen)


def _ordered(hardware: Hardware) -> Hardware:
    """Have Pods select the ComputeClass and tolerate its taint; GKE has some of its own, hence the prefix."""
    name = object_name("modelyard", dict(hardware.selector)[POOL])
    return replace(
        hardware,
        selector=(*hardware.selector, (COMPUTE_CLASS, name)),
        tolerations=(*hardware.tolerations, Taint(COMPUTE_CLASS, name)),
    )
