"""Choose Azure virtual machines for compute classes and the system pool."""

from __future__ import annotations

from typing import Final

from modelyard.plan import Hardware, NoMachine
from modelyard.records import replace
from modelyard.spec import ComputeClass, System, Taint, TargetSpec
from modelyard_targets.azure.machines import offerings
from modelyard_targets.cloud import pools
from modelyard_targets.cloud.single_machines import choose_single

SPOT: Final = Taint("kubernetes.azure.com/scalesetpriority", "spot")
"""The taint that AKS puts on spot nodes (learn.microsoft.com/azure/aks/spot-node-pool, read 2026-11-25)."""


def choose_system(system: System, target: TargetSpec) -> Hardware:
    """Return the machine for the system pool in the target's region."""
    return pools.choose_system(offerings(), system, target)


def choose(compute: ComputeClass, target: TargetSpec) -> Hardware | NoMachine:
    """Return the machine types for a compute class in the target's region, or the reason why none fit.

    An AKS node pool has only one machine type, so a group with several types is split into several groups, which the
    autoscaler tries in order. An elastic class's groups are ordered from spot to on-demand, and from the smallest
    machine to the largest.
    """
    chosen = choose_single(offerings(), compute, target.region)
    if isinstance(chosen, NoMachine):
        return chosen
    if chosen.elastic:
        chosen = replace(chosen, groups=tuple(sorted(chosen.groups, key=lambda group: not group.spot)))
    if any(group.spot for group in chosen.groups):
        return replace(chosen, tolerations=(*chosen.tolerations, SPOT))
    return chosen
