"""What a placement asks of its machines: every Pod at its least and at its most, by the line that asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil

from modelyard.indexes import index
from modelyard.plan import (
    Application,
    Hardware,
    Identity,
    Job,
    Kind,
    ModelServer,
    MonitorJob,
    Plan,
    Promoter,
    RegistryServer,
    Resource,
    Starter,
)
from modelyard.records import record
from modelyard.source import Json, Path
from modelyard.spec import Store, System, TargetSpec
from modelyard_targets.kube.placement.placed import target_of
from modelyard_targets.kube.pods.platform_sizes import database_size, registry_replicas, registry_size
from modelyard_targets.kube.pods.priorities import NORMAL, priority_of
from modelyard_targets.kube.pods.sizes import AUTOSCALER, LAUNCHER, PROMOTER, STARTER, SUBMITTER, Size, head_size


@record
class Asked:
    """Equal Pods: how many there are at least and at most.

    `hardware` is that of their compute class; None for Pods that nobody sized in the spec: heads, what starts runs,
    the registry. `image` tells apart groups of workers that differ in nothing else. `surge` Pods more are there while
    a new version takes over from the old.
    """

    least: int
    most: int
    size: Size
    hardware: Hardware | None
    origin: Path
    what: str
    image: str = ""
    surge: int = 0
    priority: str = NORMAL


@record
class Demand:
    """What is always there, and what each pipeline adds while it runs. `servers` are part of what is always there."""

    always: tuple[Asked, ...]
    runs: Mapping[str, tuple[Asked, ...]]  # by pipeline
    servers: Mapping[str, tuple[Asked, ...]]  # by the name of their resource, each with its head


def demand(plan: Plan, placement: str, *, databases: bool = True) -> Demand:
    """Every Pod of a placement; `databases` says whether managed ones are Pods there."""
    demands = _demands(plan)
    if (placement, databases) not in demands:
        demands[placement, databases] = _demand(plan, placement, databases=databases)
    return demands[placement, databases]


@index
def _demands(_: Plan) -> dict[tuple[str, bool], Demand]:
    """What has been counted of a plan: several checks need the same."""
    return {}


def _demand(plan: Plan, placement: str, *, databases: bool) -> Demand:
    system, target = plan.system, target_of(plan, placement)
    always: list[Asked] = []
    runs: dict[str, tuple[Asked, ...]] = {}
    servers: dict[str, tuple[Asked, ...]] = {}
    resources = plan.on(placement)
    scaled = {
        resource.value.workload
        for resource in resources
        if isinstance(resource.value, Identity) and resource.value.api == "autoscaler"
    }
    for resource in resources:
        value = resource.value
        if isinstance(value, ModelServer):
            head = _head(system, target, resource, scales=resource.workload in scaled)
            servers[resource.name] = (*_server(system, value), head)
            always += servers[resource.name]
        elif isinstance(value, MonitorJob):
            what = f"monitor '{value.monitor.name}'"
            always.append(Asked(0, 1, _size(value.hardware), value.hardware, resource.origin, what))
        elif isinstance(value, Promoter):
            always.append(Asked(0, 1, PROMOTER, None, resource.origin, "the promoter"))
        elif isinstance(value, Starter):
            always.append(Asked(0, 1, STARTER, None, resource.origin, "the starter of requested runs"))
        elif isinstance(value, RegistryServer) and not value.registry.adopt:
            count, size = registry_replicas(system, target), registry_size(system, target)
            always.append(Asked(count, count, size, None, resource.origin, "the registry"))
        elif databases and isinstance(value, Store) and resource.kind is Kind.DATABASE and not value.adopt:
            count, what = value.replicas or 1, f"database '{value.name}'"
            always.append(Asked(count, count, database_size(system, target), None, resource.origin, what))
        elif isinstance(value, Job):
            beside = (
                _head(system, target, resource, scales=resource.workload in scaled),
                Asked(0, 1, SUBMITTER, None, resource.origin, "the submitter of a run"),
                Asked(0, 1, LAUNCHER, None, resource.origin, "the launcher of a run"),
            )
            runs[value.pipeline.name] = (*_workers(system, value), *beside)
    return Demand(tuple(always), runs, servers)


def _head(system: System, target: TargetSpec, resource: Resource, *, scales: bool) -> Asked:
    """The head of a Ray cluster, with the autoscaler beside it where there is one; a run's goes with the run."""
    size = head_size(system, target)
    more = AUTOSCALER if scales else Size(0, 0)
    whole = Size(size.cpu_millis + more.cpu_millis, size.memory_bytes + more.memory_bytes)
    least = 0 if isinstance(resource.value, Job) else 1
    value = resource.value
    second = isinstance(value, ModelServer) and value.applications[0].inference.rollout.strategy != "in-place"
    what, priority = "the head of a Ray cluster", priority_of(resource)
    return Asked(least, 1, whole, None, resource.origin, what, surge=int(second), priority=priority)


def _server(system: System, server: ModelServer) -> Iterator[Asked]:
    for one in server.applications:
        endpoint, variant = ("inference", one.inference.name), one.variant.name
        own: Path = (*endpoint, "variants", variant, "replicas")
        origin = _first_written(system, own, (*endpoint, "replicas"))
        what = f"variant '{variant}' of endpoint '{one.inference.name}'"
        replicas = one.variant.replicas
        surge = _surge(one)
        yield Asked(
            replicas.minimum,
            replicas.maximum,
            _size(one.hardware),
            one.hardware,
            origin,
            what,
            surge=surge,
            priority=one.inference.priority,
        )


def _surge(application: Application) -> int:
    """Pods of the servers that take over: as many as they begin with, or what may be there beyond all of the old."""
    rollout, replicas = application.inference.rollout, application.variant.replicas
    if rollout.strategy == "in-place":
        return 0
    if rollout.strategy == "blue-green":
        return max(1, replicas.minimum)
    return max(1, ceil(replicas.maximum * rollout.max_surge_percent / 100))


def _workers(system: System, job: Job) -> Iterator[Asked]:
    """One group of workers for each hardware and image, as large as the largest step that uses it."""
    groups: dict[tuple[Hardware, str], Asked] = {}
    for step in job.pipeline.steps:
        hardware, image = job.hardware[step.name], step.source.image
        name = job.pipeline.name
        own: Path = ("pipelines", name, "steps", step.name, "workers")
        origin = _first_written(system, own, ("pipelines", name, "workers"))
        asked = Asked(0, step.workers.maximum, _size(hardware), hardware, origin, f"pipeline '{name}'", image)
        if (hardware, image) not in groups or asked.most > groups[hardware, image].most:
            groups[hardware, image] = asked
    yield from groups.values()


def _size(hardware: Hardware) -> Size:
    return Size(hardware.cpu_millis, hardware.memory_bytes)


def _first_written(system: System, *paths: Path) -> Path:
    """The first of these paths that is in the spec, else what the first of them is in."""
    for path in paths:
        value: Json = system.document.value
        for step in path:
            value = value.get(str(step)) if isinstance(value, dict) else None
        if value is not None:
            return path
    return paths[0][:2]
