"""The README of an AWS target: contents, deployment, removal and cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from modelyard.plan import Identity, Kind, NodePool
from modelyard.records import record
from modelyard.stack import Project, TextFile
from modelyard.usage import NO_USAGE
from modelyard_targets.aws.costs import COSTS
from modelyard_targets.aws.foundation import nat_of, release_of
from modelyard_targets.aws.infrastructure import calls_of
from modelyard_targets.aws.names import cluster_name, group_name
from modelyard_targets.aws.options import vpc_of
from modelyard_targets.aws.pools import pool_nodes
from modelyard_targets.aws.quotas import excesses
from modelyard_targets.cloud.costs.rows import cost_rows
from modelyard_targets.cloud.data import managed_databases
from modelyard_targets.cloud.existing_readme import existing_values
from modelyard_targets.cloud.pools import classes_of_one_zone
from modelyard_targets.cloud.readme import (
    cluster_values,
    hosts_elsewhere,
    mail_values,
    on_premises_hosts,
    secrets_to_store,
    stored_secrets,
    stores_values,
)
from modelyard_targets.kube.data.crossing import crosses_from
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.placed import managed_stores
from modelyard_targets.kube.placement.platform import as_spelled
from modelyard_targets.kube.project.workloads_project import Workloads
from modelyard_targets.kube.readme.prose import render
from modelyard_targets.kube.readme.readme import README, image_texts
from modelyard_targets.kube.storage.buckets import bucket_name
from modelyard_targets.kube.storage.clouds import federates_from

_TEMPLATES: Final = Path(__file__).parent / "templates"
_NAT: Final = {"none": "traffic between zones", "one": "the NAT gateway", "per-zone": "the NAT gateways"}


@record
class _Group:
    """A row in the README's table of machines."""

    compute: str
    name: str
    machines: tuple[str, ...]
    capacity: str
    least: int
    most: int


@record
class _Opened:
    """A row in the README's table of adopted buckets."""

    name: str
    key: str
    readers: tuple[str, ...]


def texts_of(context: Context, infrastructure: Sequence[Project], workloads: Workloads) -> tuple[TextFile, ...]:
    """Return the README and, if the cluster pulls from a mirror, the image list."""
    template, values = ("aws_existing.md.j2", _existing) if context.target.cluster.adopt else ("aws.md.j2", _values)
    readme = TextFile(README, lambda: render(template, values(context, infrastructure, workloads), _TEMPLATES))
    return (readme, *image_texts(context))


def stores_texts_of(context: Context, infrastructure: Sequence[Project]) -> tuple[TextFile, ...]:
    """Return the README of a target without a cluster, or an empty tuple if it doesn't create any resources."""
    if not infrastructure:
        return ()
    return (TextFile(README, lambda: render("stores.md.j2", _stores_values(context, infrastructure), _TEMPLATES)),)


def _stores_values(context: Context, infrastructure: Sequence[Project]) -> dict[str, object]:
    buckets, name = list(_buckets(context)), cluster_name(context.system, context.placement)
    descriptions = {
        "ObjectStore": ("keys, buckets", f"the key {name} and the buckets that it encrypts, {', '.join(buckets)}"),
        "Crossing": ("users and their policies", "a user for each workload that opens a bucket from another target"),
        "TrustedIdentity": (
            "identity providers, roles and their policies",
            "a role for each workload of another cluster that opens a bucket",
        ),
        "Budget": ("budgets", "the budget of the system"),
    }
    calls = {call.component for call in calls_of(context)}
    rights, resources = zip(*(words for component, words in descriptions.items() if component in calls), strict=True)
    return {
        **stores_values(context, infrastructure),
        "buckets": buckets,
        "rights": rights,
        "made": resources,
        "protected_here": [f"the key {name}", *(f"bucket {bucket}" for bucket in buckets)],
        **mail_values(calls_of(context)),
        "opened": tuple(_opened(context)),
    }


