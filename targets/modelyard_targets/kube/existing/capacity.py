"""Check whether all workloads that may run at the same time fit on the declared machines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from modelyard.diagnostics.base import Diagnostic, joined
from modelyard.diagnostics.capacity import (
    cannot_be_packed,
    no_room_for_upgrade,
    nothing_yields,
    run_too_large,
    too_little,
)
from modelyard.manifest import cpu_text, memory_text
from modelyard.plan import ModelServer, Plan
from modelyard.records import record, replace
from modelyard.source import Path
from modelyard.spec import System, Taint
from modelyard_targets.kube.placement.placed import system_machine, target_of
from modelyard_targets.kube.pods.demand import PodRequest, demand
from modelyard_targets.kube.pods.priorities import PRIORITIES, next_lower
from modelyard_targets.machines.packing import CPU, MEMORY, Floor, Packed, Pods, Shape, pack

PODS_OF_A_MACHINE: Final = 110
"""The kubelet's default limit on Pods (kubernetes.io, "Considerations for large clusters", read 2026-11-24)."""


Support: TypeAlias = tuple[tuple[tuple[str, str], ...], tuple[Taint, ...], str]
"""The node selector, tolerations, and preferred machine of Pods without a compute class."""


@record
class Packable:
    """The largest requests of all workloads of a priority, split into permanent Pods and each pipeline's Pods.

    `beside` holds the minimum requests of workloads with a higher priority. Workloads with a lower priority are
    ignored, because they are preempted.
    """

    always: tuple[Pods, ...]
    runs: Mapping[str, tuple[Pods, ...]]  # by pipeline
    beside: tuple[Pods, ...] = ()

    def together(self, name: str) -> tuple[Pods, ...]:
        """Return a pipeline's Pods and all Pods that can run alongside them."""
        return (*self.beside, *self.always, *self.runs[name])

    def at_most(self) -> Iterator[tuple[Pods, ...]]:
        """Yield the largest Pod combinations: all permanent Pods plus, for each resource, the largest pipeline's."""
        largest: dict[str, tuple[int, str]] = {}
        for name, pods in self.runs.items():
            for what, amount in totals(pods).items():
                if amount > largest.get(what, (0, ""))[0]:
                    largest[what] = (amount, name)
        names = dict.fromkeys(name for _, name in largest.values())
        if not names:
            yield (*self.beside, *self.always)
        for name in names:
            yield self.together(name)


