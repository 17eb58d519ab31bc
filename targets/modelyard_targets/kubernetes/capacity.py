"""Does everything that may run at once fit on the declared machines?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from modelyard.diagnostics.base import Diagnostic
from modelyard.diagnostics.plan import cannot_be_packed, run_too_large, too_little
from modelyard.manifest import cpu_text, memory_text
from modelyard.plan import Hardware, Identity, Job, Kind, ModelServer, MonitorJob, Plan, RegistryServer
from modelyard.records import record
from modelyard.source import Json, Path
from modelyard.spec import ComputeClass, Store, System, TargetSpec
from modelyard_targets.cluster.platform_sizes import database_size, registry_replicas, registry_size
from modelyard_targets.cluster.sizes import AUTOSCALER, LAUNCHER, SUBMITTER, Size, head_size
from modelyard_targets.kubernetes.hardware import choose
from modelyard_targets.kubernetes.packing import CPU, MEMORY, Floor, Packed, Pods, Shape, pack

PODS_OF_A_MACHINE: Final = 110
"""The kubelet's own limit (kubernetes.io, "Considerations for large clusters", read 2026-11-24)."""


@record
class Demand:
    """What a placement asks for at its most: what is always there, and what each pipeline adds while it runs."""

    always: tuple[Pods, ...]
    runs: Mapping[str, tuple[Pods, ...]]  # by pipeline

    def at_most(self) -> Iterator[tuple[Pods, ...]]:
        """Everything together with one pipeline: for each resource the pipeline that asks most of it."""
        largest: dict[str, tuple[int, str]] = {}
        for name, pods in self.runs.items():
            for what, amount in totals(pods).items():
                if amount > largest.get(what, (0, ""))[0]:
                    largest[what] = (amount, name)
        names = dict.fromkeys(name for _, name in largest.values())
        if not names:
            yield self.always
        for name in names:
            yield (*self.always, *self.runs[name])


