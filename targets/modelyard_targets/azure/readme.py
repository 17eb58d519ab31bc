"""The README of an Azure target: contents, deployment order, cost and removal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from modelyard.plan import Kind, NodePool
from modelyard.records import record
from modelyard.stack import Project, TextFile
from modelyard.usage import NO_USAGE
from modelyard_targets.azure.costs import COSTS
from modelyard_targets.azure.foundation import providers_of
from modelyard_targets.azure.identities import azure_access
from modelyard_targets.azure.infrastructure import calls_of
from modelyard_targets.azure.names import agent_pool, cluster_name, group_name, nodes_group, pool_name, secret_id
from modelyard_targets.azure.options import vpc_of
from modelyard_targets.azure.pools import pool_nodes
from modelyard_targets.azure.quotas import quotas
from modelyard_targets.azure.storage import account_of, has_vault
from modelyard_targets.azure.versions import version_of
from modelyard_targets.cloud.costs.rows import cost_rows
from modelyard_targets.cloud.data import has_registry, managed_databases
from modelyard_targets.cloud.existing_readme import existing_values
from modelyard_targets.cloud.pools import training_pools
from modelyard_targets.cloud.readme import (
    adopted_values,
    cluster_values,
    mail_values,
    on_premises_hosts,
    other_targets,
    stored_secrets,
    stores_values,
)
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.placed import managed_stores
from modelyard_targets.kube.project.workloads_project import Workloads
from modelyard_targets.kube.readme.prose import render
from modelyard_targets.kube.readme.readme import README, image_texts

_TEMPLATES: Final = Path(__file__).parent / "templates"


@record
class _Pool:
    """A row in the README's table of node pools."""

    compute: str
    name: str
    agent_pool: str
    machine: str
    capacity: str
    least: int
    most: int


def texts_of(context: Context, infrastructure: Sequence[Project], workloads: Workloads) -> tuple[TextFile, ...]:
    """Return the README and, if the cluster pulls from a mirror, the image list."""
    existing = bool(context.target.cluster.adopt)
    template, values = ("azure_existing.md.j2", _existing) if existing else ("azure.md.j2", _values)
    readme = TextFile(README, lambda: render(template, values(context, infrastructure, workloads), _TEMPLATES))
    return (readme, *image_texts(context))


def stores_texts_of(context: Context, infrastructure: Sequence[Project]) -> tuple[TextFile, ...]:
    """Return the README of a target without a cluster, or an empty tuple if it doesn't create any resources."""
    if not infrastructure:
        return ()
    values = _stores_values(context, infrastructure)
    return (TextFile(README, lambda: render("azure_stores.md.j2", values, _TEMPLATES)),)


def _stores_values(context: Context, infrastructure: Sequence[Project]) -> dict[str, object]:
    buckets, name = list(_buckets(context)), cluster_name(context.system, context.placement)
    return {
        **stores_values(context, infrastructure),
        "buckets": buckets,
        **_lock_values(context),
        "group": group_name(context.system, context.target),
        "providers": providers_of(context),
        "protected_here": [f"the key {name}", *(f"store {bucket}" for bucket in buckets)],
        **mail_values(calls_of(context)),
        **adopted_values(context, azure_access),
    }


