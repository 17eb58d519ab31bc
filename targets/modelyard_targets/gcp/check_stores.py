"""Check that Google Cloud can provide each store: names, sizes, and unsupported settings."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from modelyard.diagnostics.base import Diagnostic
from modelyard.manifest import memory_text
from modelyard.patterns import pattern
from modelyard.plan import Plan
from modelyard.spec import Store, System, TargetSpec
from modelyard_targets.cloud import check_stores as clouds
from modelyard_targets.gcp.diagnostics import data as problems
from modelyard_targets.kube.storage.buckets import bucket_name

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
    yield from clouds.check_stores(plan, placement, partial(clouds.check_bucket, service=_SERVICE), _check_database)


def _check_bucket_name(store: Store, system: System) -> Iterator[Diagnostic]:
    here, name = ("stores", store.name), bucket_name(store, system)
    fault = _bucket_fault(name)
    if fault and store.adopt:
        yield problems.bucket_name_refused(system.at(*here, "adopt"), name, fault, "use the bucket's real name")
    elif fault:
        yield problems.bucket_name_refused(system.key(*here), name, fault, _renaming(store, system))


def _check_database(store: Store, system: System, target: TargetSpec) -> Iterator[Diagnostic]:
    yield from clouds.check_login(store, system)
    if store.adopt:
        return
    size = store.size_bytes or 0
    if not _SMALLEST <= size <= _LARGEST:
        yield problems.database_size(system.at("stores", store.name, "size"), store.name, memory_text(size))
    yield from clouds.check_standby(store, system, problems.one_standby)


def _renaming(store: Store, system: System) -> str:
    """Return a hint that says what to rename so that a new bucket gets a valid name."""
    names = (("system", system.metadata.name), ("store", store.name))
    faulty = [what for what, name in names if any(word in name for word in _LOOKALIKES)]
    if not faulty and system.metadata.name.startswith("goog"):
        faulty = ["system"]
    return f"rename the {' and the '.join(faulty)}" if faulty else "rename the system or the store"


def _bucket_fault(name: str) -> str:
    """Return the reason Cloud Storage rejects a bucket name, or "".

    The schema already checks the first and last characters.
    """
    longest = max(name.split("."), key=len)
    if len(longest) > _LONGEST_BUCKET:
        return f"it is longer than {_LONGEST_BUCKET} characters"
    if ".." in name or _ADDRESS.fullmatch(name):
        return "it has consecutive dots" if ".." in name else "it is an IPv4 address"
    if name.startswith("goog"):
        return "it begins with 'goog'"
    contained = next((word for word in _LOOKALIKES if word in name), "")
    return f"it contains {contained!r}" if contained else ""


_SERVICE: Final = clouds.ObjectService(
    name="Cloud Storage",
    created="bucket",
    unusable_field=problems.not_of_this_bucket,
    other_region=problems.created_in_other_region,
    check_name=_check_bucket_name,
)
