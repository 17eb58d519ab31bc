"""A placement's resource requests, with minimum and maximum Pod counts and the spec lines they come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil
from typing import Final

from modelyard.indexes import index
from modelyard.plan import (
    Application,
    ByType,
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
    is_adopted,
)
from modelyard.records import record, replace
from modelyard.source import Json, Path
from modelyard.spec import Store, System, TargetSpec
from modelyard_targets.kube.placement.placed import target_of
from modelyard_targets.kube.pods.platform_sizes import database_size, registry_replicas, registry_size
from modelyard_targets.kube.pods.priorities import NORMAL, priority_of
from modelyard_targets.kube.pods.sizes import AUTOSCALER, LAUNCHER, PROMOTER, STARTER, SUBMITTER, Size, head_size


@record
class PodRequest:
    """Identical Pods, with their minimum and maximum count.

    `hardware` is None for Pods without a compute class, such as heads, launchers and the registry. `image`
    distinguishes otherwise identical worker groups. A rollout adds `surge` Pods while the old version is still running.
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
    """The permanent Pods, and each pipeline's Pods. `servers` is a subset of `always`."""

    always: tuple[PodRequest, ...]
    runs: Mapping[str, tuple[PodRequest, ...]]  # by pipeline
    servers: Mapping[str, tuple[PodRequest, ...]]  # by resource name, each including its head


def demand(plan: Plan, placement: str, *, databases: bool = True) -> Demand:
    """Return the resource requests of all Pods on a placement, optionally without managed databases."""
    demands = _demands(plan)
    if (placement, databases) not in demands:
        demands[placement, databases] = _demand(plan, placement, databases=databases)
    return demands[placement, databases]


@index
def _demands(_: Plan) -> dict[tuple[str, bool], Demand]:
    """Return the cache of `demand` for a plan, because several checks need the same results."""
    return {}


def _demand(plan: Plan, placement: str, *, databases: bool) -> Demand:
    system, target = plan.system, target_of(plan, placement)
    always: list[PodRequest] = []
    runs: dict[str, tuple[PodRequest, ...]] = {}
    servers: dict[str, tuple[PodRequest, ...]] = {}
    scaled = {
        identity.value.workload for identity in plan.of(Identity, placement) if identity.value.api == "autoscaler"
    }
    for resource in plan.on(placement):
        requests = _asked(resource, system, target, resource.workload in scaled)
        if resource.kind in _RUN:
            runs[resource.workload.partition(".")[2]] = requests
        elif databases or resource.kind is not Kind.DATABASE:
            always += requests
        if resource.kind is Kind.MODEL_SERVER:
            servers[resource.name] = requests
    return Demand(tuple(always), runs, servers)


def _nothing(resource: Resource, system: System, target: TargetSpec, scales: bool) -> tuple[PodRequest, ...]:
    return ()


def _server(
    resource: Resource[ModelServer], system: System, target: TargetSpec, scales: bool
) -> tuple[PodRequest, ...]:
    second = resource.value.applications[0].inference.rollout.strategy != "in-place"
    head = _head(system, target, resource, scales=scales)
    return (*_replicas(system, resource.value), replace(head, least=1, surge=int(second)))


def _job(resource: Resource[Job], system: System, target: TargetSpec, scales: bool) -> tuple[PodRequest, ...]:
    return (
        *_workers(system, resource.value),
        _head(system, target, resource, scales=scales),
        PodRequest(0, 1, SUBMITTER, None, resource.origin, "the submitter of a run"),
        PodRequest(0, 1, LAUNCHER, None, resource.origin, "the launcher of a run"),
    )


def _monitor(
    resource: Resource[MonitorJob], system: System, target: TargetSpec, scales: bool
) -> tuple[PodRequest, ...]:
    hardware, what = resource.value.hardware, f"monitor '{resource.value.monitor.name}'"
    return (PodRequest(0, 1, _size(hardware), hardware, resource.origin, what),)


def _promoter(resource: Resource[Promoter], system: System, target: TargetSpec, scales: bool) -> tuple[PodRequest, ...]:
    return (PodRequest(0, 1, PROMOTER, None, resource.origin, "the promoter"),)


