"""Node pools with a single machine type each, for clouds whose pools cannot mix several types."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.plan import Hardware, NodeGroup, NoMachine
from modelyard.records import replace
from modelyard.spec import Accelerator, ComputeClass
from modelyard_targets.cloud.choose import choose
from modelyard_targets.cloud.explain_choice import price_note
from modelyard_targets.cloud.offerings import Offerings

_PODS_OF_A_NODE: Final = (1, 2, 4, 8)
"""The numbers of Pods per node that an elastic class gets node pools for."""

_SPOT_POOLS: Final = 2
"""The maximum number of machine types in a spot group. Each type needs a separate pool, which takes minutes to create.
"""


def choose_single(offerings: Offerings, compute: ComputeClass, region: str) -> Hardware | NoMachine:
    """Return the machines for a compute class, with one node group per machine type, or why none fits."""
    chosen = choose(offerings, replace(compute, elastic=False), region)
    if isinstance(chosen, NoMachine):
        return chosen
    if compute.elastic:
        return replace(chosen, groups=tuple(_sizes(offerings, compute, region)), elastic=True)
    groups = tuple(single for group in chosen.groups for single in _singles(offerings, group, region))
    return replace(chosen, groups=groups)


def _sizes(offerings: Offerings, compute: ComputeClass, region: str) -> Iterator[NodeGroup]:
    """Yield a group for each machine that fits one, two, four or eight Pods of a compute class, smallest first."""
    known: set[tuple[str, bool]] = set()
    for pods in _PODS_OF_A_NODE:
        choice = choose(offerings, _together(compute, pods), region)
        for group in choice.groups if isinstance(choice, Hardware) else ():
            single = _single(offerings, group, group.machines[0], region)
            if (single.machines[0], single.spot) not in known:
                known.add((single.machines[0], single.spot))
                yield single


def _together(compute: ComputeClass, pods: int) -> ComputeClass:
    """Return the compute class as if a single Pod requested the resources of several.

    An accelerator chosen by its memory keeps a count of one.
    """
    return replace(
        compute,
        cpu_millis=compute.cpu_millis * pods,
        memory_bytes=compute.memory_bytes * pods,
        accelerators=tuple(Accelerator(each.name, each.count * pods) for each in compute.accelerators),
        elastic=False,
    )


def _singles(offerings: Offerings, group: NodeGroup, region: str) -> tuple[NodeGroup, ...]:
    """Split a group into one group for each machine, up to `_SPOT_POOLS` groups."""
    return tuple(_single(offerings, group, machine, region) for machine in group.machines[:_SPOT_POOLS])


def _single(offerings: Offerings, group: NodeGroup, machine: str, region: str) -> NodeGroup:
    price = offerings.price(machine, region, group.spot)
    if price is None:
        return replace(group, machines=(machine,), price_hourly=None, price_note="")
    return replace(group, machines=(machine,), price_hourly=price.hourly, price_note=price_note(price, group.spot))
