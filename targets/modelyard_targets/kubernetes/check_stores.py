"""Check the stores of an existing cluster: bucket endpoints, settings of adopted stores, credentials and backups."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.diagnostics import stores as problems
from modelyard.diagnostics.base import Diagnostic
from modelyard.plan import Plan
from modelyard.spec import Store, System

_THEIRS = ("versioned", "retention", "objectLock", "size", "replicas")


def check_stores(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Check every store of a placement."""
    for store in plan.of(Store, placement):
        yield from _check_store(store.value, plan.system, placement)


def _check_store(store: Store, system: System, placement: str) -> Iterator[Diagnostic]:
    here = ("stores", store.name)
    if store.adopt:
        for field in _THEIRS:
            if field in system.written("stores", store.name):
                yield problems.adopted_is_not_ours(system.key(*here, field), store.name, field)
    if store.type == "database":
        yield from _check_database(store, system, placement)
    elif not store.adopt and not store.endpoint:
        yield problems.bucket_without_endpoint(system.key(*here), store.name, placement)
    elif store.object_lock is not None and not store.adopt:
        yield problems.lock_not_here(system.key(*here, "objectLock"), store.name, placement)
    elif not store.adopt and store.credentials is None:
        yield problems.credentials_needed(system.key(*here), store.name, "modelyard can create its bucket")


def _check_database(store: Store, system: System, placement: str) -> Iterator[Diagnostic]:
    here = ("stores", store.name)
    if not store.adopt and system.governance.risk == "high" and not _is_overridden(store, system, placement):
        yield problems.database_without_backup(system.key(*here), store.name)
    if store.adopt and store.credentials is None:
        yield problems.credentials_needed(system.key(*here), store.name, "the registry can log in")
    if not store.adopt and store.credentials is not None:
        yield problems.credentials_are_made(system.key(*here, "credentials"), store.name)


def _is_overridden(store: Store, system: System, placement: str) -> bool:
    if not system.overrides:
        return False
    from modelyard_targets.kube.objects.overrides import overrides_on  # imported here because few specs have overrides

    return ("Cluster", store.called) in overrides_on(system, placement)
