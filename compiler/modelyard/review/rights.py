"""Compare what each workload is allowed to do: access to stores, secrets, and the Kubernetes API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from modelyard.plan import Identity, Plan
from modelyard.records import record
from modelyard.review.changes import renamed

_MODELS: Final = "models"
"""The folder of the models' files, in which each has one under its name in the registry."""


@record
class Rights:
    """A workload's rights, such as `write lake/scores` or `secret://vault/token`."""

    workload: str
    before: frozenset[str]
    after: frozenset[str]


def changed_rights(before: Plan, after: Plan) -> Iterator[Rights]:
    """Yield the workloads in both plans whose rights differ. Entirely new or removed workloads are not included.

    Workloads and stores renamed by `moved` keep their rights, and so does anything that uses a model under a different
    name in the registry.
    """
    models = {
        model.registered_name: after.system.models[name].registered_name
        for name, model in before.system.models.items()
        if name in after.system.models
    }
    aliases = renamed(before.system, after.system)
    is_named_alike = not aliases and all(old == new for old, new in models.items())
    same = _same_identities(before, after) if is_named_alike else frozenset[str]()
    old, new = _rights(before, aliases, models, same), _rights(after, {}, {}, same)
    for workload in sorted(old.keys() & new.keys()):
        if old[workload] != new[workload]:
            yield Rights(workload, old[workload], new[workload])


def _same_identities(before: Plan, after: Plan) -> frozenset[str]:
    """Return the workloads whose identities are all the same in both plans."""
    old, new = (_identities(plan) for plan in (before, after))
    return frozenset(workload for workload, identities in new.items() if old.get(workload) == identities)


def _identities(plan: Plan) -> dict[str, list[Identity]]:
    found: dict[str, list[Identity]] = {}
    for resource in plan.of(Identity):
        found.setdefault(resource.value.workload, []).append(resource.value)
    return found


def _rights(
    plan: Plan, aliases: Mapping[str, str], models: Mapping[str, str], same: frozenset[str]
) -> dict[str, frozenset[str]]:
    """Return each workload's rights, using new names for anything renamed, except for the workloads in `same`."""
    rights: dict[str, set[str]] = {}
    for resource in plan.of(Identity):
        identity = resource.value
        if identity.workload in same:
            continue
        granted = rights.setdefault(aliases.get(identity.workload, identity.workload), set())
        for access in identity.access:
            store = aliases.get(f"stores.{access.store}", access.store).removeprefix("stores.")
            granted.add(f"{access.mode} {store}/{_renamed(access.prefix, models)}".rstrip("/"))
        granted.update(f"read secret://{ref.store}/{ref.path}" for ref in identity.secrets)
        if identity.api:
            granted.add(f"call the Kubernetes API as {identity.api}")
    return {workload: frozenset(granted) for workload, granted in rights.items()}


def _renamed(prefix: str, models: Mapping[str, str]) -> str:
    """Return a prefix with the new name of the model that it leads to."""
    above, _, name = prefix.rstrip("/").rpartition("/")
    _, slash, last = above.rpartition("/")
    new = models.get(name) if slash and last == _MODELS else None
    return prefix if new is None else f"{above}/{new}"
