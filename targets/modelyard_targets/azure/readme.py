"""The README of an Azure target: contents, order of application, cost and removal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from modelyard import __version__
from modelyard.plan import Identity, Kind, NodePool, Secret
from modelyard.records import record, replace
from modelyard.spec import Store
from modelyard.stack import Project, TextFile
from modelyard_targets.azure.budget import cost_rows
from modelyard_targets.azure.foundation import providers_of
from modelyard_targets.azure.identities import azure_access
from modelyard_targets.azure.infrastructure import calls_of
from modelyard_targets.azure.names import agent_pool, cluster_name, group_name, nodes_group, pool_name, secret_id
from modelyard_targets.azure.options import vpc_of
from modelyard_targets.azure.pools import pool_nodes
from modelyard_targets.azure.quotas import quotas
from modelyard_targets.azure.storage import account_of, has_registry, has_vault, managed_databases
from modelyard_targets.azure.versions import version_of
from modelyard_targets.cloud.pools import classes_of_one_zone
from modelyard_targets.cloud.services import SECRETS_MANAGER
from modelyard_targets.kube.access.secrets import Wanted, secrets_of, store_of
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.placed import managed_stores
from modelyard_targets.kube.project.workloads_project import Workloads
from modelyard_targets.kube.readme.crossings import crossing_values
from modelyard_targets.kube.readme.prose import render
from modelyard_targets.kube.readme.readme import README, image_texts, readme_values

_TEMPLATES: Final = Path(__file__).parent / "templates"


@record
class _Pool:
    """A row of the table of node pools."""

    compute: str
    name: str
    agent_pool: str
    machine: str
    capacity: str
    least: int
    most: int


@record
class _Opened:
    """A row of the table of adopted stores."""

    name: str
    readers: tuple[str, ...]


@record
class _Secret:
    """A row of the table of secrets that have to exist in Key Vault."""

    name: str
    keys: tuple[str, ...]
    workloads: tuple[str, ...]


def texts_of(context: Context, infrastructure: Sequence[Project], workloads: Workloads) -> tuple[TextFile, ...]:
    """Return the README and, if the cluster pulls from a mirror, the list of images."""
    readme = TextFile(README, lambda: render("azure.md.j2", _values(context, infrastructure, workloads), _TEMPLATES))
    return (readme, *image_texts(context))


def stores_texts_of(context: Context, infrastructure: Sequence[Project]) -> tuple[TextFile, ...]:
    """Return the README of a target without a cluster; nothing if it creates nothing."""
    if not infrastructure:
        return ()
    values = _stores_values(context, infrastructure)
    return (TextFile(README, lambda: render("azure_stores.md.j2", values, _TEMPLATES)),)


def secrets_to_store(context: Context) -> tuple[Wanted, ...]:
    """Return the secrets that have to exist in Key Vault before deployment, each once for all namespaces."""
    found: dict[str, Wanted] = {}
    for secret in secrets_of(context.plan.of(Secret, context.placement), context):
        if store_of(secret.ref, context).via == SECRETS_MANAGER:
            known = found.get(secret.ref.path, secret)
            keys = tuple(dict.fromkeys((*known.keys, *secret.keys)))
            workloads = tuple(dict.fromkeys((*known.workloads, *secret.workloads)))
            found[secret.ref.path] = replace(known, keys=keys, workloads=workloads)
    return tuple(found.values())


def _stores_values(context: Context, infrastructure: Sequence[Project]) -> dict[str, object]:
    buckets, name = list(_buckets(context)), cluster_name(context.system, context.placement)
    return {
        "version": __version__,
        "system": context.system,
        "placement": context.placement,
        "target": context.target,
        "projects": infrastructure,
        "buckets": buckets,
        "group": group_name(context.system, context.target),
        "providers": providers_of(context),
        "protected_here": [f"the key {name}", *(f"store {bucket}" for bucket in buckets)],
        **_mails(context),
        "opened": tuple(_opened(context)),
        **crossing_values(context),
    }


def _pools_of_one_zone(context: Context) -> Iterator[str]:
    near = classes_of_one_zone(context.plan, context.placement)
    for pool in context.plan.of(NodePool, context.placement):
        if pool.value.compute in near:
            yield pool.name


def _values(context: Context, infrastructure: Sequence[Project], workloads: Workloads) -> dict[str, object]:
    system, target = context.system, context.target
    databases = [resource.name for resource in managed_databases(context)]
    buckets = list(_buckets(context))
    name = cluster_name(system, context.placement)
    return {
        **readme_values(context, workloads),
        **_mails(context),
        "opened": tuple(_opened(context)),
        "projects": (*infrastructure, *workloads.projects),
        "infrastructure": infrastructure,
        "workloads": workloads.projects,
        "cluster": name,
        "kubernetes_version": version_of(target),
        "group": group_name(system, target),
        "nodes_group": nodes_group(group_name(system, target)),
        "providers": providers_of(context),
        "private": target.network == "private",
        "nat": "traffic between networks" if vpc_of(target).adopt else "the NAT gateway",
        "quotas": quotas(context.plan, context.placement),
        "pools": tuple(_pools(context)),
        "one_zone": list(_pools_of_one_zone(context)),
        "own_registry": has_registry(context),
        "image_path": _image_path(context),
        "databases": databases,
        "vault": has_vault(context),
        "buckets": buckets,
        "locked": any(
            store.value.object_lock is not None
            for store in managed_stores(context.plan, context.placement, Kind.OBJECT_STORE)
        ),
        "protected_here": [
            f"the cluster and the key {name}"
            if vpc_of(target).adopt
            else f"the network, the cluster and the key {name}",
            *(f"store {bucket}" for bucket in buckets),
            *(f"database {database}" for database in databases),
            *(("the image registry",) if has_registry(context) else ()),
            *(("the vault of secrets",) if has_vault(context) else ()),
        ],
        "joined": tuple(dict.fromkeys(_joined(context))),
        "first": sorted(_other_targets(context)),
        "kept_secrets": [
            _Secret(secret_id(secret.ref.path), secret.keys, secret.workloads) for secret in secrets_to_store(context)
        ],
        "prices": tuple(cost_rows(context.plan, context.placement)),
    }


def _image_path(context: Context) -> str:
    """Return the runtime image without the host of its registry."""
    return context.runtime_image.partition("/")[2]


def _opened(context: Context) -> Iterator[_Opened]:
    """Yield the adopted stores that workloads here open."""
    readers: dict[str, list[str]] = {}
    for resource in context.plan.of(Identity, context.placement):
        for name in dict.fromkeys(access.store for access in azure_access(resource.value, context.system)):
            if context.system.stores[name].adopt:
                readers.setdefault(name, []).append(resource.name)
    for name, workloads in readers.items():
        yield _Opened(context.system.stores[name].adopt, tuple(workloads))


def _other_targets(context: Context) -> set[str]:
    """Return the other targets that create stores which workloads here open."""
    stores = context.system.stores
    opened = {
        access.store
        for resource in context.plan.of(Identity, context.placement)
        for access in azure_access(resource.value, context.system)
    }
    return {stores[name].target for name in opened if not stores[name].adopt} - {context.placement}


def _mails(context: Context) -> dict[str, object]:
    """Return whether the target has a budget and alarms, which send mails."""
    calls = {call.component for call in calls_of(context)}
    return {"budgeted": "Budget" in calls, "alarmed": "Alarms" in calls}


def _joined(context: Context) -> Iterator[str]:
    """Yield hosts outside the network that need a route from it: those of on-premises clusters."""
    system = context.system
    for link in context.plan.crossings(context.placement):
        if link.ends[0] == context.placement and not system.target(link.ends[1]).in_cloud:
            store = context.plan.at(link.sink, Store)
            yield _host(store.value.endpoint or store.value.adopt) if store is not None else link.ends[1]


def _host(address: str) -> str:
    """Return the host of a URL, with or without a scheme."""
    try:
        return urlsplit(address if "://" in address else f"//{address}").hostname or address
    except ValueError:  # not a valid address; its reader reports it
        return address


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
