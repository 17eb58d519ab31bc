"""The projects `infrastructure`, `infrastructure-2` …, i.e. everything on Azure except the cluster's workloads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from modelyard.plan import Identity, NodePool, Resource
from modelyard.program import Call, Export, Ref
from modelyard.spec import target_path
from modelyard.stack import Project
from modelyard_targets.azure.crossings import crossings_of, trust_calls
from modelyard_targets.azure.existing import existing_calls
from modelyard_targets.azure.foundation import FOUNDATION, foundation_calls, group_call, key_call
from modelyard_targets.azure.identities import (
    SECRETS_CLIENT,
    client_output,
    identity_calls,
    identity_calls_apart,
    identity_variable,
    platform_calls,
    roles_call,
    with_roles,
)
from modelyard_targets.azure.names import cluster_name
from modelyard_targets.azure.network_policies import STORAGE_RANGES
from modelyard_targets.azure.operations import operation_calls
from modelyard_targets.azure.pools import pool_calls, system_pool_call
from modelyard_targets.azure.storage import has_vault, image_calls, storage_calls
from modelyard_targets.cloud.data import (
    creates_anything,
    has_registry,
)
from modelyard_targets.cloud.infrastructure import Sdk, database_exports, project_of
from modelyard_targets.cloud.projects import project_name, split_roles
from modelyard_targets.kube.data.federated import has_foreign
from modelyard_targets.kube.placement.context import Context

_SDK: Final = Sdk("azure", "pulumi-azure-native", "identities")

_OF_A_CLUSTER: Final = 200
_OF_A_POOL: Final = 2
_OF_A_ROLE: Final = 8
"""Maximum numbers of Pulumi resources: for the resource group, network, cluster and data together, for a node pool, and
for an identity.
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
    first, *rest = held_roles(context)
    return (
        project_of(_SDK, 0, tuple(first_calls(context, first)), exports_of(context, first), context),
        *(
            project_of(_SDK, at, tuple(further_calls(context, roles)), identity_exports(roles), context)
            for at, roles in enumerate(rest, 1)
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
    """Yield the components of a target without a cluster: stores and their key."""
    foreign = has_foreign(context.plan, context.placement)
    created = creates_anything(context.plan, context.placement)
    if not (created or foreign):
        return
    yield group_call(context)
    if created:
        yield key_call(context)
        yield from storage_calls(context)
    if foreign:
        yield roles_call(context)
    yield from operation_calls(context)


def first_calls(context: Context, roles: Sequence[Resource[Identity]]) -> Iterator[Call]:
    """Yield the first project's components in order, including the identities in `roles`."""
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
    """Yield an additional project's components, i.e. its workload identities, based on the first project."""
    here = target_path(context.system, context.placement)
    yield group_call(context, first=False)
    yield Call(
        "infrastructure", "Infrastructure", project_name(context.system, context.placement), (), FOUNDATION, here
    )
    arguments = (
        ("group", Ref("group")),
        ("cluster_name", Ref("infrastructure", key="cluster_name")),
        ("issuer", Ref("infrastructure", key="issuer")),
    )
    name = cluster_name(context.system, context.placement)
    yield Call("cluster", "AdoptedCluster", name, arguments, FOUNDATION, here)
    yield from identity_calls_apart(roles, context)


def homes_of(context: Context) -> Mapping[str, int]:
    """Map each ServiceAccount to the number of the project that creates its identity."""
    return {resource.name: at for at, roles in enumerate(held_roles(context)) for resource in roles}


def held_roles(context: Context) -> tuple[tuple[Resource[Identity], ...], ...]:
    """Return the identities created by each project of a target with a cluster."""
    pools = sum(len(pool.value.groups) for pool in context.plan.of(NodePool, context.placement))
    return split_roles(with_roles(context), _OF_A_ROLE, _OF_A_CLUSTER + pools * _OF_A_POOL)


def exports_of(context: Context, roles: Sequence[Resource[Identity]]) -> tuple[Export, ...]:
    """Return the outputs that the workloads project reads."""
    exports = [
        Export("kubeconfig", Ref("cluster", "kubeconfig")),
        Export("cluster_name", Ref("cluster", "name")),
        Export("issuer", Ref("cluster", "issuer")),
        Export("region", Ref("group", "region_name")),
        Export("group", Ref("group", "group_name")),
        Export("tenant", Ref("group", "tenant")),
        Export(STORAGE_RANGES, Ref("network", "storage_ranges")),
    ]
    if has_registry(context):
        exports.append(Export("image_registry", Ref("images", "host")))
    if has_vault(context):
        exports.append(Export("vault", Ref("vault", "vault_name")))
        exports.append(Export("vault_url", Ref("vault", "url")))
        exports.append(Export(SECRETS_CLIENT, Ref("secrets_reader", "client_id")))
    exports += database_exports(context, ("host", "port"), "secret")
    return (*exports, *identity_exports(roles))


def identity_exports(roles: Sequence[Resource[Identity]]) -> tuple[Export, ...]:
    """Return the client ID outputs of the given identities, which ServiceAccounts refer to."""
    return tuple(
        Export(client_output(resource.name), Ref(identity_variable(resource.name), "client_id")) for resource in roles
    )


def stores_exports() -> tuple[Export, ...]:
    """Return the outputs of a project without a cluster."""
    return (Export("region", Ref("group", "region_name")), Export("group", Ref("group", "group_name")))
