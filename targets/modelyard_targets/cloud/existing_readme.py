"""Values for the README of a system on a cluster that its target adopts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from modelyard.stack import Project
from modelyard.usage import NO_USAGE
from modelyard_targets.cloud.costs.provider import CloudCosts
from modelyard_targets.cloud.costs.rows import cost_rows
from modelyard_targets.cloud.readme import StoredSecret, cluster_values, on_premises_hosts
from modelyard_targets.cloud.services import has_own_store
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.project.workloads_project import Workloads


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
) -> dict[str, object]:
    """Return the values that the clouds have in common.

    `key` is the name of the system's key, and `others` are what `destroy` protects beside the key and the buckets.
    """
    stores = list(buckets)
    return {
        **cluster_values(context, projects, workloads),
        "own_store": has_own_store(context),
        "buckets": stores,
        "protected_here": [f"the key {key}", *(f"bucket {bucket}" for bucket in stores), *others],
        "joined": tuple(dict.fromkeys(on_premises_hosts(context))),
        "first": sorted(first),
        "kept_secrets": secrets,
        "prices": tuple(cost_rows(costs.lines(context.plan, context.placement, NO_USAGE))),
    }
