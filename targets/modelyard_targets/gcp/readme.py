"""The README of a Google Cloud target, covering contents, deployment, removal and cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from modelyard.plan import Kind, NodePool
from modelyard.records import record
from modelyard.stack import Project, TextFile
from modelyard.usage import NO_USAGE
from modelyard_targets.cloud.costs.rows import cost_rows
from modelyard_targets.cloud.data import has_registry, managed_databases
from modelyard_targets.cloud.existing_readme import existing_values
from modelyard_targets.cloud.pools import training_pools
from modelyard_targets.cloud.readme import (
    adopted_values,
    cluster_values,
    hosts_elsewhere,
    mail_values,
    on_premises_hosts,
    other_targets,
    stored_secrets,
    stores_values,
)
from modelyard_targets.gcp.costs import COSTS
from modelyard_targets.gcp.identities import google_access
from modelyard_targets.gcp.infrastructure import calls_of
from modelyard_targets.gcp.names import cluster_name, pool_name, repository, secret_id
from modelyard_targets.gcp.options import has_nat, vpc_of
from modelyard_targets.gcp.pools import pool_nodes
from modelyard_targets.gcp.quotas import quotas
from modelyard_targets.gcp.versions import version_of
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.placed import managed_stores
from modelyard_targets.kube.project.workloads_project import Workloads
from modelyard_targets.kube.readme.prose import render
from modelyard_targets.kube.readme.readme import README, image_texts
from modelyard_targets.kube.storage.buckets import bucket_name

_TEMPLATES: Final = Path(__file__).parent / "templates"
_REGISTRIES: Final = ("-docker.pkg.dev", ".svc", ".svc.cluster.local")


@record
class _Pool:
    """A row in the README's table of node pools."""

    compute: str
    name: str
    machine: str
    capacity: str
    least: int
    most: int


def texts_of(context: Context, infrastructure: Sequence[Project], workloads: Workloads) -> tuple[TextFile, ...]:
    """Return the README and, if the cluster pulls from a mirror, the image list."""
    template, values = ("google_existing.md.j2", _existing) if context.target.cluster.adopt else ("gcp.md.j2", _values)
    readme = TextFile(README, lambda: render(template, values(context, infrastructure, workloads), _TEMPLATES))
    return (readme, *image_texts(context))


def stores_texts_of(context: Context, infrastructure: Sequence[Project]) -> tuple[TextFile, ...]:
    """Return the README of a target without a cluster, or an empty tuple if it doesn't create any resources."""
    if not infrastructure:
        return ()
    values = _stores_values(context, infrastructure)
    return (TextFile(README, lambda: render("google_stores.md.j2", values, _TEMPLATES)),)


def _stores_values(context: Context, infrastructure: Sequence[Project]) -> dict[str, object]:
    buckets, name = list(_buckets(context)), cluster_name(context.system, context.placement)
    return {
        **stores_values(context, infrastructure),
        "buckets": buckets,
        "protected_here": [f"the key {name}", *(f"bucket {bucket}" for bucket in buckets)],
        **mail_values(calls_of(context)),
        **adopted_values(context, google_access),
    }


def _values(context: Context, infrastructure: Sequence[Project], workloads: Workloads) -> dict[str, object]:
    system, target = context.system, context.target
    databases = [resource.name for resource in managed_databases(context)]
    buckets = list(_buckets(context))
    name = cluster_name(system, context.placement)
    return {
        **cluster_values(context, infrastructure, workloads),
        **mail_values(calls_of(context)),
        **adopted_values(context, google_access),
        "cluster": name,
        "kubernetes_version": version_of(target),
        "nat": "Cloud NAT" if has_nat(target) else "traffic between zones",
        "quotas": quotas(context.plan, context.placement),
        "pools": tuple(_pools(context)),
        "one_zone": list(training_pools(context.plan, context.placement)),
        "image_path": _image_path(context),
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
        "first": sorted(other_targets(context, google_access)),
        "kept_secrets": stored_secrets(context, secret_id),
        "prices": tuple(cost_rows(COSTS.lines(context.plan, context.placement, NO_USAGE))),
    }


def _existing(context: Context, infrastructure: Sequence[Project], workloads: Workloads) -> dict[str, object]:
    """Return the README's values for a system on an adopted cluster."""
    system, databases = context.system, managed_databases(context)
    values = existing_values(
        context,
        infrastructure,
        workloads,
        key=cluster_name(system, context.placement),
        buckets=_buckets(context),
        others=[
            *(f"database {database.name}" for database in databases),
            *((f"image repository {repository(system, context.placement)}",) if has_registry(context) else ()),
        ],
        secrets=stored_secrets(context, secret_id),
        costs=COSTS,
        sizes=pool_nodes(context.plan, context.placement),
        first=other_targets(context, google_access),
    )
    mails, adopted = mail_values(calls_of(context)), adopted_values(context, google_access)
    return {**values, **mails, **adopted, "image_path": _image_path(context)}


def _image_path(context: Context) -> str:
    """Return the runtime image's name without its registry's host, project and repository."""
    return context.runtime_image.rpartition("/")[2]


def _joined(context: Context) -> Iterator[str]:
    """Yield the hosts that the network needs a route to.

    These are on-premises clusters and, without internet access, all hosts outside Google Cloud.
    """
    yield from on_premises_hosts(context)
    if not vpc_of(context.target).adopt and not has_nat(context.target):
        yield from hosts_elsewhere(context, _REGISTRIES)


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
