"""Choice of Compute Engine machines for a compute class."""

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
"""How many Pods of an elastic class the machines of its node pools suit."""

COMPUTE_CLASS: Final = "cloud.google.com/compute-class"
"""Label and taint of nodes that a ComputeClass may add, and the label by which Pods select the class."""

_SPOT_POOLS: Final = 2
"""Machine types that a spot group becomes; each is a pool of its own, which takes GKE a minute to create."""


def choose_system(system: System, target: TargetSpec) -> Hardware:
    """Return the machine of the system pool in the target's region."""
    return pools.choose_system(system_offerings(), system, target)


def choose(compute: ComputeClass, target: TargetSpec) -> Hardware | str:
    """Return the machines for a class in the target's region, or the reason why there are none.

    A node pool of GKE has one machine type, so a group of several becomes several. With more than one pool, Pods select
    the ComputeClass that tries them in order, except those of an elastic class: GKE adds the cheapest of its pools.
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
    """Yield a group for each machine that suits one, two, four or eight Pods of a class, smallest first."""
    known: set[tuple[str, bool]] = set()
    for pods in _PODS_OF_A_NODE:
        found = choose_from(offerings(), _together(compute, pods), region)
        for group in found.groups if isinstance(found, Hardware) else ():
            single = _single(group, group.machines[0], region)
            if (single.machines[0], single.spot) not in known:
                known.add((single.machines[0], single.spot))
                yield single


def _together(compute: ComputeClass, pods: int) -> ComputeClass:
    """Return the requests of several Pods as if they were one; accelerators chosen by memory stay at one."""
    return replace(
        compute,
        cpu_millis=compute.cpu_millis * pods,
        memory_bytes=compute.memory_bytes * pods,
        accelerators=tuple(Accelerator(each.name, each.count * pods) for each in compute.accelerators),
        elastic=False,
    )


def _ordered(hardware: Hardware) -> Hardware:
    """Have Pods select the ComputeClass and tolerate its taint; GKE has some of its own, hence the prefix."""
    name = object_name("modelyard", dict(hardware.selector)[POOL])
    return replace(
        hardware,
        selector=(*hardware.selector, (COMPUTE_CLASS, name)),
        tolerations=(*hardware.tolerations, Taint(COMPUTE_CLASS, name)),
    )


def _singles(group: NodeGroup, region: str) -> tuple[NodeGroup, ...]:
    """Return a group for each machine of a group, as many as become node pools."""
    return tuple(_single(group, machine, region) for machine in group.machines[:_SPOT_POOLS])


def _single(group: NodeGroup, machine: str, region: str) -> NodeGroup:
    price = offerings().price(machine, region, group.spot)
    return replace(group, machines=(machine,), price_hourly=price.hourly if price is not None else None)
