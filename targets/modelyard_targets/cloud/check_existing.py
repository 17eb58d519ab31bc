"""Checks for an adopted cluster: fields that only fit created or adopted clusters, and colliding names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from modelyard.diagnostics import existing as problems
from modelyard.diagnostics.base import Diagnostic
from modelyard.diagnostics.plan import reserved_name
from modelyard.plan import Identity, Kind, Plan
from modelyard.spec import TargetSpec, target_path
from modelyard_targets.cloud.existing import SECRETS_ACCOUNT, adopts, creates_pools
from modelyard_targets.kube.checks.check import Rule
from modelyard_targets.kube.existing import checks as existing
from modelyard_targets.kube.existing.budget import check_prices
from modelyard_targets.kube.existing.capacity import check_capacity
from modelyard_targets.kube.placement.placed import managed_stores, target_of

_OF_A_CREATED_CLUSTER: Final[tuple[str, ...]] = ("version", "network", "access", "vpc")
_OF_DECLARED_MACHINES: Final[tuple[Rule, ...]] = (check_capacity, check_prices)
"""Rules that compare workloads with `capacity`. They do not apply if the system creates its own node pools."""

_OF_AN_EXISTING_CLUSTER: Final[tuple[str, ...]] = ("capacity", "tenancy", "priorityClasses")


def check_fields(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report fields for created clusters on an adopted cluster, and vice versa."""
    if not plan.has_cluster(placement):
        return  # reported as having no effect
    target, here = target_of(plan, placement), target_path(plan.system, placement)
    written = plan.system.written(*here)
    for field in _OF_A_CREATED_CLUSTER if target.cluster.adopt else _OF_AN_EXISTING_CLUSTER:
        if field not in written:
            continue
        where = plan.system.key(*here, field)
        if target.cluster.adopt:
            if field == "network" and target.network == "private":
                continue  # the default, which appears in a rendered spec
            yield problems.field_of_created_cluster(where, placement, field, target.cluster.adopt)
        elif field != "tenancy" or target.tenancy != "dedicated":
            yield problems.field_of_existing_cluster(where, placement, field)


def check_own_pools(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report settings for existing machines or tenant permissions if an adopted cluster gets new node pools."""
    if not creates_pools(plan, placement):
        return
    target, here = target_of(plan, placement), target_path(plan.system, placement)
    if target.capacity:
        yield problems.pools_and_machines(plan.system.key(*here, "capacity"), placement)
    if target.tenancy == "shared":
        yield problems.pools_of_a_tenant(plan.system.at(*here, "tenancy"), placement, target.cluster.adopt)


def check_database_range(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Require an adopted cluster's network range in the spec if a database is created.

    Network policies allow egress to that range.
    """
    target = target_of(plan, placement)
    if not adopts(plan, placement) or target.cluster.cidr:
        return
    for store in managed_stores(plan, placement, Kind.DATABASE):
        where = plan.system.key(*target_path(plan.system, placement), "cluster")
        yield problems.range_of_cluster_needed(where, placement, store.value.name)


def check_adopted_once(plan: Plan, placement: str, account_of: Callable[[TargetSpec], str]) -> Iterator[Diagnostic]:
    """Report a target that adopts the same cluster as an earlier one, because both would create the same objects."""
    if not adopts(plan, placement):
        return
    mine = target_of(plan, placement)
    for other in plan.system.deployment.targets:
        if other.name == placement:
            return
        same = (other.provider, other.region, other.cluster.adopt) == (mine.provider, mine.region, mine.cluster.adopt)
        if same and account_of(other) == account_of(mine) and adopts(plan, other.name):
            where = plan.system.at(*target_path(plan.system, placement), "cluster", "adopt")
            yield problems.cluster_adopted_twice(where, placement, other.name, mine.cluster.adopt)


def check_account_name(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report a workload whose ServiceAccount would have the same name as the system's secret store account."""
    for resource in plan.of(Identity, placement) if adopts(plan, placement) else ():
        if resource.name == SECRETS_ACCOUNT:
            why = "the ServiceAccount that reads the system's secrets has that name"
            yield reserved_name(plan.system.key(*resource.origin[:2]), resource.name, why)


def check_cluster(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Check an adopted cluster like any other existing cluster: its machines, add-ons, clients and PriorityClasses."""
    ignored = _OF_DECLARED_MACHINES if creates_pools(plan, placement) else ()
    for rule in existing.CHECKS if adopts(plan, placement) else ():
        if rule in ignored:
            continue
        yield from rule(plan, placement)


CHECKS: Final[tuple[Rule, ...]] = (
    check_fields,
    check_own_pools,
    check_database_range,
    check_account_name,
    check_cluster,
)
