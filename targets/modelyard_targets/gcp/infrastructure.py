"""The projects `infrastructure`, `infrastructure-2` …, i.e. everything on Google Cloud but cluster workloads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from modelyard.plan import Identity, NodePool, Resource
from modelyard.program import Call, Export, Ref
from modelyard.spec import target_path
from modelyard.stack import Project
from modelyard_targets.cloud.data import (
    creates_anything,
    has_registry,
)
from modelyard_targets.cloud.infrastructure import Sdk, database_exports, project_of
from modelyard_targets.cloud.projects import project_name, split_roles
from modelyard_targets.gcp.crossings import crossings_of, trust_calls
from modelyard_targets.gcp.existing import existing_calls
from modelyard_targets.gcp.foundation import foundation_calls, key_call, project_call
from modelyard_targets.gcp.identities import identity_calls, identity_calls_apart, platform_calls, with_roles
from modelyard_targets.gcp.names import cluster_name
from modelyard_targets.gcp.network_policies import STORAGE_RANGES
from modelyard_targets.gcp.operations import operation_calls
from modelyard_targets.gcp.pools import pool_calls, system_pool_call
from modelyard_targets.gcp.storage import image_calls, storage_calls
from modelyard_targets.kube.data.federated import shows_issuer
from modelyard_targets.kube.placement.context import Context

_SDK: Final = Sdk("gcp", "pulumi-gcp", "access")

_OF_A_CLUSTER: Final = 150
_OF_A_POOL: Final = 2
_OF_A_ROLE: Final = 6
"""Maximum numbers of Pulumi resources: for the project, network, cluster and data together, for a node pool, and for a
workload's access.
"""


def infrastructure_of(context: Context) -> tuple[Project, ...]:
    """Return the infrastructure projects in the order in which they are applied.

    Additional projects contain only workload access. A target without a cluster has one project, or none if it doesn't
    create anything.
    """
    if not context.plan.has_cluster(context.placement):
        calls = tuple(stores_calls(context))
        stores = (project_of(_SDK, 0, calls, stores_exports(), context),) if calls else ()
        return (*stores, *crossings_of(_SDK, context))
    roles = with_roles(context)
    pools = sum(len(pool.value.groups) for pool in context.plan.of(NodePool, context.placement))
    batches = split_roles(roles, _OF_A_ROLE, _OF_A_CLUSTER + pools * _OF_A_POOL)
    first = tuple(first_calls(context, batches[0]))
    return (
        project_of(_SDK, 0, first, exports_of(context), context),
        *(
            project_of(_SDK, at, tuple(further_calls(context, batches[at])), (), context)
            for at in range(1, len(batches))
        ),
        *crossings_of(_SDK, context),
    )


def calls_of(context: Context) -> Iterator[Call]:
    """Yield every component of a placement's infrastructure, for tracing components back to the spec."""
    if context.plan.has_cluster(context.placement):
        yield from first_calls(context, with_roles(context))
    else:
        yield from stores_calls(context)
    yield from trust_calls(context)


def stores_calls(context: Context) -> Iterator[Call]:
    """Yield the components of a target without a cluster: buckets and their key."""
    if not creates_anything(context.plan, context.placement):
        return
    yield project_call(context)
    yield key_call(context)
    yield from storage_calls(context)
    yield from operation_calls(context)


def first_calls(context: Context, roles: Sequence[Resource[Identity]]) -> Iterator[Call]:
    """Yield the first project's components, including access for the given identities."""
    if context.target.cluster.adopt:
        yield from existing_calls(context)
        yield from pool_calls(context)
    else:
        yield from foundation_calls(context)
        yield from system_pool_call(context)
        yield from pool_calls(context)
    yield from storage_calls(context)
    yield from image_calls(context)
    yield from platform_calls(context)
    yield from identity_calls(roles, context)
    yield from operation_calls(context)


def further_calls(context: Context, roles: Sequence[Resource[Identity]]) -> Iterator[Call]:
    """Yield an additional project's components, i.e. access for the given identities, based on the first project."""
    here = target_path(context.system, context.placement)
    yield project_call(context, first=False)
    yield Call(
        "infrastructure", "Infrastructure", project_name(context.system, context.placement), (), "foundation", here
    )
    arguments = (("project", Ref("project")), ("cluster_name", Ref("infrastructure", key="cluster_name")))
    name = cluster_name(context.system, context.placement)
    yield Call("cluster", "AdoptedCluster", name, arguments, "foundation", here)
    yield from identity_calls_apart(roles, context)


def exports_of(context: Context) -> tuple[Export, ...]:
    """Return the outputs that the workloads project reads."""
    exports = [
        Export("kubeconfig", Ref("cluster", "kubeconfig")),
        Export("cluster_name", Ref("cluster", "name")),
        Export("region", Ref("project", "region_name")),
        Export("project", Ref("project", "project_id")),
        Export("key_id", Ref("key", "id")),
        Export(STORAGE_RANGES, Ref("network", "google_ranges")),
    ]
    if has_registry(context):
        exports.append(Export("image_registry", Ref("images", "host")))
    if shows_issuer(context.plan, context.placement):
        exports.append(Export("issuer", Ref("cluster", "issuer")))
    exports += database_exports(context, ("host", "port", "authority"), "secret")
    return tuple(exports)


def stores_exports() -> tuple[Export, ...]:
    """Return the outputs of a project without a cluster."""
    return (Export("region", Ref("project", "region_name")), Export("project", Ref("project", "project_id")))
