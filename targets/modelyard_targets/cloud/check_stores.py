"""Checks for stores on a cloud: fields of adopted stores, bucket endpoints and regions, logins, and standbys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from modelyard.diagnostics import stores as problems
from modelyard.diagnostics.base import Diagnostic
from modelyard.plan import Plan, RegistryServer, is_adopted
from modelyard.records import record
from modelyard.source import Span
from modelyard.spec import Store, System, TargetSpec
from modelyard_targets.kube.placement.placed import target_of

_OF_OUR_OWN: Final = ("versioned", "retention", "objectLock", "size", "replicas")
"""Fields that are not allowed in an adopted store because its owner manages them."""

StoreCheck: TypeAlias = Callable[[Store, System, TargetSpec], Iterator[Diagnostic]]
"""A check of a single store on its target."""


@record
class ObjectService:
    """A cloud's object storage service: its name, what modelyard creates there for a store, and its diagnostics.

    `unusable_field` takes the store, the field, the reason and a hint. `other_region` takes the store, its region, its
    target and the target's region.
    """

    name: str
    created: str
    unusable_field: Callable[[Span, str, str, str, str], Diagnostic]
    other_region: Callable[[Span, str, str, str, str], Diagnostic]
    check_name: Callable[[Store, System], Iterator[Diagnostic]]


def check_stores(plan: Plan, placement: str, bucket: StoreCheck, database: StoreCheck) -> Iterator[Diagnostic]:
    """Check every store of a placement, and the database behind its registry."""
    target = target_of(plan, placement)
    for store in plan.of(Store, placement):
        yield from _check_adopted(store.value, plan.system)
        check = bucket if store.value.type == "object" else database
        yield from check(store.value, plan.system, target)
    for registry in plan.of(RegistryServer, placement):
        behind = registry.value.database
        if behind is None or is_adopted(registry) or behind.adopt or behind.target == placement:
            continue
        where = plan.system.at("registry", "database")
        yield problems.store_elsewhere(where, behind.name, behind.target, placement)


def check_bucket(store: Store, system: System, target: TargetSpec, service: ObjectService) -> Iterator[Diagnostic]:
    """Check an object store in the cloud's own service. Stores of other services must be adopted."""
    here = ("stores", store.name)
    if store.endpoint:
        if not store.adopt:
            why = f"modelyard creates its {service.created} in {service.name}"
            hint = "remove it, or adopt a bucket on that service"
            yield service.unusable_field(system.key(*here, "endpoint"), store.name, "endpoint", why, hint)
        return
    if store.region and not store.adopt and store.region != target.region:
        where = system.at(*here, "region")
        yield service.other_region(where, store.name, store.region, target.name, target.region)
    yield from service.check_name(store, system)
    if store.credentials is not None:
        why = f"workloads access {service.name} with their identity"
        yield service.unusable_field(system.key(*here, "credentials"), store.name, "credentials", why, "remove it")


def check_login(store: Store, system: System) -> Iterator[Diagnostic]:
    """Require credentials for an adopted database, and none for a managed one."""
    if store.adopt and store.credentials is None:
        yield problems.credentials_needed(system.key("stores", store.name), store.name, "the registry can log in")
    if not store.adopt and store.credentials is not None:
        yield problems.credentials_are_made(system.key("stores", store.name, "credentials"), store.name)


def check_standby(store: Store, system: System, report: Callable[[Span, str, int], Diagnostic]) -> Iterator[Diagnostic]:
    """Report a database that requests more instances than a server with a single standby provides."""
    if "replicas" in system.written("stores", store.name) and (store.replicas or 1) > 2:
        yield report(system.at("stores", store.name, "replicas"), store.name, store.replicas or 1)


def _check_adopted(store: Store, system: System) -> Iterator[Diagnostic]:
    written = system.written("stores", store.name)
    for field in _OF_OUR_OWN:
        if store.adopt and field in written:
            yield problems.adopted_is_not_ours(system.key("stores", store.name, field), store.name, field)
