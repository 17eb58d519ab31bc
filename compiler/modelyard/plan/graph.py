"""The graph: resources, each on a target and with its line in the spec, and links between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from modelyard.indexes import index
from modelyard.plan.hardware import NodePool
from modelyard.plan.kinds import Kind
from modelyard.plan.platform import AlertRules, Cluster, Identity, Namespace, RegistryServer, Secret
from modelyard.plan.workloads import Job, ModelServer, MonitorJob, Promoter, Route, Starter
from modelyard.records import record
from modelyard.source import Path
from modelyard.spec import Channel, Inference, Store, System

Payload: TypeAlias = (
    Cluster
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
"""The type of a resource's `value`. DASHBOARD: the Inference it shows."""


@record
class Resource:
    """A vertex: `address` is `<kind>/<name>`, unique within its placement.

    `name` is the name of the resource's main object on its platform: a DNS label of at most 47 characters, unique among
    the workloads of a placement, and after a rename (`moved`) still the old one.
    """

    kind: Kind
    name: str
    placement: str  # a target's name
    origin: Path  # the line of the spec that requested it
    workload: str  # section.name that it belongs to, `pool.<name>`, `registry`; empty if shared by all
    value: Payload

    @property
    def address(self) -> str:
        """`<kind>/<name>`: unique within the placement."""
        return f"{self.kind}/{self.name}"

    @property
    def place(self) -> str:
        """`<placement>:<kind>/<name>`: unique within the plan; what links are made of."""
        return f"{self.placement}:{self.kind}/{self.name}"


@record
class Link:
    """An edge: `source` calls or reads `sink` (addresses with placements), over a protocol and port."""

    source: str  # placement:kind/name
    sink: str
    what: str  # registry artifacts data capture database requests metrics secret trigger
    protocol: str = ""
    port: int = 0

    @property
    def ends(self) -> tuple[str, str]:
        """The placements of the source and of the sink."""
        return self.source.partition(":")[0], self.sink.partition(":")[0]


@record
class Plan:
    """All planned resources, in an order in which they can be created."""

    system: System
    resources: tuple[Resource, ...]
    links: tuple[Link, ...]

    def on(self, placement: str) -> tuple[Resource, ...]:
        """The resources of one target, in order."""
        return _by_placement(self.resources).get(placement, ())

    def crossings(self, placement: str = "") -> tuple[Link, ...]:
        """The links between two targets, in order; with a placement, those of which one end lies there.

        A registry that is adopted by its URL lies on no target.
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
        """Whether models reach this target as bundles."""
        return bundled_on(self.system, placement)

    def has_cluster(self, placement: str) -> bool:
        """Whether there is a cluster on a target: not where it only holds what stands apart from one."""
        return any(isinstance(one.value, Cluster) for one in self.on(placement))

    def placements(self) -> tuple[str, ...]:
        """The targets that something is placed on, in the order of their names."""
        used = {resource.placement for resource in self.resources}
        return tuple(target.name for target in self.system.deployment.targets if target.name in used)


@index
def _by_placement(resources: tuple[Resource, ...]) -> Mapping[str, tuple[Resource, ...]]:
    found: dict[str, list[Resource]] = {}
    for resource in resources:
        found.setdefault(resource.placement, []).append(resource)
    return {placement: tuple(here) for placement, here in found.items()}


def bundled_on(system: System, placement: str) -> bool:
    """Whether models reach a placement as bundles: their registry runs on another target, which does not expose it."""
    registry = system.registry
    return registry is not None and not registry.adopt and system.deployment.placement.registry != placement
