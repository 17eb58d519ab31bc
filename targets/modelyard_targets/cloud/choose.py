"""Choose cloud machines for a compute class.

Machines that fit one Pod are ranked by the class's accelerator preference, then by the price of the whole machine. The
price per Pod is not used, because the class may have only one Pod. If prices are equal, the largest machine wins, then
the newest. The ranking does not depend on the size of the requests, so larger requests never lead to a smaller machine.
For elastic classes, Karpenter chooses among all machines that fit at run time.

To keep missing prices from distorting the ranking, all machines with the same accelerator are compared by the same
kind of price: the region's on-demand prices and, as a last resort, those of the reference region. For spot, they are
compared by the region's spot prices; a machine without one is compared by its on-demand price, which a spot price never
exceeds. The price shown is the best known price of each machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final

from modelyard.names import object_name
from modelyard.plan import Hardware, NodeGroup, NoMachine, PassedOver
from modelyard.records import record, replace
from modelyard.spec import Accelerator, ComputeClass, Taint
from modelyard_targets.cloud.explain_choice import considered, price_note
from modelyard_targets.cloud.matching import alternative, holding, kind_of, usable
from modelyard_targets.cloud.offerings import Machine, Offerings, Price
from modelyard_targets.cloud.reasons import nothing_fits, unknown
from modelyard_targets.cloud.smaller import smaller
from modelyard_targets.machines.accelerators import canonical, resource_of
from modelyard_targets.machines.fitting import has_room

POOL: Final = "modelyard.dev/pool"
"""The label and taint key of a pool's nodes."""

_KINDS_BY_MEMORY: Final = 3
"""How many accelerator models to use, cheapest first, for a compute class that requests accelerators by memory. Without
a limit, the class could silently use machines that cost many times as much.
"""

_DEPTH: Final = 5
"""The maximum number of machine types in a spot group. A cloud has a separate pool of spot capacity for each type."""


@record
class Fit:
    """A machine that fits one Pod, priced as spot or on demand. The lowest rank wins."""

    machine: Machine
    accelerator: Accelerator | None  # as the class requests it
    price: Price | None
    rank: tuple[int, float, float, int, int, int, str]


def choose(offerings: Offerings, compute: ComputeClass, region: str) -> Hardware | NoMachine:
    """Return the machines for a compute class in a region, or the reason why none fits."""
    return _for_class(compute, _chosen(offerings, replace(compute, name="", path=()), region))


def _for_class(compute: ComputeClass, choice: Hardware | NoMachine) -> Hardware | NoMachine:
    """Add the compute class's node label and taint to the chosen hardware."""
    if isinstance(choice, NoMachine):
        return choice
    pool = object_name(compute.name)
    tolerations = (Taint(POOL, pool), *choice.tolerations)
    return replace(choice, compute=compute.name, selector=((POOL, pool),), tolerations=tolerations)


@lru_cache(maxsize=1024)
def _chosen(offerings: Offerings, compute: ComputeClass, region: str) -> Hardware | NoMachine:
    """Choose machines for an unnamed compute class, so that classes with the same requests share a cache entry."""
    refused = unknown(offerings, compute, region)
    if refused is not None:
        return refused
    spot = compute.capacity != "on-demand"
    fits = _fits(offerings, compute, region, spot=spot)
    if not fits:
        return nothing_fits(offerings, compute, region)
    best = fits[0]
    resource = _accelerator_request(best)[0]
    candidates = [(candidate.machine, candidate.accelerator, candidate.price) for candidate in fits]
    return Hardware(
        compute=compute.name,
        cpu_millis=compute.cpu_millis,
        memory_bytes=compute.memory_bytes,
        disk_bytes=compute.disk_bytes,
        accelerator=best.accelerator,
        machine=best.machine.name,
        spot=spot,
        selector=(),
        tolerations=(Taint(resource),) if resource else (),
        price_hourly=best.price.hourly if best.price is not None else None,
        considered=considered(compute, region, spot, candidates),
        accelerator_resource=resource,
        groups=() if compute.elastic else tuple(_groups(offerings, compute, region)),
        elastic=compute.elastic,
        any_of=tuple(candidate.name for candidate in holding(offerings, compute, region)) if compute.elastic else (),
        smaller=smaller(offerings, compute, region, spot, best.rank[0], best.price),
        passed_over=tuple(_passed_over(offerings, compute, region, fits)),
    )


