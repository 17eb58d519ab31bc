"""The README of a Google Cloud target: contents, deployment, removal and cost."""

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
from modelyard_targets.cloud.pools import classes_of_one_zone
from modelyard_targets.cloud.services import SECRETS_MANAGER
from modelyard_targets.gcp.budget import cost_rows
from modelyard_targets.gcp.identities import google_access
from modelyard_targets.gcp.infrastructure import calls_of
from modelyard_targets.gcp.names import cluster_name, pool_name, repository, secret_id
from modelyard_targets.gcp.options import has_nat, vpc_of
from modelyard_targets.gcp.pools import pool_nodes
from modelyard_targets.gcp.quotas import quotas
from modelyard_targets.gcp.storage import has_registry, managed_databases
from modelyard_targets.gcp.versions import version_of
from modelyard_targets.kube.access.secrets import Wanted, secrets_of, store_of
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.placed import managed_stores
from modelyard_targets.kube.project.workloads_project import Workloads
from modelyard_targets.kube.readme.crossings import crossing_values
from modelyard_targets.kube.readme.prose import render
from modelyard_targets.kube.readme.readme import README, image_texts, readme_values
from modelyard_targets.kube.storage.buckets import bucket_name

_TEMPLATES: Final = Path(__file__).parent / "templates"
_REGISTRIES: Final = ("-docker.pkg.dev", ".svc", ".svc.cluster.local")


@record
class _Pool:
    """A row in the table of node pools."""

    compute: str
    name: str
    machine: str
    capacity: str
    least: int
    most: int


@record
class _Opened:
    """A row in the table of adopted buckets."""

    name: str
    readers: tuple[str, ...]


@record
class _Secret:
    """A row in the table of secrets that must exist in Secret Manager."""

    name: str
    keys: tuple[str, ...]
    workloads: tuple[str, ...]


def texts_of(context: Context, infrastructure: Sequence[Project], workloads: Workloads) -> tuple[TextFile, ...]:
    """Return the README and, if the cluster pulls from a mirror, the list of images."""
    readme = TextFile(README, lambda: render("gcp.md.j2", _values(context, infrastructure, workloads), _TEMPLATES))
    return (readme, *image_texts(context))


def stores_texts_of(context: Context, infrastructure: Sequence[Project]) -> tuple[TextFile, ...]:
    """Return the README of a target without a cluster, or nothing if the target creates no resources."""
    if not infrastructure:
        return ()
    values = _stores_values(context, infrastructure)
    return (TextFile(README, lambda: render("google_stores.md.j2", values, _TEMPLATES)),)


def secrets_to_store(context: Context) -> tuple[Wanted, ...]:
    """Return the secrets that must exist in Secret Manager before deployment, merged across namespaces."""
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
        "protected_here": [f"the key {name}", *(f"bucket {bucket}" for bucket in buckets)],
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
        "private": target.network == "private",
        "nat": "Cloud NAT" if has_nat(target) else "traffic between zones",
        "quotas": quotas(context.plan, context.placement),
        "pools": tuple(_pools(context)),
        "one_zone": list(_pools_of_one_zone(context)),
        "own_registry": has_registry(context),
        "image_path": _image_path(context),
        "databases": databases,
        "buckets": buckets,
        "protected_here": [
            f"the cluster and the key {name}"
            if vpc_of(target).adopt
            else f"the network, the cluster and the key {name}",
            *(f"bucket {bucket}" for bucket in buckets),
            *(f"database {database}" for database in databases),
            *((f"image repository {repository(system, context.placement)}",) if has_registry(context) else ()),
        ],
        "joined": tuple(dict.fromkeys(_joined(context))),
        "first": sorted(_other_targets(context)),
        "kept_secrets": [
            _Secret(secret_id(secret.ref.path), secret.keys, secret.workloads) for secret in secrets_to_store(context)
        ],
        "prices": tuple(cost_rows(context.plan, context.placement)),
    }


def _image_path(context: Context) -> str:
    """Return the runtime image's name without its registry's host, project and repository."""
    return context.runtime_image.rpartition("/")[2]


def _opened(context: Context) -> Iterator[_Opened]:
    """Yield the adopted buckets that this placement's workloads use."""
    readers: dict[str, list[str]] = {}
    for resource in context.plan.of(Identity, context.placement):
        for name in dict.fromkeys(access.store for access in google_access(resource.value, context.system)):
            if context.system.stores[name].adopt:
                readers.setdefault(name, []).append(resource.name)
    for name, workloads in readers.items():
        yield _Opened(context.system.stores[name].adopt, tuple(workloads))


def _other_targets(context: Context) -> set[str]:
    """Return the other targets that create buckets for this placement's workloads."""
    stores = context.system.stores
    opened = {
        access.store
        for resource in context.plan.of(Identity, context.placement)
        for access in google_access(resource.value, context.system)
    }
    return {stores[name].target for name in opened if not stores[name].adopt} - {context.placement}


def _mails(context: Context) -> dict[str, object]:
    """Return whether the project has a budget and alarms, which both send mails."""
    calls = {call.component for call in calls_of(context)}
    return {"budgeted": "Budget" in calls, "alarmed": "Alarms" in calls}


def _joined(context: Context) -> Iterator[str]:
    """Yield hosts that need a route from the network: on-premises clusters and, without internet access, every host
    outside Google Cloud.
    """
    system, target = context.system, context.target
    for link in context.plan.crossings(context.placement):
        if link.ends[0] == context.placement and not system.target(link.ends[1]).in_cloud:
            store = context.plan.at(link.sink, Store)
            yield _host(store.value.endpoint or store.value.adopt) if store is not None else link.ends[1]
    if not vpc_of(target).adopt and not has_nat(target):
        urls = (target.images.registry, system.registry.adopt if system.registry else "", target.telemetry.remote_write)
        yield from (host for host in map(_host, urls) if host and not host.endswith(_REGISTRIES))


def _host(address: str) -> str:
    """Return the host of a URL, with or without a scheme."""
    try:
        return urlsplit(address if "://" in address else f"//{address}").hostname or address
    except ValueError:  # an invalid address is reported elsewhere
        return address


def _buckets(context: Context) -> Iterator[str]:
    for store in managed_stores(context.plan, context.placement, Kind.OBJECT_STORE):
        yield bucket_name(store.value, context.system)


def _pools(context: Context) -> Iterator[_Pool]:
    sizes = pool_nodes(context.plan, context.placement)
    for resource in context.plan.of(NodePool, context.placement):
        for at, group in enumerate(resource.value.groups):
            nodes = sizes[resource.value.compute, at]
            capacity = "spot" if group.spot else "on demand"
            name = pool_name(resource.name, group)
            yield _Pool(resource.value.compute, name, group.machines[0], capacity, nodes.least, nodes.most)
