"""Check that Google Cloud can provide each store: names, sizes, and unsupported settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.diagnostics import stores as store_problems
from modelyard.diagnostics.base import Diagnostic
from modelyard.manifest import memory_text
from modelyard.patterns import pattern
from modelyard.plan import Plan, RegistryServer, is_adopted
from modelyard.spec import Store, System, TargetSpec
from modelyard_targets.gcp.diagnostics import data as problems
from modelyard_targets.kube.placement.placed import target_of
from modelyard_targets.kube.storage.buckets import bucket_name

_OF_OUR_OWN: Final = ("versioned", "retention", "objectLock", "size", "replicas")
"""Fields that an adopted store cannot have, because its owner manages them."""

_GI: Final = 1024**3
_SMALLEST: Final = 10 * _GI
_LARGEST: Final = 64 * 1024 * _GI
"""Size limits of a Cloud SQL disk (docs.cloud.google.com/sql/docs/postgres/instance-settings, read 2026-11-27)."""

_LONGEST_BUCKET: Final = 63
_ADDRESS: Final = pattern(r"\d+\.\d+\.\d+\.\d+")
_LOOKALIKES: Final = ("google", "g00gle")
"""Words that a bucket name cannot contain. It also cannot begin with `goog`
(docs.cloud.google.com/storage/docs/buckets, "Bucket names", read 2026-11-27).
"""


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


def _check_adopted(store: Store, system: System) -> Iterator[Diagnostic]:
    written = system.written("stores", store.name)
    for field in _OF_OUR_OWN:
        if store.adopt and field in written:
            yield store_problems.adopted_is_not_ours(system.key("stores", store.name, field), store.name, field)


def _check_bucket(store: Store, system: System, target: TargetSpec) -> Iterator[Diagnostic]:
    here = ("stores", store.name)
    if store.endpoint:
        if not store.adopt:
            why = "modelyard creates its bucket in Cloud Storage"
            hint = "remove it, or adopt a bucket of that service"
            yield problems.not_of_this_bucket(system.key(*here, "endpoint"), store.name, "endpoint", why, hint)
        return
    if store.region and not store.adopt and store.region != target.region:
        where = system.at(*here, "region")
        yield problems.created_in_other_region(where, store.name, store.region, target.name, target.region)
    name = bucket_name(store, system)
    fault = _bucket_fault(name)
    if fault and store.adopt:
        yield problems.bucket_name_refused(system.at(*here, "adopt"), name, fault, "use the bucket's real name")
    elif fault:
        yield problems.bucket_name_refused(system.key(*here), name, fault, _renaming(store, system))
    if store.credentials is not None:
        why = "workloads open Cloud Storage by their identity"
        yield problems.not_of_this_bucket(system.key(*here, "credentials"), store.name, "credentials", why, "remove it")


def _check_database(store: Store, system: System, target: TargetSpec) -> Iterator[Diagnostic]:
    here = ("stores", store.name)
    if store.adopt:
        if store.credentials is None:
            yield store_problems.credentials_needed(system.key(*here), store.name, "the registry signs in")
        return
    if store.credentials is not None:
        yield store_problems.credentials_are_made(system.key(*here, "credentials"), store.name)
    size = store.size_bytes or 0
    if not _SMALLEST <= size <= _LARGEST:
        yield problems.database_size(system.at(*here, "size"), store.name, memory_text(size))
    if "replicas" in system.written("stores", store.name) and (store.replicas or 1) > 2:
        yield problems.one_standby(system.at(*here, "replicas"), store.name, store.replicas or 1)


def _renaming(store: Store, system: System) -> str:
    """Return a hint about what to rename so that a new bucket gets a valid name."""
    names = (("system", system.metadata.name), ("store", store.name))
    faulty = [what for what, name in names if any(word in name for word in _LOOKALIKES)]
    if not faulty and system.metadata.name.startswith("goog"):
        faulty = ["system"]
    return f"rename the {' and the '.join(faulty)}" if faulty else "rename the system or the store"


def _bucket_fault(name: str) -> str:
    """Return why Cloud Storage refuses a bucket name, or "". The schema has checked the first and last character."""
    longest = max(name.split("."), key=len)
    if len(longest) > _LONGEST_BUCKET:
        return f"it is longer than {_LONGEST_BUCKET} characters"
    if ".." in name or _ADDRESS.fullmatch(name):
        return "it has two dots in a row" if ".." in name else "it is an IPv4 address"
    if name.startswith("goog"):
        return "it begins with 'goog'"
    contained = next((word for word in _LOOKALIKES if word in name), "")
    return f"it contains {contained!r}" if contained else ""