def check_capacity(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """A pipeline that could never reach its size, and a system that could never all run at once.

    Counted are all endpoints at their largest, what serves them, all monitors, and the largest pipeline at its
    largest: pipelines wait for each other, users do not. Where no capacity is declared, nothing is known and nothing
    is said.
    """
    target = target_of(plan, placement)
    if not target.capacity:
        return
    floor = Floor(target.capacity)
    found = demand(plan, placement, floor)
    hopeless: set[str] = set()
    for name, pods in found.runs.items():
        problem = _own_size(plan.system, name, pods, floor)
        if problem is not None:
            hopeless.add(name)
            yield problem
    possible = Demand(found.always, {name: pods for name, pods in found.runs.items() if name not in hopeless})
    for pods in possible.at_most():
        packed = pack(pods, floor)
        if packed.homeless is not None:
            yield _shortage(plan.system, placement, pods, packed.homeless, floor)
            return


def machines_needed(plan: Plan, placement: str) -> Mapping[int, int]:
    """How many machines are in use when everything runs at its largest, by position in `capacity`."""
    floor = Floor(target_of(plan, placement).capacity)
    needed: dict[int, int] = {}
    for pods in demand(plan, placement, floor).at_most():
        packed: Packed = pack(pods, floor)
        for at, count in packed.used.items():
            needed[at] = max(needed.get(at, 0), count)
    return needed


def quota(plan: Plan, placement: str) -> Mapping[str, str]:
    """The declared capacity as a ResourceQuota says it; empty where none is declared.

    CPU is bounded by what Pods ask for only: a limit above it lends what nobody uses, and takes nothing away.
    """
    machines = target_of(plan, placement).capacity
    if not machines:
        return {}
    floor = Floor(machines)
    whole: dict[str, int] = {}
    for machine, size in zip(machines, floor.sizes, strict=True):
        for what, amount in size.items():
            whole[what] = whole.get(what, 0) + machine.count * amount
    pieces = {f"requests.{what}": str(amount) for what, amount in sorted(whole.items()) if what not in (CPU, MEMORY)}
    return {
        "requests.cpu": cpu_text(whole[CPU]),
        "requests.memory": memory_text(whole[MEMORY]),
        "limits.memory": memory_text(whole[MEMORY]),
        **pieces,
        "pods": str(PODS_OF_A_MACHINE * sum(machine.count for machine in machines)),
    }


def target_of(plan: Plan, placement: str) -> TargetSpec:
    """The target of a placement."""
    return next(target for target in plan.system.deployment.targets if target.name == placement)


def demand(plan: Plan, placement: str, floor: Floor) -> Demand:
    """Every Pod of a placement, by the line that asks for it."""
    system, target = plan.system, target_of(plan, placement)
    support = _Support(system, target, floor)
    always: list[Pods] = []
    runs: dict[str, tuple[Pods, ...]] = {}
    scaled = {
        resource.value.workload
        for resource in plan.on(placement)
        if isinstance(resource.value, Identity) and resource.value.api == "autoscaler"
    }
    for resource in plan.on(placement):
        value = resource.value
        if isinstance(value, ModelServer):
            always += _server(system, value, floor)
            always.append(support.head(resource.origin, scales=resource.workload in scaled))
        elif isinstance(value, MonitorJob):
            shape = floor.shape_of(value.hardware)
            always.append(Pods(1, shape, resource.origin, f"monitor '{value.monitor.name}'"))
        elif isinstance(value, RegistryServer) and not value.registry.adopt:
            count, size = registry_replicas(system, target), registry_size(system, target)
            always.append(support.pods(count, size, resource.origin, "the registry"))
        elif isinstance(value, Store) and resource.kind is Kind.DATABASE and not value.adopt:
            size = database_size(system, target)
            always.append(support.pods(value.replicas or 1, size, resource.origin, f"database '{value.name}'"))
        elif isinstance(value, Job):
            beside = (
                support.head(resource.origin, scales=resource.workload in scaled),
                support.pods(1, SUBMITTER, resource.origin, "what submits a run"),
                support.pods(1, LAUNCHER, resource.origin, "what launches a run"),
            )
            runs[value.pipeline.name] = (*_workers(system, value, floor), *beside)
    return Demand(tuple(always), runs)


class _Support:
    """Pods that nobody sized in the spec: they all go where the head of a Ray cluster would."""

    def __init__(self, system: System, target: TargetSpec, floor: Floor) -> None:
        self._size = head_size(system, target)
        self._floor = floor
        asked = ComputeClass("support", (), self._size.cpu_millis, self._size.memory_bytes)
        chosen = choose(asked, target)
        self._hardware: Hardware | None = None if isinstance(chosen, str) else chosen

    def head(self, origin: Path, *, scales: bool) -> Pods:
        """The head of a Ray cluster, with the autoscaler beside it where there is one."""
        more = AUTOSCALER if scales else Size(0, 0)
        size = Size(self._size.cpu_millis + more.cpu_millis, self._size.memory_bytes + more.memory_bytes)
        return self.pods(1, size, origin, "the head of a Ray cluster")

    def pods(self, count: int, size: Size, origin: Path, what: str) -> Pods:
        """So many Pods of a size."""
        amounts = {CPU: size.cpu_millis, MEMORY: size.memory_bytes}
        if self._hardware is None:
            return Pods(count, self._floor.shape(amounts), origin, what)
        where = self._hardware
        return Pods(count, self._floor.shape(amounts, where.selector, where.tolerations, where.machine), origin, what)


def _server(system: System, server: ModelServer, floor: Floor) -> Iterator[Pods]:
    for one in server.applications:
        endpoint, variant = ("inference", one.inference.name), one.variant.name
        own: Path = (*endpoint, "variants", variant, "replicas")
        origin = _first_written(system, own, (*endpoint, "replicas"))
        what = f"variant '{variant}' of endpoint '{one.inference.name}'"
        yield Pods(one.variant.replicas.maximum, floor.shape_of(one.hardware), origin, what)


def _workers(system: System, job: Job, floor: Floor) -> Iterator[Pods]:
    """One group of workers for each hardware and image, as large as the largest step that uses it."""
    groups: dict[tuple[Hardware, str], Pods] = {}
    for step in job.pipeline.steps:
        key = (job.hardware[step.name], step.source.image)
        name = job.pipeline.name
        own: Path = ("pipelines", name, "steps", step.name, "workers")
        origin = _first_written(system, own, ("pipelines", name, "workers"))
        pods = Pods(step.workers.maximum, floor.shape_of(key[0]), origin, f"pipeline '{name}'")
        if key not in groups or pods.count > groups[key].count:
            groups[key] = pods
    yield from groups.values()


def _first_written(system: System, *paths: Path) -> Path:
    """The first of these paths that is in the spec, else what the first of them is in."""
    for path in paths:
        value: Json = system.document.value
        for step in path:
            value = value.get(str(step)) if isinstance(value, dict) else None
        if value is not None:
            return path
    return paths[0][:2]


def totals(pods: Iterable[Pods]) -> dict[str, int]:
    """What these Pods ask for together, by resource."""
    found: dict[str, int] = {}
    for one in pods:
        for what, amount in one.shape.amounts:
            found[what] = found.get(what, 0) + one.count * amount
    return found


def _own_size(system: System, name: str, pods: tuple[Pods, ...], floor: Floor) -> Diagnostic | None:
    """A pipeline that would not reach its largest size on machines where nothing else runs."""
    for group in pods:
        fitting = floor.fitting(group.shape)
        if fitting < group.count:
            return run_too_large(system.at(*group.origin), name, group.count, fitting, amount_text(group.shape))
    homeless = pack(pods, floor).homeless
    if homeless is None:
        return None
    return run_too_large(system.at(*homeless.origin), name, homeless.count, 0, amount_text(homeless.shape))


def _shortage(system: System, placement: str, pods: tuple[Pods, ...], homeless: Pods, floor: Floor) -> Diagnostic:
    """What there is too little of, at the line that asks most of it; or that there is enough, in pieces too small."""
    usable = set(homeless.shape.machines)
    rivals = [one for one in pods if usable.issuperset(one.shape.machines)]
    asked = totals(rivals)
    short = [(asked[what] / max(1, declared), what, declared) for what, declared in _declared(usable, asked, floor)]
    excess, what, declared = max(short)
    if excess <= 1:
        most = system.at(*homeless.origin)
        return cannot_be_packed(most, placement, homeless.what, homeless.count, amount_text(homeless.shape))
    by_line: dict[Path, int] = {}
    for one in rivals:
        by_line[one.origin] = by_line.get(one.origin, 0) + one.count * dict(one.shape.amounts).get(what, 0)
    line = max(by_line, key=lambda path: by_line[path])
    words = resource_text(what, asked[what]), resource_text(what, declared)
    return too_little(system.at(*line), placement, *words, resource_text(what, by_line[line]))


def _declared(usable: set[int], asked: Mapping[str, int], floor: Floor) -> Iterator[tuple[str, int]]:
    for what in asked:
        yield what, sum(floor.capacity[at].count * floor.sizes[at].get(what, 0) for at in usable)


def resource_text(what: str, amount: int) -> str:
    """An amount of a resource in words: `64 CPUs`, `96Gi of memory`, `4 nvidia.com/gpu`."""
    if what == CPU:
        return f"{amount / 1000:.12g} CPUs"
    return f"{memory_text(amount)} of memory" if what == MEMORY else f"{amount} {what}"


def amount_text(shape: Shape) -> str:
    """A Pod in words: `4 CPUs, 16Gi of memory`."""
    return ", ".join(resource_text(what, amount) for what, amount in shape.amounts if amount)
