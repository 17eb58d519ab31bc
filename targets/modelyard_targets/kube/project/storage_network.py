"""Egress to object storage in the cluster's own region, with addresses from the infrastructure project."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.plan import Kind, Resource
from modelyard.program import Call, Ref
from modelyard_targets.kube.network.policies import is_regional
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.fixed import REGISTRY_NAME, STORAGE_POLICY
from modelyard_targets.kube.placement.placed import registry_of
from modelyard_targets.kube.project.workloads import WORKLOADS
from modelyard_targets.kube.workload.describe import stores_of

VARIABLE: Final = "object_storage"


def storage_calls(context: Context, foundation: Ref) -> tuple[Call, ...]:
    """Return a single policy for all Pods that use a bucket in the region, or an empty tuple if there are none."""
    names = storage_readers(context)
    if not names:
        return ()
    arguments = (
        ("cluster", Ref("cluster")),
        ("namespace", context.namespace),
        ("pods", names),
        ("ranges", Ref("infrastructure", key=context.platform.storage_ranges)),
        ("depends_on", (foundation,)),
    )
    return (Call(VARIABLE, "kubernetes.EgressPolicy", STORAGE_POLICY, arguments, group="network"),)


def storage_readers(context: Context) -> tuple[str, ...]:
    """Return the name labels of the Pods that use a bucket in the region."""
    return tuple(dict.fromkeys(_readers(context)))


def _readers(context: Context) -> Iterator[str]:
    regional = {store.name for store in context.system.stores.values() if is_regional(store, context)}
    if not regional:
        return
    registry = registry_of(context.plan, context.placement)
    for resource in context.plan.on(context.placement):
        if registry is not None and resource is registry:
            artifacts = registry.value.artifacts
            if artifacts is not None and artifacts.name in regional:
                yield REGISTRY_NAME
        elif _has_pods(resource) and any(store.name in regional for store in stores_of(resource.workload, context)):
            yield resource.name


def _has_pods(resource: Resource) -> bool:
    """Return whether a resource's name selects Pods that may use buckets. A launcher's identity only starts runs."""
    return WORKLOADS.covers(resource) and resource.kind is not Kind.IDENTITY
