"""Values for the README of a system on a cluster that its target adopts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from modelyard.diagnostics.base import joined
from modelyard.plan import NodePool
from modelyard.records import record
from modelyard.stack import Project
from modelyard.usage import NO_USAGE
from modelyard_targets.cloud.costs.provider import CloudCosts
from modelyard_targets.cloud.costs.rows import cost_rows
from modelyard_targets.cloud.existing import pool_label
from modelyard_targets.cloud.pools import Nodes
from modelyard_targets.cloud.readme import StoredSecret, cluster_values, on_premises_hosts
from modelyard_targets.cloud.services import has_own_store
from modelyard_targets.kube.access.secrets import own_kind, own_store
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.project.pins import installed
from modelyard_targets.kube.project.workloads_project import Workloads
from modelyard_targets.kube.readme.prose import Markup, as_code


@record
class PoolRow:
    """A compute class's node pools in the cluster, for the README. Each alternative has its own pool."""

    label: str
    machines: tuple[str, ...]
    nodes: str


def existing_values(
    context: Context,
    projects: Sequence[Project],
    workloads: Workloads,
    *,
    key: str,
    buckets: Iterable[str],
    others: Iterable[str],
    secrets: Sequence[StoredSecret],
    costs: CloudCosts,
    first: Iterable[str] = (),
    sizes: Mapping[tuple[str, int], Nodes],
) -> dict[str, object]:
    """Return the values that all clouds have in common.

    `key` is the name of the system's encryption key, and `others` are the resources protected from `destroy` in
    addition to this key and the buckets. `sizes` holds the node counts of the system's node pools, if it has any in the
    cluster.
    """
    stores = list(buckets)
    return {
        **cluster_values(context, projects, workloads),
        "own_store": has_own_store(context),
        "rights": Markup(joined(_rights(context))),
        "buckets": stores,
        "protected_here": [f"the key {key}", *(f"bucket {bucket}" for bucket in stores), *others],
        "joined": tuple(dict.fromkeys(on_premises_hosts(context))),
        "first": sorted(first),
        "kept_secrets": secrets,
        "pools": tuple(_pools(context, sizes)),
        "prices": tuple(cost_rows(costs.lines(context.plan, context.placement, NO_USAGE))),
    }


def _rights(context: Context) -> Iterator[str]:
    """Yield what someone applying the workloads must be allowed to create in the cluster."""
    if context.target.tenancy != "shared":
        yield "namespaces"
    yield f"the objects in {as_code('manifests/')}"
    if has_own_store(context):
        yield f"the {own_kind(context)} {as_code(own_store(context))}"
    if installed(context):
        yield "add-ons"


def _pools(context: Context, sizes: Mapping[tuple[str, int], Nodes]) -> Iterator[PoolRow]:
    for pool in context.plan.of(NodePool, context.placement):
        groups = pool.value.groups
        machines = tuple(f"{' or '.join(group.machines)}{' (spot)' if group.spot else ''}" for group in groups)
        least = sizes[pool.value.compute, 0].least
        most = max(sizes[pool.value.compute, at].most for at in range(len(groups)))
        yield PoolRow(pool_label(pool), machines, f"{least} to {most}")