def check_capacity(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report pipelines that can never reach their maximum size, and workloads that don't fit at the same time.

    The check counts all endpoints at their maximum size, all monitors, and only the largest pipeline, because pipelines
    can wait for each other. Each lower priority is checked together with the minimum requests of the higher priorities.
    Nothing is reported if no capacity is declared.
    """
    target = target_of(plan, placement)
    if not target.capacity:
        return
    floor = Floor(target.capacity)
    problems = [
        problem
        for level in pods_of(plan, placement, floor)
        for problem in _level(plan.system, placement, level, _least(plan, placement, floor), floor)
    ]
    yield from problems
    if not problems:
        yield from _upgrades(plan, placement, floor)


def _level(
    system: System, placement: str, level: Packable, least: tuple[Pods, ...], floor: Floor
) -> Iterator[Diagnostic]:
    """Report workloads of a single priority that don't fit on the machines."""
    hopeless: set[str] = set()
    for name, pods in level.runs.items():
        problem = _own_size(system, name, pods, floor)
        if problem is not None:
            hopeless.add(name)
            yield problem
    possible = replace(level, runs={name: pods for name, pods in level.runs.items() if name not in hopeless})
    for pods in possible.at_most():
        homeless = pack(pods, floor).homeless
        if homeless is None:
            continue
        undecided = tuple(_undecided(system, placement, possible, least, floor))
        yield from undecided or (_shortage(system, placement, pods, homeless, floor),)
        return


def _undecided(
    system: System, placement: str, level: Packable, least: tuple[Pods, ...], floor: Floor
) -> Iterator[Diagnostic]:
    """Report pipelines that only fit while permanent workloads are below maximum, so they may have to wait."""
    if pack((*level.beside, *level.always), floor).homeless is not None:
        return
    for name, pods in level.runs.items():
        homeless = pack(level.together(name), floor).homeless
        if homeless is not None and pack((*least, *pods), floor).homeless is None:
            left_over = homeless.what, homeless.count, amount_text(homeless.shape)
            lower = next_lower(system.pipelines[name].priority)
            yield nothing_yields(system.key("pipelines", name), name, placement, left_over, lower)


def _upgrades(plan: Plan, placement: str, floor: Floor) -> Iterator[Diagnostic]:
    """Report servers whose blue-green rollout can't finish, as the replacement doesn't fit even without load."""
    pod_demand = demand(plan, placement)
    support = _support(plan, placement)
    quiet = _at_least(pod_demand.always, floor, support)
    tried: dict[tuple[tuple[int, Shape], ...], Pods | None] = {}  # results for identical servers
    for resource in plan.of(ModelServer, placement):
        first = resource.value.applications[0].inference
        if first.rollout.strategy != "blue-green":
            continue
        again = _at_least(pod_demand.servers[resource.name], floor, support)
        key = tuple((pods.count, pods.shape) for pods in again)
        if key not in tried:
            tried[key] = pack((*quiet, *again), floor).homeless
        homeless = tried[key]
        if homeless is not None:
            system, path = plan.system, ("inference", first.name)
            own = system.at(*path, "rollout")
            span = own if own != system.at(*path) else system.key(*path)
            yield no_room_for_upgrade(span, resource.name, placement, homeless.count, amount_text(homeless.shape))


def machines_needed(plan: Plan, placement: str) -> Mapping[int, int]:
    """Return how many machines the workloads need at their maximum size, by index in `capacity`."""
    floor = Floor(target_of(plan, placement).capacity)
    needed: dict[int, int] = {}
    for level in pods_of(plan, placement, floor):
        for pods in level.at_most():
            packed: Packed = pack(pods, floor)
            for at, count in packed.used.items():
                needed[at] = max(needed.get(at, 0), count)
    return needed


def quota(plan: Plan, placement: str) -> Mapping[str, str]:
    """Return the declared capacity as a ResourceQuota, or an empty mapping if none is declared.

    The quota doesn't restrict CPU limits, because they don't reserve anything.
    """
    machines = target_of(plan, placement).capacity
    if not machines:
        return {}
    floor = Floor(machines)
    total: dict[str, int] = {}
    for machine, size in zip(machines, floor.sizes, strict=True):
        for what, amount in size.items():
            total[what] = total.get(what, 0) + machine.count * amount
    pieces = {f"requests.{what}": str(amount) for what, amount in sorted(total.items()) if what not in (CPU, MEMORY)}
    return {
        "requests.cpu": cpu_text(total[CPU]),
        "requests.memory": memory_text(total[MEMORY]),
        "limits.memory": memory_text(total[MEMORY]),
        **pieces,
        "pods": str(PODS_OF_A_MACHINE * sum(machine.count for machine in machines)),
    }


def pods_of(plan: Plan, placement: str, floor: Floor) -> Iterator[Packable]:
    """Yield the largest Pod counts of each priority, highest first, and the machines that these Pods may use."""
    pod_demand = demand(plan, placement)
    support = _support(plan, placement)
    reserved: tuple[Pods, ...] = ()
    for priority in PRIORITIES:
        always = tuple(request for request in pod_demand.always if request.priority == priority)
        runs = {
            name: tuple(_pods(floor, support, request, request.most) for request in run)
            for name, run in pod_demand.runs.items()
            if plan.system.pipelines[name].priority == priority
        }
        if always or runs:
            yield Packable(tuple(_pods(floor, support, request, request.most) for request in always), runs, reserved)
        reserved = (*reserved, *_at_least(always, floor, support))


def _least(plan: Plan, placement: str, floor: Floor) -> tuple[Pods, ...]:
    """Return the Pods that run even without load."""
    return _at_least(demand(plan, placement).always, floor, _support(plan, placement))


def _at_least(requests: Iterable[PodRequest], floor: Floor, support: Support) -> tuple[Pods, ...]:
    return tuple(_pods(floor, support, request, request.least) for request in requests if request.least)


def _pods(floor: Floor, support: Support, request: PodRequest, count: int) -> Pods:
    if request.hardware is not None:
        shape = floor.shape_of(request.hardware)
    else:
        shape = floor.shape({CPU: request.size.cpu_millis, MEMORY: request.size.memory_bytes}, *support)
    return Pods(count, shape, request.origin, request.what)


def _support(plan: Plan, placement: str) -> Support:
    """Return the machines that Pods without a compute class may run on."""
    chosen = system_machine(plan, placement)
    return ((), (), "") if chosen is None else (chosen.selector, chosen.tolerations, chosen.machine)


def totals(pods: Iterable[Pods]) -> dict[str, int]:
    """Sum the requests of the given Pods by resource."""
    sums: dict[str, int] = {}
    for group in pods:
        for what, amount in group.shape.amounts:
            sums[what] = sums.get(what, 0) + group.count * amount
    return sums


def _own_size(system: System, name: str, pods: tuple[Pods, ...], floor: Floor) -> Diagnostic | None:
    """Report a pipeline that doesn't fit at its maximum size, even if the machines are otherwise empty."""
    for group in pods:
        fitting = floor.fitting(group.shape)
        if fitting < group.count:
            return run_too_large(system.at(*group.origin, "max"), name, group.count, fitting, amount_text(group.shape))
    homeless = pack(pods, floor).homeless
    if homeless is None:
        return None
    return run_too_large(system.at(*homeless.origin, "max"), name, homeless.count, 0, amount_text(homeless.shape))


def _shortage(system: System, placement: str, pods: tuple[Pods, ...], homeless: Pods, floor: Floor) -> Diagnostic:
    """Report the scarcest resource where the spec requests most of it, or report fragmented capacity."""
    usable = set(homeless.shape.machines)
    rivals = [rival for rival in pods if usable.issuperset(rival.shape.machines)]
    requested = totals(rivals)
    short = [
        (requested[what] / max(1, declared), what, declared) for what, declared in _declared(usable, requested, floor)
    ]
    excess, what, declared = max(short)
    if excess <= 1:
        most = system.at(*homeless.origin, "max")
        return cannot_be_packed(most, placement, homeless.what, homeless.count, amount_text(homeless.shape))
    by_line: dict[Path, int] = {}
    for rival in rivals:
        by_line[rival.origin] = by_line.get(rival.origin, 0) + rival.count * dict(rival.shape.amounts).get(what, 0)
    line = max(by_line, key=lambda path: by_line[path])
    words = resource_text(what, requested[what]), resource_text(what, declared)
    return too_little(system.at(*line, "max"), placement, *words, resource_text(what, by_line[line]))


def _declared(usable: set[int], requested: Mapping[str, int], floor: Floor) -> Iterator[tuple[str, int]]:
    for what in requested:
        yield what, sum(floor.capacity[at].count * floor.sizes[at].get(what, 0) for at in usable)


def resource_text(what: str, amount: int) -> str:
    """Format an amount of a resource: `64 CPUs`, `96Gi of memory`, `4 nvidia.com/gpu`."""
    if what == CPU:
        return "1 CPU" if amount == 1000 else f"{amount / 1000:.12g} CPUs"
    return f"{memory_text(amount)} of memory" if what == MEMORY else f"{amount} {what}"


def amount_text(shape: Shape) -> str:
    """Format a Pod's requests: `4 CPUs and 16Gi of memory`."""
    return joined(resource_text(what, amount) for what, amount in shape.amounts if amount)
