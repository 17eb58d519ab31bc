"""Choose a declared machine for a compute class.

`capacity` is what Pods may use of a machine, excluding the node's own reservation.
"""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.manifest import memory_text
from modelyard.plan import SYSTEM_POOL, Candidate, Fallback, Hardware, NoMachine, PassedOver
from modelyard.records import record, replace
from modelyard.spec import Accelerator, ComputeClass, Machines, System, Taint, TargetSpec
from modelyard_targets.kube.pods.sizes import head_size
from modelyard_targets.machines.accelerators import canonical, known, names, of_memory, resource_of
from modelyard_targets.machines.fitting import (
    SHOWN,
    first_alternative,
    has_room,
    lacks,
    leaves,
    shortfall,
    unknown_accelerator,
    wants_accelerator,
)

ANY_MACHINE = "any machine"
"""Placeholder hardware for a target without declared capacity, where the scheduler decides where a Pod runs."""


@record
class _Fit:
    """A machine that fits one Pod. The lowest rank wins."""

    at: int
    machine: Machines
    accelerator: Accelerator | None
    rank: tuple[int, bool, bool, float, int, int]  # alternative, unused accelerator, on demand after spot, price …


def choose_system(system: System, target: TargetSpec) -> Hardware | None:
    """Return the best declared machine for heads, launchers and the registry.

    Returns None if no capacity is declared, no declared machine fits a head, or the choice is ambiguous. The capacity
    check then packs heads onto any machine and reports what doesn't fit.
    """
    if not target.capacity:
        return None
    size = head_size(system, target)
    chosen = choose(ComputeClass(SYSTEM_POOL, (), size.cpu_millis, size.memory_bytes), target)
    return chosen if isinstance(chosen, Hardware) else None


def choose(compute: ComputeClass, target: TargetSpec) -> Hardware | NoMachine:
    """Return the machine for one Pod of a compute class, or the reason why none fits.

    Accelerator alternatives are tried in order. Within an alternative, the cheapest machine wins, then the one with the
    least unused capacity, then the one declared first. A class without accelerators uses a machine with accelerators
    only if nothing else fits. Within an alternative, `spot-first` prefers spot and falls back to the best on-demand
    machine, while `spot` only uses spot.
    """
    if compute.elastic:
        return NoMachine(
            "the target's machines already exist, but `elastic` is only for machines that a cloud creates; remove"
            " `elastic`"
        )
    unknown = _unknown(compute, target)
    if unknown is not None:
        return unknown
    if not target.capacity:
        return _open_cluster(compute)
    fits = sorted(_fits(compute, target), key=lambda fit: fit.rank)
    if not fits:
        return NoMachine(_nothing_fits(compute, target))
    chosen = (fits[0], *_fallback(fits))
    for fit in chosen:
        stranger = _reachable_by_mistake(compute, fit, chosen, target)
        if stranger is not None:
            return NoMachine(
                f"a Pod for capacity[{fit.at}] could also land on capacity[{stranger}], "
                "which does not fit the class; give one of them its own labels or taints"
            )
    return _hardware(compute, chosen, fits, tuple(_passed_over(compute, target, fits)))


def _unknown(compute: ComputeClass, target: TargetSpec) -> NoMachine | None:
    """Explain that no device plugin supports one of the class's accelerators, or return None if all are supported."""
    declared = {canonical(machine.accelerator.name) for machine in target.capacity if machine.accelerator is not None}
    for position, accelerator in enumerate(compute.accelerators):
        if known(accelerator.name) is None:
            also = ", although a machine is declared with it" if canonical(accelerator.name) in declared else ""
            return unknown_accelerator(compute, position, names(), "Kubernetes", also)
    return None


def _open_cluster(compute: ComputeClass) -> Hardware | NoMachine:
    """Return hardware with the requests unchanged, because no machines are declared."""
    if compute.capacity == "spot":
        return NoMachine("it needs spot machines, but no `capacity` is declared")
    if compute.accelerator_memory_bytes is not None:
        return NoMachine("`acceleratorMemory` can only choose from declared `capacity`; name an accelerator instead")
    first = compute.accelerators[0] if compute.accelerators else None
    resource = _resource(first)
    return Hardware(
        compute=compute.name,
        cpu_millis=compute.cpu_millis,
        memory_bytes=compute.memory_bytes,
        disk_bytes=compute.disk_bytes,
        accelerator=first,
        machine=ANY_MACHINE,
        spot=False,
        selector=(),
        tolerations=(Taint(resource),) if resource else (),
        price_hourly=None,
        considered=(Candidate(ANY_MACHINE, None, "no capacity is declared, so the scheduler decides"),),
        accelerator_resource=resource,
        passed_over=tuple(
            PassedOver(position, other, "no `capacity` is declared, so Pods request the first alternative")
            for position, other in enumerate(compute.accelerators[1:], 1)
        ),
    )


