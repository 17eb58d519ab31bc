"""The base of the infrastructure: the resource group, its encryption key, the network and the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.program import Call, Literal, Ref
from modelyard.spec import System, target_path
from modelyard_targets.azure.names import cluster_name, group_name, tags
from modelyard_targets.azure.options import PODS, SERVICES, options_of, vpc_of
from modelyard_targets.azure.pools import CLUSTER_MACHINE, cluster_nodes
from modelyard_targets.azure.versions import version_of
from modelyard_targets.cloud.data import has_registry, managed_databases
from modelyard_targets.cloud.pools import training_pools
from modelyard_targets.kube.placement.context import Context

FOUNDATION: Final = "foundation"

_ENTERPRISE_LOG_DAYS: Final = 365
_LOG_DAYS: Final = 30


def foundation_calls(context: Context) -> Iterator[Call]:
    """Yield the components for the resource group, the encryption key, the network and the cluster, in this order."""
    yield group_call(context)
    yield key_call(context)
    yield _network(context)
    yield _cluster(context)


def group_call(context: Context, *, first: bool = True) -> Call:
    """Build the component for the Azure provider and its resource group.

    The first project's program creates the group, unless the spec names an existing one.
    """
    options = options_of(context.target)
    arguments: tuple[tuple[str, Literal], ...] = (
        *((("subscription_id", options.account),) if options.account else ()),
        *((("tenant_id", options.tenant),) if options.tenant else ()),
        ("region", context.target.region),
        ("group", group_name(context.system, context.target)),
        ("tags", dict(tags(context.system, context.placement))),
        *((("adopted", True),) if options.resource_group or not first else ()),
    )
    here = target_path(context.system, context.placement)
    return Call("group", "ResourceGroup", context.placement, arguments, FOUNDATION, here)


def key_call(context: Context) -> Call:
    """Build the component for the vault with the key that encrypts all of the target's data."""
    here = target_path(context.system, context.placement)
    creates = context.plan.has_cluster(context.placement) and not context.target.cluster.adopt
    extra = (("cluster", True),) if creates else ()
    return Call("key", "Key", _name(context), (("group", Ref("group")), *extra), FOUNDATION, here)


def providers_of(context: Context) -> tuple[str, ...]:
    """Return the resource providers that must be registered in the subscription."""
    providers = {"Microsoft.Authorization", "Microsoft.KeyVault", "Microsoft.ManagedIdentity", "Microsoft.Storage"}
    if context.plan.has_cluster(context.placement):
        providers |= {"Microsoft.ContainerService", "Microsoft.Insights", "Microsoft.Network"}
        if not context.target.cluster.adopt:
            providers |= {"Microsoft.Compute", "Microsoft.OperationalInsights"}
    if has_registry(context):
        providers.add("Microsoft.ContainerRegistry")
    if managed_databases(context):
        providers.add("Microsoft.DBforPostgreSQL")
    if context.system.governance.budget is not None:
        providers.add("Microsoft.Consumption")
    return tuple(sorted(providers))


def log_days(system: System) -> int:
    """Return the retention of the cluster's logs in days."""
    return _ENTERPRISE_LOG_DAYS if system.profile.size == "enterprise" else _LOG_DAYS


def _name(context: Context) -> str:
    return cluster_name(context.system, context.placement)


def _network(context: Context) -> Call:
    vpc, here = vpc_of(context.target), (*target_path(context.system, context.placement), "vpc")
    group: tuple[str, Literal] = ("group", Ref("group"))
    if not vpc.adopt:
        return Call("network", "Network", _name(context), (group, ("cidr", vpc.cidr)), FOUNDATION, here)
    adopted: tuple[tuple[str, Literal], ...] = (
        group,
        ("network", vpc.adopt),
        ("nodes", vpc.subnet),
        ("endpoints", vpc.endpoints),
        ("api_server", vpc.api_server),
        ("cidr", vpc.cidr),
        ("endpoints_cidr", vpc.cidr),
        ("api_cidr", vpc.cidr),
        ("pods_cidr", PODS),
        ("services_cidr", SERVICES),
        ("outbound", vpc.outbound),
        *((("dns_group", vpc.dns_group),) if vpc.dns_group else ()),
    )
    return Call("network", "AdoptedNetwork", _name(context), adopted, FOUNDATION, here)


def _cluster(context: Context) -> Call:
    arguments: list[tuple[str, Literal]] = [
        ("group", Ref("group")),
        ("network", Ref("network")),
        ("key", Ref("key")),
        ("version", version_of(context.target)),
        ("machine", CLUSTER_MACHINE),
        ("nodes", cluster_nodes(context.plan)),
    ]
    if together := training_pools(context.plan, context.placement):
        arguments.append(("training_pools", together))
    if context.target.access:
        arguments.append(("public_access_cidrs", context.target.access))
    here = (*target_path(context.system, context.placement), "version")
    return Call("cluster", "Cluster", _name(context), tuple(arguments), FOUNDATION, here)
