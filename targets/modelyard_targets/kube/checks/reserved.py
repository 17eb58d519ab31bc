"""Check that spec names don't collide with network policies, the registry, or Jobs for buckets and logins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from modelyard.diagnostics.base import Diagnostic, quote
from modelyard.diagnostics.plan import reserved_name
from modelyard.names import object_name
from modelyard.plan import Kind, Namespace, Plan
from modelyard_targets.kube.access import namespace
from modelyard_targets.kube.placement.charts import charts
from modelyard_targets.kube.placement.context import database_name
from modelyard_targets.kube.placement.fixed import BUCKET_NAME, LOGIN_NAME, REGISTRY_NAME, STORAGE_POLICY
from modelyard_targets.kube.placement.placed import (
    addons_needed,
    addons_to_install,
    managed_stores,
    registry_of,
    target_of,
)

_NAMED = frozenset(
    {
        Kind.IDENTITY,
        Kind.MODEL_SERVER,
        Kind.TRAINING_JOB,
        Kind.BATCH_JOB,
        Kind.CUSTOM_JOB,
        Kind.MONITOR,
        Kind.PROMOTER,
        Kind.STARTER,
        Kind.DATABASE,
    }
)
"""Kinds of resources that have a ServiceAccount, a network policy or Pods of the same name."""

_DATABASES: Final = frozenset({"postgres", "template0", "template1", "rdsadmin"})
"""Databases that already exist on every PostgreSQL server or on RDS."""

_ROLES: Final = frozenset({"public", "none", "streaming_replica", "dbadmin", "rdsrepladmin", "rdstopmgr"})
"""Role names that PostgreSQL refuses or that CloudNativePG, the component library or RDS uses.

The role names and the prefix for RDS were not checked against its documentation, and RDS may also refuse other names.
"""

_PREFIXES: Final = ("pg_", "rds_")
"""Prefixes of reserved roles in PostgreSQL and RDS."""


def check_names(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report name collisions.

    Workloads collide if their policies or Pods have the same name as the platform's. The namespace must not belong to
    an add-on, because our policies would deny the add-on's connections. PostgreSQL reserves some database names.
    """
    yield from _check_namespace(plan, placement)
    yield from _check_databases(plan, placement)
    reserved = _reserved_names(plan, placement)
    reported: set[str] = set()
    for resource in plan.on(placement):
        if resource.kind in _NAMED and resource.name in reserved and resource.name not in reported:
            reported.add(resource.name)
            yield reserved_name(plan.system.key(*resource.origin[:2]), resource.name, reserved[resource.name])


def _check_namespace(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    target = target_of(plan, placement)
    reserved = {charts()[addon].namespace for addon in addons_to_install(plan, placement) if addon != "prometheus"}
    reserved |= {target.telemetry.namespace} if "prometheus" in addons_needed(plan, placement) else set()
    for resource in plan.of(Namespace, placement):
        if resource.name in reserved:
            span = plan.system.at(*resource.origin) if target.namespace else plan.system.key("metadata", "name")
            yield reserved_name(
                span, resource.name, "an add-on uses that namespace, and this system's network policies would block it"
            )


def _check_databases(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report managed databases whose name is reserved for a database or role. The owner role has the same name."""
    for store in (resource.value for resource in managed_stores(plan, placement, Kind.DATABASE)):
        name = database_name(store)
        if name in _DATABASES | _ROLES or name.startswith(_PREFIXES):
            why = f"PostgreSQL, or the managed service that runs it, reserves {quote(name)}"
            yield reserved_name(plan.system.key("stores", store.name), store.name, why)


def _reserved_names(plan: Plan, placement: str) -> Mapping[str, str]:
    """Map each reserved name to a description of what uses it."""
    policies = (*namespace.CLOSED, STORAGE_POLICY)
    reserved: dict[str, str] = dict.fromkeys(policies, "the namespace has a NetworkPolicy with that name")
    for bucket in managed_stores(plan, placement, Kind.OBJECT_STORE):
        name = object_name(BUCKET_NAME, bucket.name)
        reserved[name] = f"the Job that creates the bucket of store {quote(bucket.name)} has that name"
    for database in managed_stores(plan, placement, Kind.DATABASE):
        name = object_name(LOGIN_NAME, database.name)
        reserved[name] = f"the Job that rotates the login of store {quote(database.name)} has that name"
    if registry_of(plan, placement) is not None:
        reserved[REGISTRY_NAME] = "the registry's Pods and Service have that name"
    return reserved