def _resource(accelerator: Accelerator | None) -> str:
    return resource_of(accelerator.name) if accelerator is not None else ""


def _fits(compute: ComputeClass, target: TargetSpec) -> Iterator[_Fit]:
    for at, machine in enumerate(target.capacity):
        if not (_allowed(compute, machine) and has_room(compute, machine)) or _instead(compute, machine):
            continue
        alternative, accelerator = _alternative(compute, machine) or (0, None)
        idle = machine.accelerator is not None and accelerator is None
        price = machine.price_hourly if machine.price_hourly is not None else float("inf")
        late = compute.capacity == "spot-first" and not machine.spot
        yield _Fit(
            at, machine, accelerator, (alternative, idle, late, price, _left_over(compute, machine, accelerator), at)
        )


def _fallback(fits: list[_Fit]) -> tuple[_Fit, ...]:
    """Return the best on-demand machine with the same accelerators as the chosen spot machine, if there is one.

    `fits` must be sorted. It contains both spot and on-demand machines only for `spot-first`.
    """
    best = fits[0]
    if not best.machine.spot:
        return ()
    same = (fit for fit in fits if not fit.machine.spot and fit.rank[:2] == best.rank[:2])
    return tuple(fit for fit in same if _resource(fit.accelerator) == _resource(best.accelerator))[:1]


def _allowed(compute: ComputeClass, machine: Machines) -> bool:
    """Return whether the compute class allows a machine's capacity type (spot or on-demand)."""
    return {"on-demand": not machine.spot, "spot": machine.spot}.get(compute.capacity, True)


def _alternative(compute: ComputeClass, machine: Machines) -> tuple[int, Accelerator] | None:
    """Return the first requested accelerator alternative that a machine satisfies, with its position."""
    offered = machine.accelerator
    if offered is None:
        return None
    memory = _memory_of_one(machine) if known(offered.name) is not None else 0
    return first_alternative(compute, offered, memory, lambda name: _has(machine, name))


def _has(machine: Machines, name: str) -> bool:
    """Return whether a machine's accelerators match the given name, either as declared or by memory size.

    A machine with `A100` and `acceleratorMemory: 80Gi` matches `A100-80GB`, not `A100-40GB`.
    """
    declared = machine.accelerator.name if machine.accelerator is not None else ""
    return canonical(name) == canonical(_variant(machine)) or name.casefold() == declared.casefold()


def _variant(machine: Machines) -> str:
    """Return the name of a machine's accelerators, including the memory size if it distinguishes variants."""
    declared = machine.accelerator.name if machine.accelerator is not None else ""
    memory = machine.accelerator_memory_bytes
    return of_memory(declared, memory) if memory is not None else declared


def _memory_of_one(machine: Machines) -> int:
    """Return the memory of each accelerator in a machine, as declared or looked up by its name."""
    if machine.accelerator_memory_bytes is not None:
        return machine.accelerator_memory_bytes
    entry = known(machine.accelerator.name) if machine.accelerator is not None else None
    return entry.memory_bytes if entry is not None else 0


def _left_over(compute: ComputeClass, machine: Machines, accelerator: Accelerator | None) -> int:
    """Return the capacity left unused by one Pod, in millicores.

    A CPU counts as 4 GiB or 1/32 of an accelerator.
    """
    idle = (machine.accelerator.count if machine.accelerator else 0) - (accelerator.count if accelerator else 0)
    memory = (machine.memory_bytes - compute.memory_bytes) * 250 // 1024**3
    return machine.cpu_millis - compute.cpu_millis + memory + idle * 32_000


def _lacks(compute: ComputeClass, machine: Machines) -> tuple[str, ...]:
    """Describe what a machine lacks in order to fit one Pod."""
    return tuple(lacks(compute, machine, _instead(compute, machine), memory_text))


def _instead(compute: ComputeClass, machine: Machines) -> str:
    """Describe a machine's accelerators if they don't satisfy any requested alternative, or else return ""."""
    return _offer(machine) if wants_accelerator(compute) and _alternative(compute, machine) is None else ""


def _offer(machine: Machines) -> str:
    return f"{_variant(machine)}:{machine.accelerator.count}" if machine.accelerator is not None else "no accelerator"


