"""The functions that lower each kind of workload."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias, TypeVar

from modelyard.plan import (
    ByType,
    Identity,
    Job,
    ModelServer,
    MonitorJob,
    Payload,
    Promoter,
    Resource,
    Route,
    Starter,
)
from modelyard_targets.kube.access.identity import lower_identity
from modelyard_targets.kube.access.network import (
    network_of_job,
    network_of_monitor,
    network_of_promoter,
    network_of_server,
    network_of_starter,
)
from modelyard_targets.kube.monitoring.monitor import lower_monitor
from modelyard_targets.kube.network.route import lower_route
from modelyard_targets.kube.pipelines.job import lower_job
from modelyard_targets.kube.pipelines.promoter import lower_promoter
from modelyard_targets.kube.pipelines.starter import lower_starter
from modelyard_targets.kube.placement.context import Context, KubeObject
from modelyard_targets.kube.serving.model_server import lower_server

Lowering: TypeAlias = ByType[[Context], Iterator[KubeObject]]
"""Lowers a resource to its objects, in the order in which they are applied."""

V = TypeVar("V", bound=Payload)
Lower: TypeAlias = Callable[[Resource[V], Context], Iterator[KubeObject]]


def in_turn(*lowers: Lower[V]) -> Lower[V]:
    """Combine functions that lower the same resource into one function that yields all their objects."""

    def lower(resource: Resource[V], context: Context) -> Iterator[KubeObject]:
        for each in lowers:
            yield from each(resource, context)

    return lower


def no_objects(resource: Resource, context: Context, /) -> Iterator[KubeObject]:
    """Yield no objects, for resources that do not exist in the cluster."""
    yield from ()


WORKLOADS: Final[Lowering] = (
    ByType(no_objects)
    .case(Identity, lower_identity)
    .case(ModelServer, in_turn(network_of_server, lower_server))
    .case(Route, lower_route)
    .case(Job, in_turn(network_of_job, lower_job))
    .case(MonitorJob, in_turn(network_of_monitor, lower_monitor))
    .case(Promoter, in_turn(network_of_promoter, lower_promoter))
    .case(Starter, in_turn(network_of_starter, lower_starter))
)
"""The functions that lower each type of workload. Network policies precede the workloads that need them."""
