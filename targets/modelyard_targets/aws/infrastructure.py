"""The projects `infrastructure`, `infrastructure-2` …, i.e. everything on AWS except the cluster's workloads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from modelyard.plan import Identity, NodePool, Resource
from modelyard.program import Call, Export, Literal, Ref
from modelyard.spec import target_path
from modelyard.stack import Project
from modelyard_targets.aws.crossings import crossings_of, trust_calls
from modelyard_targets.aws.existing import existing_calls
from modelyard_targets.aws.foundation import account_call, addon_call, foundation_calls, has_elastic_pool, key_call
from modelyard_targets.aws.identities import (
    SECRETS_ROLE,
    crossing_calls,
    crossing_exports,
    identity_calls,
    identity_calls_apart,
    makes_anything,
    neighbour_calls,
    platform_calls,
    with_roles,
)
from modelyard_targets.aws.names import cluster_name
from modelyard_targets.aws.network_policies import STORAGE_RANGES
from modelyard_targets.aws.operations import operation_calls
from modelyard_targets.aws.pools import pool_calls, system_pool_call
from modelyard_targets.aws.storage import image_calls, storage_calls
from modelyard_targets.cloud.data import (
    has_buckets,
    has_registry,
)
from modelyard_targets.cloud.infrastructure import Sdk, database_exports, project_of
from modelyard_targets.cloud.projects import project_name, split_roles
from modelyard_targets.cloud.services import has_own_store
from modelyard_targets.kube.data.federated import shows_issuer
from modelyard_targets.kube.placement.context import Context

_SDK: Final = Sdk("aws", "pulumi-aws", "roles")

_OF_A_CLUSTER: Final = 150
_OF_A_GROUP: Final = 8
_OF_A_ROLE: Final = 4
"""Maximum numbers of Pulumi resources: for the network, cluster and controllers together, for a node group with its
tags, and for a role.
"""


def infrastructure_of(context: Context) -> tuple[Project, ...]:
    """Return the infrastructure projects in the order in which they are applied.

    The first contains everything except additional roles. A target without a cluster has one project, or none if it
    doesn't create anything.
    """
    if not context.plan.has_cluster(context.placement):
        calls = tuple(stores_calls(context))
        stores = (project_of(_SDK, 0, calls, stores_exports(context), context),) if calls else ()
        return (*stores, *crossings_of(_SDK, context))
    roles = with_roles(context)
    groups = sum(len(pool.value.groups) for pool in context.plan.of(NodePool, context.placement))
    batches = split_roles(roles, _OF_A_ROLE, _OF_A_CLUSTER + groups * _OF_A_GROUP)
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
    """Yield the components of a target without a cluster: buckets, their key, and users for outside workloads."""
    if not makes_anything(context.plan, context.placement):
        return
    yield account_call(context)
    if has_buckets(context.plan, context.placement):
        yield key_call(context)
    yield from storage_calls(context)
    yield from crossing_calls(context)
    yield from operation_calls(context)


def first_calls(context: Context, roles: Sequence[Resource[Identity]]) -> Iterator[Call]:
    """Yield the first project's components, including roles for the given identities."""
    if context.target.cluster.adopt:
        yield from existing_calls(context)
        yield from pool_calls(context)
    else:
        yield from foundation_calls(context)
        yield from system_pool_call(context)
        yield addon_call(context)
        yield from pool_calls(context)
    yield from storage_calls(context)
    yield from image_calls(context)
    yield from platform_calls(context)
    yield from neighbour_calls(context)
    yield from identity_calls(roles, context)
    yield from crossing_calls(context)
    yield from operation_calls(context)


def further_calls(context: Context, roles: Sequence[Resource[Identity]]) -> Iterator[Call]:
    """Yield an additional project's components: roles for the given identities, based on the first project."""
    here = target_path(context.system, context.placement)
    name = cluster_name(context.system, context.placement)
    yield account_call(context)
    yield Call(
        "infrastructure", "Infrastructure", project_name(context.system, context.placement), (), "foundation", here
    )
    account: tuple[str, Literal] = ("account", Ref("account"))
    key: tuple[str, Literal] = ("arn", Ref("infrastructure", key="key_arn"))
    cluster: tuple[str, Literal] = ("cluster_name", Ref("infrastructure", key="cluster_name"))
    yield Call("key", "AdoptedKey", name, (account, key), "foundation", here)
    yield Call("cluster", "AdoptedCluster", name, (account, cluster), "foundation", here)
    yield from neighbour_calls(context)
    yield from identity_calls_apart(roles, context)


def exports_of(context: Context) -> tuple[Export, ...]:
    """Return the outputs that the workloads project reads."""
    exports = [
        Export("kubeconfig", Ref("cluster", "kubeconfig")),
        Export("cluster_name", Ref("cluster", "name")),
        Export("region", Ref("account", "region_name")),
        Export("key_arn", Ref("key", "arn")),
        Export(STORAGE_RANGES, Ref("network", "s3_ranges")),
    ]
    if has_registry(context):
        exports.append(Export("image_registry", Ref("images", "host")))
    if shows_issuer(context.plan, context.placement):
        exports.append(Export("issuer", Ref("cluster", "issuer")))
    exports += database_exports(context, ("host", "port"), "secret_arn")
    if has_elastic_pool(context.plan, context.placement):
        exports.append(Export("karpenter_profile", Ref("karpenter", "profile_name")))
        exports.append(Export("karpenter_queue", Ref("karpenter", "queue_name")))
    if context.target.cluster.adopt and has_own_store(context):
        exports.append(Export(SECRETS_ROLE, Ref("secrets_reader", "role_arn")))
    exports += crossing_exports(context)
    return tuple(exports)


def stores_exports(context: Context) -> tuple[Export, ...]:
    """Return the outputs that other targets read from a project without a cluster."""
    key = (Export("key_arn", Ref("key", "arn")),) if has_buckets(context.plan, context.placement) else ()
    return (Export("region", Ref("account", "region_name")), *key, *crossing_exports(context))