def _nothing_fits(compute: ComputeClass, target: TargetSpec) -> str:
    """Describe the closest machine and its shortages, or say that no machine has the requested capacity type."""
    allowed = [(at, machine) for at, machine in enumerate(target.capacity) if _allowed(compute, machine)]
    if not allowed:
        return (
            "it needs spot machines, but none is declared with `spot: true`"
            if compute.capacity == "spot"
            else ("it needs on-demand machines, but all declared machines are `spot: true`")
        )
    at, machine = min(allowed, key=lambda entry: (*_distance(compute, entry[1]), entry[0]))
    return f"the closest is capacity[{at}], which has {' and '.join(_lacks(compute, machine))}"


def _distance(compute: ComputeClass, machine: Machines) -> tuple[int, bool, int]:
    """Rank how far a machine is from fitting a Pod: by number of scarce resources, missing accelerators, and size."""
    without = wants_accelerator(compute) and machine.accelerator is None
    return len(_lacks(compute, machine)), without, shortfall(compute, machine)


def _tolerations(machine: Machines, resource: str) -> tuple[Taint, ...]:
    """Return tolerations for a machine's taints and for the usual taint of its accelerators.

    An empty value matches any.
    """
    usual = Taint(resource)
    own = machine.taints
    return own if not resource or any(taint.key == resource for taint in own) else (*own, usual)


def _all_tolerations(chosen: tuple[_Fit, ...]) -> tuple[Taint, ...]:
    taints = [taint for fit in chosen for taint in _tolerations(fit.machine, _resource(fit.accelerator))]
    return tuple(dict.fromkeys(taints))


def _reachable_by_mistake(
    compute: ComputeClass, best: _Fit, chosen: tuple[_Fit, ...], target: TargetSpec
) -> int | None:
    """Return the position of an excluded machine that the scheduler could still choose for a class's Pods, or None."""
    tolerated = {(taint.key, taint.value) for taint in _all_tolerations(chosen)}
    for at, other in enumerate(target.capacity):
        labels = set(other.labels)
        if any(at == fit.at for fit in chosen) or not labels.issuperset(best.machine.labels):
            continue
        blocked = any(
            taint.effect != "PreferNoSchedule" and not {(taint.key, taint.value), (taint.key, "")} & tolerated
            for taint in other.taints
        )
        if not blocked and _unwanted(compute, best, other):
            return at
    return None


def _unwanted(compute: ComputeClass, best: _Fit, other: Machines) -> bool:
    """Return whether a machine has a capacity type or accelerator that the compute class excludes."""
    if compute.capacity != "spot-first" and other.spot != best.machine.spot:
        return True
    if best.accelerator is None or other.accelerator is None:
        return False
    same = _resource(other.accelerator) == _resource(best.accelerator)
    return same and other.accelerator.count >= best.accelerator.count and _alternative(compute, other) is None


def _passed_over(compute: ComputeClass, target: TargetSpec, fits: list[_Fit]) -> Iterator[PassedOver]:
    """Yield accelerator alternatives preceding the chosen one, and why no machine satisfies them."""
    chosen, *_ = fits[0].rank
    for position, accelerator in enumerate(compute.accelerators[:chosen]):
        yield PassedOver(position, accelerator, _nothing_fits(replace(compute, accelerators=(accelerator,)), target))


def _hardware(
    compute: ComputeClass, chosen: tuple[_Fit, ...], fits: list[_Fit], passed_over: tuple[PassedOver, ...]
) -> Hardware:
    best = chosen[0]
    fallbacks = [Fallback(f"capacity[{fit.at}]", fit.machine.labels) for fit in chosen[1:]]
    return Hardware(
        compute=compute.name,
        cpu_millis=compute.cpu_millis,
        memory_bytes=compute.memory_bytes,
        disk_bytes=compute.disk_bytes,
        accelerator=best.accelerator,
        machine=f"capacity[{best.at}]",
        spot=best.machine.spot,
        selector=best.machine.labels,
        tolerations=_all_tolerations(chosen),
        price_hourly=best.machine.price_hourly,
        considered=tuple(_candidate(compute, fit) for fit in fits[:SHOWN]),
        accelerator_resource=_resource(best.accelerator),
        passed_over=passed_over,
        fallback=fallbacks[0] if fallbacks else None,
    )


def _candidate(compute: ComputeClass, fit: _Fit) -> Candidate:
    memory = _memory_of_one(fit.machine)
    what = (
        _offer(fit.machine) + (f" of {memory_text(memory)}" if memory else "") if fit.accelerator else "no accelerator"
    )
    kind = "spot" if fit.machine.spot else "on demand"
    currency = f"{fit.machine.currency}, " if fit.machine.currency else ""
    why = f"{what}; {currency}{kind}; {leaves(compute, fit.machine, memory_text)}"
    return Candidate(f"capacity[{fit.at}]", fit.machine.price_hourly, why)
