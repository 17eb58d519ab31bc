"""Choose Compute Engine machines for compute classes and the system pool."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.names import object_name
from modelyard.plan import Hardware, NodeGroup
from modelyard.records import replace
from modelyard.spec import Accelerator, ComputeClass, System, Taint, TargetSpec
from modelyard_targets.cloud import pools
from modelyard_targets.cloud.choose import POOL
from modelyard_targets.cloud.choose import choose as choose_from
from modelyard_targets.gcp.machines import offerings, system_offerings

_PODS_OF_A_NODE: Final = (1, 2, 4, 8)
"""The numbers of Pods per node for which an elastic class gets a node pool."""

COMPUTE_CLASS: Final = "cloud.google.com/compute-class"
"""The label and taint key of nodes that a ComputeClass may add. Pods select the class by the same label."""

_SPOT_POOLS: Final = 2
"""The most machine types in a spot group. Each needs a separate pool, which takes GKE a minute to create."""


def choose_system(system: System, target: TargetSpec) -> Hardware:
    """Return the machine for the system pool in the target's region."""
    return pools.choose_system(system_offerings(), system, target)


def choose(compute: ComputeClass, target: TargetSpec) -> Hardware | str:
    """Return the machines for a class in the target's region, or the reason why none fits.

    A GKE node pool has only one machine type, so a group with several types becomes several pools. With several pools,
    Pods select the ComputeClass that tries the pools in order. Elastic classes have no ComputeClass, so that GKE grows
    the cheapest pool.
    """
    found = choose_from(offerings(), replace(compute, elastic=False), target.region)
    if isinstance(found, str):
        return found
    if compute.elastic:
        return replace(found, groups=tuple(_sizes(compute, target.region)), elastic=True)
    groups = tuple(single for group in found.groups for single in _singles(group, target.region))
    chosen = replace(found, groups=groups)
    return _ordered(chosen) if len(groups) > 1 else chosen


def _sizes(compute: ComputeClass, region: str) -> Iterator[NodeGroup]:
    """Yield a group for each machine that fits one, two, four or eight Pods of a class, smallest first."""
    known: set[tuple[str, bool]] = set()
    for pods in _PODS_OF_A_NODE:
        found = choose_from(offerings(), _together(compute, pods), region)
        for group in found.groups if isinstance(found, Hardware) else ():
            single = _single(group, group.machines[0], region)
            if (single.machines[0], single.spot) not in known:
                known.add((single.machines[0], single.spot))
                yield single


def _together(compute: ComputeClass, pods: int) -> ComputeClass:
    """Return the class as if one Pod made the requests of several. Accelerators chosen by memory stay at one."""
    return replace(
        compute,
        cpu_millis=compute.cpu_millis * pods,
        memory_bytes=compute.memory_bytes * pods,
        accelerators=tuple(Accelerator(each.name, each.count * pods) for each in compute.accelerators),
        elastic=False,
    )


def _ordered(hardware: Hardware) -> Hardware:
    """Make Pods select the ComputeClass and tolerate its taint. The prefix avoids collisions with GKE's own classes."""
    name = object_name("modelyard", dict(hardware.selector)[POOL])
    return replace(
        hardware,
        selector=(*hardware.selector, (COMPUTE_CLASS, name)),
        tolerations=(*hardware.tolerations, Taint(COMPUTE_CLASS, name)),
    )


def _singles(group: NodeGroup, region: str) -> tuple[NodeGroup, ...]:
    """Split a group into one group for each machine, at most `_SPOT_POOLS`."""
    return tuple(_single(group, machine, region) for machine in group.machines[:_SPOT_POOLS])


def _single(group: NodeGroup, machine: str, region: str) -> NodeGroup:
    price = offerings().price(machine, region, group.spot)
    return replace(group, machines=(machine,), price_hourly=price.hourly if price is not None else None)