def _starter(resource: Resource[Starter], system: System, target: TargetSpec, scales: bool) -> tuple[PodRequest, ...]:
    return (PodRequest(0, 1, STARTER, None, resource.origin, "the starter of requested runs"),)


def _registry(
    resource: Resource[RegistryServer], system: System, target: TargetSpec, scales: bool
) -> tuple[PodRequest, ...]:
    if is_adopted(resource):
        return ()
    count, size = registry_replicas(system, target), registry_size(system, target)
    return (PodRequest(count, count, size, None, resource.origin, "the registry"),)


def _database(resource: Resource[Store], system: System, target: TargetSpec, scales: bool) -> tuple[PodRequest, ...]:
    if resource.kind is not Kind.DATABASE or is_adopted(resource):
        return ()
    count, what = resource.value.replicas or 1, f"database '{resource.value.name}'"
    return (PodRequest(count, count, database_size(system, target), None, resource.origin, what),)


_RUN: Final = frozenset({Kind.TRAINING_JOB, Kind.BATCH_JOB, Kind.CUSTOM_JOB})
_asked: Final = (
    ByType(_nothing)
    .case(ModelServer, _server)
    .case(Job, _job)
    .case(MonitorJob, _monitor)
    .case(Promoter, _promoter)
    .case(Starter, _starter)
    .case(RegistryServer, _registry)
    .case(Store, _database)
)
"""Returns a resource's Pods. With `scales`, the Ray cluster's head also has an autoscaler."""


def _head(system: System, target: TargetSpec, resource: Resource, *, scales: bool) -> PodRequest:
    """Return the head Pod of a Ray cluster, which includes the autoscaler if the cluster scales."""
    size = head_size(system, target)
    more = AUTOSCALER if scales else Size(0, 0)
    total = Size(size.cpu_millis + more.cpu_millis, size.memory_bytes + more.memory_bytes)
    what, priority = "the head of a Ray cluster", priority_of(resource)
    return PodRequest(0, 1, total, None, resource.origin, what, priority=priority)


def _replicas(system: System, server: ModelServer) -> Iterator[PodRequest]:
    for application in server.applications:
        endpoint, variant = ("inference", application.inference.name), application.variant.name
        own: Path = (*endpoint, "variants", variant, "replicas")
        origin = _first_written(system, own, (*endpoint, "replicas"))
        what = f"variant '{variant}' of endpoint '{application.inference.name}'"
        replicas = application.variant.replicas
        surge = _surge(application)
        yield PodRequest(
            replicas.minimum,
            replicas.maximum,
            _size(application.hardware),
            application.hardware,
            origin,
            what,
            surge=surge,
            priority=application.inference.priority,
        )


def _surge(application: Application) -> int:
    """Return how many Pods a rollout adds: the initial count or, if incremental, a share of the maximum."""
    rollout, replicas = application.inference.rollout, application.variant.replicas
    if rollout.strategy == "in-place":
        return 0
    if rollout.strategy == "blue-green":
        return max(1, replicas.minimum)
    return max(1, ceil(replicas.maximum * rollout.max_surge_percent / 100))


def _workers(system: System, job: Job) -> Iterator[PodRequest]:
    """Yield one worker group for each combination of hardware and image, sized for the largest step."""
    groups: dict[tuple[Hardware, str], PodRequest] = {}
    for step in job.pipeline.steps:
        hardware, image = job.hardware[step.name], step.source.image
        name = job.pipeline.name
        own: Path = ("pipelines", name, "steps", step.name, "workers")
        origin = _first_written(system, own, ("pipelines", name, "workers"))
        request = PodRequest(0, step.workers.maximum, _size(hardware), hardware, origin, f"pipeline '{name}'", image)
        if (hardware, image) not in groups or request.most > groups[hardware, image].most:
            groups[hardware, image] = request
    yield from groups.values()


def _size(hardware: Hardware) -> Size:
    return Size(hardware.cpu_millis, hardware.memory_bytes)


def _first_written(system: System, *paths: Path) -> Path:
    """Return the first of the given paths that the spec contains, or else the entry the first path belongs to."""
    for path in paths:
        value: Json = system.document.value
        for step in path:
            value = value.get(str(step)) if isinstance(value, dict) else None
        if value is not None:
            return path
    return paths[0][:2]
