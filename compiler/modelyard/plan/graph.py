"""The plan's graph: resources on targets, each with its line in the spec, and links between resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar, cast

from modelyard.indexes import index
from modelyard.plan.hardware import NodePool, SystemPool
from modelyard.plan.kinds import Kind
from modelyard.plan.platform import AlertRules, Cluster, Identity, Namespace, RegistryServer, Secret
from modelyard.plan.workloads import Job, ModelServer, MonitorJob, Promoter, Route, Starter
from modelyard.records import record
from modelyard.source import Path
from modelyard.spec import Channel, Inference, Store, System

Payload: TypeAlias = (
    Cluster
    | SystemPool
    | NodePool
    | Namespace
    | Store
    | RegistryServer
    | Secret
    | Identity
    | ModelServer
    | Route
    | Job
    | MonitorJob
    | Promoter
    | Starter
    | AlertRules
    | Channel
    | Inference
)
"""The types of a resource's `value`. The value of a resource of kind DASHBOARD is its Inference."""

if TYPE_CHECKING:
    from typing_extensions import TypeVar as DefaultingTypeVar

    V_co = DefaultingTypeVar("V_co", bound=Payload, default=Payload, covariant=True)
    """`Resource` without an argument is a resource of any type. Python has no defaults for type variables before 3.13.
    """
else:
    V_co = TypeVar("V_co", covariant=True)

V = TypeVar("V", bound=Payload)


@record
class Resource(Generic[V_co]):
    """A vertex of the plan. Its `address` is `<kind>/<name>`, which is unique within the placement.

    The value of a `Resource[ModelServer]` is a ModelServer. `Plan.of` finds all such resources, and `ByType` dispatches
    on the type.

    `name` is the name of the resource's main object on its platform, a DNS label of at most 47 characters that is
    unique among the placement's workloads. Renaming an entry in the spec with `moved` doesn't change it.
    """

    kind: Kind
    name: str
    placement: str  # a target's name
    origin: Path  # the line of the spec that requested it
    workload: str  # owner: `section.name`, `pool.<name>`, or `registry`; empty if shared by all
    value: V_co

    @property
    def address(self) -> str:
        """`<kind>/<name>`, which is unique within the placement."""
        return f"{self.kind}/{self.name}"

    @property
    def place(self) -> str:
        """`<placement>:<kind>/<name>`, which is unique within the plan and used by links."""
        return f"{self.placement}:{self.kind}/{self.name}"


@record
class Link:
    """An edge of the plan: `source` calls or reads `sink` over a protocol and port.

    Both are values of `Resource.place`.
    """

    source: str  # placement:kind/name
    sink: str
    what: str  # registry artifacts data capture database requests metrics secret trigger
    protocol: str = ""
    port: int = 0

    @property
    def ends(self) -> tuple[str, str]:
        """The targets on which the source and the sink are placed."""
        return self.source.partition(":")[0], self.sink.partition(":")[0]


@record
class Plan:
    """All planned resources, in an order in which they can be created."""

    system: System
    resources: tuple[Resource, ...]
    links: tuple[Link, ...]

    def on(self, placement: str) -> tuple[Resource, ...]:
        """Return the resources on a target, in plan order."""
        return _by_placement(self.resources).get(placement, ())

    def of(self, what: type[V], placement: str = "") -> tuple[Resource[V], ...]:
        """Return the resources whose value has the given type, in plan order, optionally limited to one target."""
        return cast("tuple[Resource[V], ...]", _by_type(self.resources).get((placement, what), ()))

    @property
    def by_place(self) -> Mapping[str, Resource]:
        """All resources by place, in plan order."""
        return _by_place(self.resources)

    def at(self, place: str, what: type[V]) -> Resource[V] | None:
        """Return the resource at a place, such as a link's sink, or None if its value is of another type."""
        resource = _by_place(self.resources)[place]
        return cast("Resource[V]", resource) if resource.value.__class__ is what else None

    def crossings(self, placement: str = "") -> tuple[Link, ...]:
        """Return the links between targets, in plan order, optionally only those from or to one target.

        Links to an adopted registry are left out, because it is specified by its URL and isn't on any target.
        """
        adopted = self.system.registry is not None and bool(self.system.registry.adopt)
        return tuple(
            link
            for link in self.links
            if link.ends[0] != link.ends[1]
            and (not placement or placement in link.ends)
            and not (adopted and link.what == "registry")
        )

    def bundled(self, placement: str) -> bool:
        """Return whether models are delivered to the given target as bundles."""
        return bundled_on(self.system, placement)

    def has_cluster(self, placement: str) -> bool:
        """Return whether a target has a cluster. It has none if all its resources are outside a cluster."""
        return bool(self.of(Cluster, placement))

    def placements(self) -> tuple[str, ...]:
        """Return the names of the targets that have resources, sorted by name."""
        used = {resource.placement for resource in self.resources}
        return tuple(target.name for target in self.system.deployment.targets if target.name in used)


@index
def _by_placement(resources: tuple[Resource, ...]) -> Mapping[str, tuple[Resource, ...]]:
    grouped: dict[str, list[Resource]] = {}
    for resource in resources:
        grouped.setdefault(resource.placement, []).append(resource)
    return {placement: tuple(here) for placement, here in grouped.items()}


@index
def _by_type(resources: tuple[Resource, ...]) -> Mapping[tuple[str, type], tuple[Resource, ...]]:
    """Group resources by placement and value type. The empty name means all placements."""
    by_type: dict[tuple[str, type], list[Resource]] = {}
    for resource in resources:
        what = resource.value.__class__
        by_type.setdefault((resource.placement, what), []).append(resource)
        by_type.setdefault(("", what), []).append(resource)
    return {key: tuple(listed) for key, listed in by_type.items()}


@index
def _by_place(resources: tuple[Resource, ...]) -> Mapping[str, Resource]:
    return {resource.place: resource for resource in resources}


def bundled_on(system: System, placement: str) -> bool:
    """Return whether models are delivered as bundles because our own registry is on another target."""
    registry = system.registry
    return registry is not None and not registry.adopt and system.deployment.placement.registry != placement
