"""Check that AWS can provide each store, including names, sizes, and unsupported settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.diagnostics.base import Diagnostic
from modelyard.manifest import memory_text
from modelyard.patterns import pattern
from modelyard.plan import Identity, Plan
from modelyard.spec import Store, System, TargetSpec
from modelyard_targets.aws.diagnostics import plan as plan_problems
from modelyard_targets.aws.diagnostics import stores as problems
from modelyard_targets.aws.names import database_identifier
from modelyard_targets.cloud import check_stores as clouds

_GI: Final = 1024**3
_SMALLEST: Final = 20 * _GI
_LARGEST: Final = 64 * 1024 * _GI
"""Size limits of a gp3 volume (docs.aws.amazon.com/AmazonRDS, "Amazon RDS DB instance storage", read 2026-11-24)."""

_LONGEST_DATABASE: Final = 63
_LONGEST_BUCKET: Final = 63
_ADDRESS: Final = pattern(r"\d+\.\d+\.\d+\.\d+")
_PREFIXES: Final = ("xn--", "sthree-", "amzn-s3-demo-")
_SUFFIXES: Final = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
"""Suffixes reserved by S3 (docs.aws.amazon.com/AmazonS3, "General purpose bucket naming rules", read 2026-11-24)."""


def check_stores(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Check every store of a placement, and the database behind its registry."""
    yield from clouds.check_stores(plan, placement, _check_bucket, _check_database)


def check_locks(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report workloads that write to a locked bucket through a service that may reject the required checksums."""
    stores = plan.system.stores
    for resource in plan.of(Identity):
        opened = dict.fromkeys(access.store for access in resource.value.access)
        external = [name for name in opened if stores[name].endpoint]
        written = dict.fromkeys(access.store for access in resource.value.access if access.mode != "read")
        for name in written:
            if stores[name].object_lock is not None and stores[name].target == placement and external:
                where = plan.system.key(*resource.origin)
                yield problems.locked_without_checksums(where, resource.value.workload, name, external[0])


def _check_bucket(store: Store, system: System, target: TargetSpec) -> Iterator[Diagnostic]:
    here = ("stores", store.name)
    if store.endpoint:
        if not store.adopt:
            why = "modelyard creates its bucket on S3"
            yield problems.not_of_this_bucket(system.key(*here, "endpoint"), store.name, "endpoint", why)
        return
    if store.region and not store.adopt and store.region != target.region:
        where = system.at(*here, "region")
        yield problems.made_in_other_region(where, store.name, store.region, target.name, target.region)
    fault = _bucket_fault(store.adopt)
    if fault:
        yield problems.bucket_name_refused(system.at(*here, "adopt"), store.adopt, fault)
    if store.credentials is not None:
        why = "workloads access S3 buckets with their roles"
        yield problems.not_of_this_bucket(system.key(*here, "credentials"), store.name, "credentials", why)


def _check_database(store: Store, system: System, target: TargetSpec) -> Iterator[Diagnostic]:
    here = ("stores", store.name)
    yield from clouds.check_login(store, system)
    if store.adopt:
        return
    size = store.size_bytes or 0
    if not _SMALLEST <= size <= _LARGEST:
        yield problems.database_size(system.at(*here, "size"), store.name, memory_text(size))
    yield from clouds.check_standby(store, system, problems.one_standby)
    name = database_identifier(system, target.name, store)
    if len(name) > _LONGEST_DATABASE:
        yield plan_problems.name_too_long(system.key(*here), f"database '{store.name}'", name, _LONGEST_DATABASE)
    elif "--" in name:
        yield plan_problems.double_hyphen(system.key(*here), f"database '{store.name}'", name)


def _bucket_fault(name: str) -> str:
    """Return the reason why S3 rejects a bucket name, or "". The schema has checked the first and last characters."""
    if not name:
        return ""
    if len(name) > _LONGEST_BUCKET:
        return f"it is longer than {_LONGEST_BUCKET} characters"
    if "_" in name:
        return "S3 does not allow underscores"
    if ".." in name or _ADDRESS.fullmatch(name):
        return "it has consecutive dots" if ".." in name else "it is an IPv4 address"
    reserved = [part for part in _PREFIXES if name.startswith(part)] + [
        part for part in _SUFFIXES if name.endswith(part)
    ]
    return f"AWS reserves names with {reserved[0]!r}" if reserved else ""
