"""Checks for access Azure can't grant: across clouds, in cycles, to too many folders or to invalid secrets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from modelyard.diagnostics.base import Diagnostic
from modelyard.patterns import pattern
from modelyard.plan import Identity, Plan, Resource, Secret
from modelyard.spec import SecretRef, System, target_path
from modelyard_targets.azure.diagnostics import data as problems
from modelyard_targets.azure.identities import azure_access
from modelyard_targets.azure.names import secret_id
from modelyard_targets.azure.options import options_of
from modelyard_targets.cloud.access import circles, from_elsewhere
from modelyard_targets.cloud.data import creates_anything
from modelyard_targets.kube.data.federated import foreign_identities
from modelyard_targets.kube.placement.placed import target_of

CONDITION: Final = 8192
"""Maximum length of a role assignment's condition, in characters
(learn.microsoft.com/azure/role-based-access-control/conditions-faq, read 2026-11-27).
"""

_LENGTHS: Final[Mapping[str, tuple[int, int, int]]] = {
    "read": (498, 4, 21),
    "write": (786, 4, 21),
    "append": (213, 2, 10),
}
"""By access mode: a condition's length without folders, how often it names each folder, and how many other characters
each folder adds.
"""

ASSIGNMENTS: Final = 4000
"""Maximum number of role assignments in a subscription (same page, "Azure RBAC limits")."""

_SECRET: Final = pattern("[A-Za-z0-9-]{1,127}")


def check_elsewhere(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report workloads outside Azure that use a store of this placement but cannot access it."""
    for resource, store, other in from_elsewhere("azure", plan, placement):
        where = plan.system.key(*resource.origin)
        yield problems.workload_without_identity(where, store, placement, other.name, other.provider)


def check_order(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report targets that wait for each other's stores, directly or indirectly."""
    for other, store, resource in circles("azure", plan, placement):
        yield problems.each_first(plan.system.key(*resource.origin), store, placement, other)


def check_folders(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report workloads that access more folders of a store, per access mode, than a role condition can list."""
    for resource in (*plan.of(Identity, placement), *(each for each, _ in foreign_identities(plan, placement))):
        for (store, mode), prefixes in _folders(resource.value, plan.system).items():
            length = condition_length(mode, prefixes)
            if length > CONDITION and placement in {resource.placement, plan.system.stores[store].target}:
                where, workload = plan.system.key(*resource.origin), resource.value.workload
                yield problems.too_many_folders(where, workload, len(prefixes), store, length, CONDITION)


def check_assignments(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report a subscription with too many role assignments, at the first target in the spec that uses it."""
    mine = options_of(target_of(plan, placement)).account
    targets = [
        target.name
        for target in plan.system.deployment.targets
        if target.provider == "azure" and options_of(target).account == mine
    ]
    active = [name for name in targets if creates_anything(plan, name)]
    if not active or active[0] != placement:
        return
    identities = (resource for name in active for resource in plan.of(Identity, name))
    count = sum(len(_folders(resource.value, plan.system)) for resource in identities)
    foreign = (each for name in active for each in foreign_identities(plan, name))
    count += sum(_modes(each.value, stores, plan.system) for each, stores in foreign)
    if count > ASSIGNMENTS:
        where = plan.system.key(*target_path(plan.system, placement))
        yield problems.too_many_assignments(where, count, ASSIGNMENTS)


def check_secret_names(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report secrets whose paths are invalid in Key Vault, or would collide because they map to the same name."""
    stores = {store.name: store.via for store in target_of(plan, placement).secret_stores}
    known: dict[str, str] = {}
    for resource in _vault_secrets(plan, placement, stores):
        ref = resource.value.ref
        name = secret_id(ref.path)
        fault = _secret_fault(ref, name, known.setdefault(name.lower(), ref.path))
        if fault:
            yield problems.secret_refused(plan.system.at(*resource.origin), ref.path, name, fault)


def _vault_secrets(plan: Plan, placement: str, stores: dict[str, str]) -> Iterator[Resource[Secret]]:
    """Yield the secrets that the target's vault stores."""
    for resource in plan.of(Secret, placement):
        if stores.get(resource.value.ref.store) == "secrets-manager":
            yield resource


def _modes(identity: Identity, stores: Sequence[str], system: System) -> int:
    return sum(store in stores for store, _ in _folders(identity, system))


def _folders(identity: Identity, system: System) -> dict[tuple[str, str], list[str]]:
    """Return the folders a workload accesses, by store and access mode.

    The list is empty for access to the whole store.
    """
    folders: dict[tuple[str, str], list[str]] = {}
    for access in azure_access(identity, system):
        folders.setdefault((access.store, access.mode), []).extend([access.prefix] if access.prefix else [])
    return folders


def condition_length(mode: str, prefixes: Iterable[str]) -> int:
    """Return the length of the condition the component writes, which has a fixed part and clauses per folder."""
    fixed, times, more = _LENGTHS[mode]
    return fixed + sum(times * len(name) + more for name in {prefix.strip("/") for prefix in prefixes})


def _secret_fault(ref: SecretRef, name: str, first: str) -> str:
    if not _SECRET.fullmatch(name):
        return "names there may have at most 127 letters, digits and hyphens"
    return f"secret {first!r} already has this name" if first != ref.path else ""