def _values(context: Context, infrastructure: Sequence[Project], workloads: Workloads) -> dict[str, object]:
    system, target = context.system, context.target
    databases = [resource.name for resource in managed_databases(context)]
    buckets = list(_buckets(context))
    name = cluster_name(system, context.placement)
    return {
        **cluster_values(context, infrastructure, workloads),
        **mail_values(calls_of(context)),
        **adopted_values(context, azure_access),
        "cluster": name,
        "kubernetes_version": version_of(target),
        "group": group_name(system, target),
        "nodes_group": nodes_group(group_name(system, target)),
        "providers": providers_of(context),
        "nat": "traffic between networks" if vpc_of(target).adopt else "the NAT gateway",
        "quotas": quotas(context.plan, context.placement),
        "pools": tuple(_pools(context)),
        "one_zone": list(training_pools(context.plan, context.placement)),
        "image_path": _image_path(context),
        "vault": has_vault(context),
        "buckets": buckets,
        **_lock_values(context),
        "protected_here": [
            f"the cluster and the key {name}"
            if vpc_of(target).adopt
            else f"the network, the cluster and the key {name}",
            *(f"store {bucket}" for bucket in buckets),
            *(f"database {database}" for database in databases),
            *(("the image registry",) if has_registry(context) else ()),
            *(("the vault of secrets",) if has_vault(context) else ()),
        ],
        "joined": tuple(dict.fromkeys(on_premises_hosts(context))),
        "first": sorted(other_targets(context, azure_access)),
        "kept_secrets": stored_secrets(context, secret_id),
        "prices": tuple(cost_rows(COSTS.lines(context.plan, context.placement, NO_USAGE))),
    }


def _existing(context: Context, infrastructure: Sequence[Project], workloads: Workloads) -> dict[str, object]:
    """Return the README's values for a system on an adopted cluster."""
    values = existing_values(
        context,
        infrastructure,
        workloads,
        key=cluster_name(context.system, context.placement),
        buckets=_buckets(context),
        others=[
            *(f"database {database.name}" for database in managed_databases(context)),
            *(("the image registry",) if has_registry(context) else ()),
            *(("the vault of secrets",) if has_vault(context) else ()),
        ],
        secrets=stored_secrets(context, secret_id),
        costs=COSTS,
        sizes=pool_nodes(context.plan, context.placement),
        first=other_targets(context, azure_access),
    )
    return {
        **values,
        **mail_values(calls_of(context)),
        **adopted_values(context, azure_access),
        **_lock_values(context),
        "group": group_name(context.system, context.target),
        "providers": providers_of(context),
        "zones": _zones(context),
        "vault": has_vault(context),
        "image_path": _image_path(context),
    }


def _zones(context: Context) -> list[str]:
    """Return the private DNS zones that the system's private endpoints need."""
    needed = {
        "privatelink.blob.core.windows.net": bool(list(_buckets(context))),
        "privatelink.postgres.database.azure.com": bool(managed_databases(context)),
        "privatelink.azurecr.io": has_registry(context),
        "privatelink.vaultcore.azure.net": has_vault(context),
    }
    return [zone for zone, used in needed.items() if used]


def _image_path(context: Context) -> str:
    """Return the runtime image's path without the registry's host."""
    return context.runtime_image.partition("/")[2]


def _lock_values(context: Context) -> dict[str, object]:
    """Return the README's object lock values: whether any store has a lock, and which need a second step.

    In that second step, the lock of the listed stores must be made permanent.
    """
    stores = [store.value for store in managed_stores(context.plan, context.placement, Kind.OBJECT_STORE)]
    locks = {store.name: store.object_lock for store in stores if store.object_lock is not None}
    return {"locked": bool(locks), "final": [name for name, lock in locks.items() if lock.mode == "compliance"]}


def _buckets(context: Context) -> Iterator[str]:
    for store in managed_stores(context.plan, context.placement, Kind.OBJECT_STORE):
        container, account = account_of(store.value, context.system)
        yield f"{account}/{container}"


def _pools(context: Context) -> Iterator[_Pool]:
    sizes = pool_nodes(context.plan, context.placement)
    for resource in context.plan.of(NodePool, context.placement):
        for at, group in enumerate(resource.value.groups):
            nodes = sizes[resource.value.compute, at]
            capacity = "spot" if group.spot else "on demand"
            name, short = pool_name(resource.name, group), agent_pool(resource.name, group)
            yield _Pool(resource.value.compute, name, short, group.machines[0], capacity, nodes.least, nodes.most)
