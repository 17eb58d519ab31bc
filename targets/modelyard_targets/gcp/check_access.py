"""Report access Google Cloud can't grant: across clouds, in cycles, to too many folders, to invalid secrets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from math import ceil
from typing import Final

from modelyard.diagnostics.base import Diagnostic
from modelyard.patterns import pattern
from modelyard.plan import Identity, Plan, Secret
from modelyard.spec import SecretRef, System, TargetSpec, target_path
from modelyard_targets.cloud.access import circles, from_elsewhere
from modelyard_targets.gcp.diagnostics import data as problems
from modelyard_targets.gcp.identities import google_access
from modelyard_targets.gcp.names import secret_id
from modelyard_targets.gcp.options import has_nat, options_of, vpc_of
from modelyard_targets.kube.data.federated import foreign_identities, foreign_stores
from modelyard_targets.kube.placement.context import namespace_of
from modelyard_targets.kube.placement.placed import target_of

_FOLDERS_OF_A_CONDITION: Final = 6
_CONDITIONS: Final = 20
FOLDERS: Final = _FOLDERS_OF_A_CONDITION * _CONDITIONS
"""Maximum number of folders that a workload may access in a bucket with the same access mode. A condition may have
twelve operators and each folder needs two of them; a policy may have twenty conditions per role and member
(docs.cloud.google.com/iam/quotas, 2026-11-27).
"""

MEMBERS: Final = 1500
"""Maximum number of members in a bucket's policy, where a member counts once for each binding (same page)."""

_SECRET: Final = pattern("[A-Za-z0-9_-]{1,255}")


def check_elsewhere(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report workloads outside Google Cloud that use a bucket of this placement but cannot access it."""
    for resource, store, other in from_elsewhere("gcp", plan, placement):
        where = plan.system.key(*resource.origin)
        yield problems.workload_without_identity(where, store, placement, other.name, other.provider)


def check_way_out(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report workloads that use a store in another cloud from a network without internet access."""
    target = target_of(plan, placement)
    if vpc_of(target).adopt or has_nat(target):
        return
    for resource in plan.of(Identity, placement):
        for other, stores in foreign_stores(resource, plan).items():
            where = plan.system.key(*resource.origin)
            yield problems.store_out_of_reach(where, resource.value.workload, stores[0].name, other, placement)


def check_namespaces(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report a target with the same project and namespace as an earlier one, as workloads would share access."""
    mine = target_of(plan, placement)
    for other in plan.system.deployment.targets:
        if other.name == placement:
            return
        if other.provider == "gcp" and plan.has_cluster(other.name) and _domain(other, plan) == _domain(mine, plan):
            where = plan.system.key(*target_path(plan.system, placement))
            yield problems.namespace_shared(where, placement, other.name, _domain(mine, plan)[1])


def check_order(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report targets that depend on each other's buckets, directly or indirectly."""
    for other, store, resource in circles("gcp", plan, placement):
        yield problems.each_first(plan.system.key(*resource.origin), store, placement, other)


def check_folders(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report workloads that use more folders of a bucket, per access mode, than IAM conditions can list."""
    for resource in (*plan.of(Identity, placement), *(each for each, _ in foreign_identities(plan, placement))):
        for (store, _), count in _folders(resource.value, plan.system).items():
            if count > FOLDERS and placement in {resource.placement, plan.system.stores[store].target}:
                where, workload = plan.system.key(*resource.origin), resource.value.workload
                yield problems.too_many_folders(where, workload, count, store, FOLDERS)


def check_members(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report a placement's buckets that are used by more workloads than a bucket policy can list."""
    members: Counter[str] = Counter()
    for resource in plan.of(Identity):
        folders = _folders(resource.value, plan.system)
        members.update({store for store, mode in folders if mode != "append"})  # plus a binding for listing names
        for (store, _), count in folders.items():
            members[store] += max(1, ceil(count / _FOLDERS_OF_A_CONDITION))
    for store, count in members.items():
        if plan.system.stores[store].target == placement and count > MEMBERS:
            yield problems.too_many_members(plan.system.key("stores", store), store, count, MEMBERS)


def check_retained(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report a placement's locked buckets where workloads replace or delete objects."""
    system = plan.system
    writers: dict[str, list[str]] = {}
    for resource in plan.of(Identity):
        written = (access.store for access in google_access(resource.value, system) if access.mode == "write")
        for name in dict.fromkeys(written):
            if system.stores[name].target == placement and system.stores[name].object_lock is not None:
                writers.setdefault(name, []).append(resource.value.workload)
    for name, workloads in writers.items():
        where = system.key("stores", name, "objectLock")
        yield problems.retained_objects_replaced(where, name, dict.fromkeys(workloads))


def check_secret_names(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report secrets whose names are invalid in Secret Manager, or would collide there."""
    stores = {store.name: store.via for store in target_of(plan, placement).secret_stores}
    known: dict[str, str] = {}
    for resource in plan.of(Secret, placement):
        ref = resource.value.ref
        if stores.get(ref.store) != "secrets-manager":
            continue
        name = secret_id(ref.path)
        fault = _secret_fault(ref, name, known.setdefault(name, ref.path))
        if fault:
            yield problems.secret_refused(plan.system.at(*resource.origin), ref.path, name, fault)


def _folders(identity: Identity, system: System) -> Counter[tuple[str, str]]:
    """Count the folders that a workload uses, by store and access mode. A whole bucket counts as zero folders."""
    counts: Counter[tuple[str, str]] = Counter()
    for access in google_access(identity, system):
        counts[access.store, access.mode] += 1 if access.prefix else 0
    return counts


def _domain(target: TargetSpec, plan: Plan) -> tuple[str, str]:
    """Return the project and namespace that IAM uses to tell workloads with the same ServiceAccount apart."""
    return options_of(target).account, namespace_of(plan, target.name)


def _secret_fault(ref: SecretRef, name: str, first: str) -> str:
    if not _SECRET.fullmatch(name):
        return "names there may have at most 255 letters, digits, hyphens and underscores"
    return f"secret {first!r} already has this name" if first != ref.path else ""