def _opened(context: Context) -> Iterator[_Opened]:
    """Yield the adopted S3 buckets that this project's roles and users can access."""
    readers: dict[str, list[str]] = {}
    for resource in context.plan.of(Identity):
        here = resource.placement == context.placement
        for name in dict.fromkeys(access.store for access in resource.value.access):
            store = context.system.stores[name]
            other = context.system.target(resource.placement)
            keyed = crosses_from(store, other, context.system)
            user = not here and (keyed or federates_from(store, other, context.system))
            at_aws = context.system.target(store.target).provider == "aws" and not store.endpoint
            if store.adopt and at_aws and (here or (user and store.target == context.placement)):
                readers.setdefault(name, []).append(resource.name if here else f"{resource.placement}.{resource.name}")
    for name, workloads in readers.items():
        store = context.system.stores[name]
        yield _Opened(store.adopt, store.encryption_key, tuple(workloads))


def _values(context: Context, infrastructure: Sequence[Project], workloads: Workloads) -> dict[str, object]:
    system, target = context.system, context.target
    databases = [resource.name for resource in managed_databases(context)]
    buckets = list(_buckets(context))
    name = cluster_name(system, context.placement)
    return {
        **cluster_values(context, infrastructure, workloads),
        **mail_values(calls_of(context)),
        "opened": tuple(_opened(context)),
        "cluster": name,
        "release": release_of(target),
        "nat": _NAT[nat_of(system, target)] if not vpc_of(target).adopt else _NAT["none"],
        "quotas": excesses(context.plan, context.placement),
        "linked": _linked(databases),
        "pools": tuple(_groups(context)),
        "one_zone": sorted(classes_of_one_zone(context.plan, context.placement)),
        "image_path": context.runtime_image.partition("/")[2],
        "buckets": buckets,
        "protected_here": [
            f"the cluster and the key {name}"
            if vpc_of(target).adopt
            else f"the network, the cluster and the key {name}",
            *(f"bucket {bucket}" for bucket in buckets),
            *(f"database {database}" for database in databases),
        ],
        "joined": tuple(dict.fromkeys(_joined(context))),
        "kept_secrets": secrets_to_store(context),
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
        others=[f"database {database.name}" for database in managed_databases(context)],
        secrets=stored_secrets(context, as_spelled),
        costs=COSTS,
        sizes=pool_nodes(context.plan, context.placement),
    )
    image_path = context.runtime_image.partition("/")[2]
    return {**values, **mail_values(calls_of(context)), "opened": tuple(_opened(context)), "image_path": image_path}


def _linked(databases: Sequence[str]) -> list[str]:
    """Return the services for which applying the infrastructure may create a service-linked role.

    Other such roles are created indirectly: node groups create Auto Scaling's role, which creates Spot's, and the
    cluster creates the load balancer's. Source:
    https://docs.aws.amazon.com/eks/latest/userguide/using-service-linked-roles.html, 2026-11-25.
    """
    return ["eks.amazonaws.com", "eks-nodegroup.amazonaws.com", *(["rds.amazonaws.com"] if databases else [])]


def _joined(context: Context) -> Iterator[str]:
    """Yield the hosts that the network needs a route to.

    These are on-premises clusters and, without internet access, all hosts other than AWS services.
    """
    yield from on_premises_hosts(context)
    target = context.target
    if not vpc_of(target).adopt and nat_of(context.system, target) == "none":
        yield from hosts_elsewhere(context, (f".dkr.ecr.{target.region}.amazonaws.com", ".svc", ".svc.cluster.local"))


def _buckets(context: Context) -> Iterator[str]:
    for store in managed_stores(context.plan, context.placement, Kind.OBJECT_STORE):
        yield bucket_name(store.value, context.system)


def _groups(context: Context) -> Iterator[_Group]:
    sizes = pool_nodes(context.plan, context.placement)
    for resource in context.plan.of(NodePool, context.placement):
        for at, group in enumerate(resource.value.groups):
            nodes = sizes[resource.value.compute, at]
            capacity = "spot" if group.spot else "on demand"
            name = group_name(resource.name, group)
            yield _Group(resource.value.compute, name, group.machines, capacity, nodes.least, nodes.most)
