"""Checks for stores that Azure cannot provide: refused names and sizes, and features of other services."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.diagnostics import stores as store_problems
from modelyard.diagnostics.base import Diagnostic
from modelyard.manifest import memory_text
from modelyard.patterns import pattern
from modelyard.plan import Plan, RegistryServer, is_adopted
from modelyard.spec import Store, System, TargetSpec
from modelyard_targets.azure.diagnostics import data as problems
from modelyard_targets.azure.storage import DISK_STEPS, account_of
from modelyard_targets.kube.placement.placed import target_of
from modelyard_targets.kube.storage.addressed import addressed

_OF_OUR_OWN: Final = ("versioned", "retention", "objectLock", "size", "replicas")
"""Fields that an adopted store cannot have, since its owner decides about them."""

_GI: Final = 1024**3
_CONTAINER: Final = pattern("[a-z0-9](-?[a-z0-9]){2,62}")


def check_stores(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Check every store of a placement, and the database behind its registry."""
    target = target_of(plan, placement)
    for store in plan.of(Store, placement):
        yield from _check_adopted(store.value, plan.system)
        check = _check_bucket if store.value.type == "object" else _check_database
        yield from check(store.value, plan.system, target)
    for registry in plan.of(RegistryServer, placement):
        database = registry.value.database
        if database is None or is_adopted(registry) or database.adopt or database.target == placement:
            continue
        where = plan.system.at("registry", "database")
        yield store_problems.store_elsewhere(where, database.name, database.target, placement)


def check_addresses(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report datasets in accounts that are no stores of the spec: workloads have an identity for stores alone."""
    reported: set[str] = set()
    for resource in plan.on(placement):
        for dataset in addressed(resource, plan.system):
            if dataset.uri.startswith("abfss:") and dataset.name not in reported:
                reported.add(dataset.name)
                where = plan.system.at("data", dataset.name, "uri")
                why = "workloads on Azure have an identity for stores alone"
                hint = "adopt the container as a store, and set store: and path:"
                yield store_problems.address_not_opened(where, dataset.name, dataset.uri, why, hint)


def _check_adopted(store: Store, system: System) -> Iterator[Diagnostic]:
    written = system.written("stores", store.name)
    for field in _OF_OUR_OWN:
        if store.adopt and field in written:
            yield store_problems.adopted_is_not_ours(system.key("stores", store.name, field), store.name, field)


def _check_bucket(store: Store, system: System, target: TargetSpec) -> Iterator[Diagnostic]:
    here = ("stores", store.name)
    if store.endpoint:
        if not store.adopt:
            why = "modelyard creates its account in Blob Storage"
            hint = "remove it, or adopt a bucket of that service"
            yield problems.not_of_this_store(system.key(*here, "endpoint"), store.name, "endpoint", why, hint)
        return
    if store.region and not store.adopt and store.region != target.region:
        where = system.at(*here, "region")
        yield problems.created_in_other_region(where, store.name, store.region, target.name, target.region)
    container = account_of(store, system)[0]
    if store.adopt and not _CONTAINER.fullmatch(container):
        why = "names have 3 to 63 letters, digits and single hyphens"
        yield problems.container_refused(system.at(*here, "adopt"), container, why)
    if store.credentials is not None:
        why = "workloads open Blob Storage by their identity"
        yield problems.not_of_this_store(system.key(*here, "credentials"), store.name, "credentials", why, "remove it")


def _check_database(store: Store, system: System, target: TargetSpec) -> Iterator[Diagnostic]:
    here = ("stores", store.name)
    if store.adopt:
        if store.credentials is None:
            yield store_problems.credentials_needed(system.key(*here), store.name, "the registry signs in")
        return
    if store.credentials is not None:
        yield store_problems.credentials_are_made(system.key(*here, "credentials"), store.name)
    size = store.size_bytes or 0
    if size > DISK_STEPS[-1] * _GI:
        yield problems.database_size(system.at(*here, "size"), store.name, memory_text(size))
    if "replicas" in system.written("stores", store.name) and (store.replicas or 1) > 2:
        yield problems.one_standby(system.at(*here, "replicas"), store.name, store.replicas or 1)