def _passed_over(offerings: Offerings, compute: ComputeClass, region: str, fits: list[Fit]) -> Iterator[PassedOver]:
    """Yield accelerator alternatives that no machine offers, or only in a different count than Pods request."""
    having = {fit.rank[0] for fit in fits}
    _, count = _accelerator_request(fits[0])
    for position, accelerator in enumerate(compute.accelerators):
        if position not in having:
            alone = replace(compute, accelerators=(accelerator,))
            refused = unknown(offerings, alone, region) or nothing_fits(offerings, alone, region)
            yield PassedOver(position, accelerator, refused.reason)
        elif accelerator.count != count:
            why = f"its Pods request {count} accelerators, like the first choice"
            yield PassedOver(position, accelerator, why)


def _fits(offerings: Offerings, compute: ComputeClass, region: str, *, spot: bool) -> list[Fit]:
    """Return the machines that fit one Pod, best first."""
    footings: dict[str, Callable[[str], float]] = {}
    fits: list[Fit] = []
    for machine in usable(offerings, region):
        match = alternative(compute, machine)
        if match is None or not has_room(compute, machine):
            continue
        at, accelerator, kind = match
        if kind not in footings:
            footings[kind] = _footing(offerings, compute, kind, region, spot)
        price = offerings.price(machine.name, region, spot)
        hourly = price.hourly if price is not None else float("inf")
        room = (-machine.cpu_millis, -machine.memory_bytes)
        rank = (at, footings[kind](machine.name), hourly, *room, -machine.generation, machine.name)
        fits.append(Fit(machine, accelerator, price, rank))
    return sorted(fits, key=lambda fit: fit.rank)


def _footing(offerings: Offerings, compute: ComputeClass, kind: str, region: str, spot: bool) -> Callable[[str], float]:
    """Return a price function that uses one kind of price for all machines with the same accelerator."""
    rivals = [machine.name for machine in usable(offerings, region) if kind_of(compute, machine) == kind]
    rivals = [name for name in rivals if offerings.price(name, region, spot) is not None]
    ways = (True, False) if spot else (False,)
    known_of_all = (way for way in ways if all((name, region, way) in offerings.prices for name in rivals))
    way = next(known_of_all, None)
    by_spot = spot and any((name, region, True) in offerings.prices for name in rivals)

    def price(name: str) -> float:
        where = (name, offerings.reference_region, False) if way is None else (name, region, way)
        offer = None if by_spot else offerings.prices.get(where)
        offer = offer or offerings.price(name, region, spot)
        return offer.hourly if offer is not None else float("inf")

    return price


def _groups(offerings: Offerings, compute: ComputeClass, region: str) -> Iterator[NodeGroup]:
    """Yield node groups in the order to try them: each alternative on spot, then on-demand, as the class allows.

    Pods request the accelerators of the first choice, so only alternatives with the same count can replace it at run
    time.
    """
    ways = {"spot": (True,), "spot-first": (True, False)}.get(compute.capacity, (False,))
    by_way = {way: _by_kind(_fits(offerings, compute, region, spot=way)) for way in ways}
    kinds = list(by_way[ways[0]])
    if compute.accelerator_memory_bytes is not None:
        kinds = kinds[:_KINDS_BY_MEMORY]
    for kind in kinds:
        for way in ways:
            fits = by_way[way][kind]
            best = fits[0]
            names = tuple(fit.machine.name for fit in fits if _beside(best, fit))[: _DEPTH if way else 1]
            price = best.price.hourly if best.price is not None else None
            note = price_note(best.price, way) if best.price is not None else ""
            yield NodeGroup(names, way, best.machine.accelerator, price, best.machine.arch, note)


def _by_kind(fits: list[Fit]) -> dict[str, list[Fit]]:
    """Group the machines by accelerator, excluding those that need other Pod requests than the first one."""
    kinds: dict[str, list[Fit]] = {}
    for fit in fits:
        if _accelerator_request(fit) == _accelerator_request(fits[0]):
            kinds.setdefault(canonical(fit.accelerator.name) if fit.accelerator is not None else "", []).append(fit)
    return kinds


def _accelerator_request(fit: Fit) -> tuple[str, int]:
    """Return the accelerator resource and the count that a Pod on the given machine requests."""
    accelerator = fit.accelerator
    return (resource_of(accelerator.name), accelerator.count) if accelerator is not None else ("", 0)


def _beside(best: Fit, other: Fit) -> bool:
    """Return whether a machine type may be in the same spot group as the best one.

    Cluster Autoscaler plans with the group's first machine, so the others must not be smaller. To limit the cost of
    idle capacity, they must be at most twice as large and, without an accelerator, must not have more CPUs.
    """
    first, second = best.machine, other.machine
    if first.accelerator != second.accelerator:
        return False
    most = 2 * first.vcpus if first.accelerator is not None else first.vcpus
    holds = second.cpu_millis >= first.cpu_millis and second.memory_bytes >= first.memory_bytes
    return holds and second.vcpus <= most and second.memory_gib <= 2 * first.memory_gib
