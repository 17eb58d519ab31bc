"""Compare what each workload is allowed to do: access to stores, secrets, and the Kubernetes API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Final, TypeAlias

from modelyard.plan import Identity, Plan
from modelyard.records import record
from modelyard.review.changes import renamed
from modelyard.spec import System

_MODELS: Final = "models"
"""The folder of models' files, in which each model has a folder named as in the registry."""


_Identities: TypeAlias = tuple[Identity, ...]


@record
class Rights:
    """A workload's rights before and after, such as `write lake/scores` or `read secret://vault/token`."""

    workload: str
    before: frozenset[str]
    after: frozenset[str]


def changed_rights(before: Plan, after: Plan) -> Iterator[Rights]:
    """Yield workloads whose rights differ between the plans, except for added or removed workloads.

    Renaming workloads or stores using `moved`, or renaming a model in the registry, doesn't count as a change of
    rights.
    """
    models = {
        model.registered_name: after.system.models[name].registered_name
        for name, model in before.system.models.items()
        if name in after.system.models
    }
    aliases = renamed(before.system, after.system)
    identities = (_identities(before), _identities(after))
    if not aliases and all(old == new for old, new in models.items()):
        identities = _of_changed_workloads(*identities)
    folder = _moved_folder(before.system, after.system)
    old, new = _rights(identities[0], aliases, models, folder), _rights(identities[1], {}, {}, None)
    for workload in sorted(old.keys() & new.keys()):
        if old[workload] != new[workload]:
            yield Rights(workload, old[workload], new[workload])


@record
class _Folder:
    """The folder of the registry and its store, before and after the registry moves."""

    old_store: str
    before: str
    new_store: str
    after: str

    def moved(self, store: str, prefix: str) -> tuple[str, str] | None:
        """Return where a part of the old folder is now, or None for anything else.

        The move itself is a separate finding.
        """
        inside = prefix.removeprefix(self.before)
        if store != self.old_store or not prefix.startswith(self.before) or inside[:1] not in {"", "/"}:
            return None
        return self.new_store, f"{self.after}{inside}"


def _moved_folder(before: System, after: System) -> _Folder | None:
    """Return the folder of the registry, or None if it stays where it is."""
    old, new = before.registry, after.registry
    if old is None or new is None or not (old.artifacts and new.artifacts):
        return None
    if (old.artifacts, old.artifact_path) == (new.artifacts, new.artifact_path):
        return None
    return _Folder(old.artifacts, old.artifact_path.rstrip("/"), new.artifacts, new.artifact_path.rstrip("/"))


def _identities(plan: Plan) -> _Identities:
    return tuple(resource.value for resource in plan.of(Identity))


def _of_changed_workloads(before: _Identities, after: _Identities) -> tuple[_Identities, _Identities]:
    """Return both plans' identities, omitting workloads whose identities are all unchanged.

    Identities are compared by position, so every identity after an added or removed one counts as changed.
    """
    unequal = [pair for pair in zip_longest(before, after) if pair[0] != pair[1]]
    workloads = {identity.workload for pair in unequal for identity in pair if identity is not None}
    if not workloads:
        return (), ()
    old, new = (tuple(identity for identity in side if identity.workload in workloads) for side in (before, after))
    return old, new


def _rights(
    identities: _Identities, aliases: Mapping[str, str], models: Mapping[str, str], folder: _Folder | None
) -> dict[str, frozenset[str]]:
    """Return the rights each workload gets from its identities, using new names for renamed entries and models."""
    rights: dict[str, set[str]] = {}
    for identity in identities:
        granted = rights.setdefault(aliases.get(identity.workload, identity.workload), set())
        for access in identity.access:
            store = aliases.get(f"stores.{access.store}", access.store).removeprefix("stores.")
            prefix = _renamed(access.prefix, models)
            store, prefix = (folder and folder.moved(access.store, prefix)) or (store, prefix)
            granted.add(f"{access.mode} {store}/{prefix}".rstrip("/"))
        granted.update(f"read secret://{ref.store}/{ref.path}" for ref in identity.secrets)
        if identity.api:
            granted.add(f"call the Kubernetes API as {identity.api}")
    return {workload: frozenset(granted) for workload, granted in rights.items()}


def _renamed(prefix: str, models: Mapping[str, str]) -> str:
    """Return a prefix, using the new registered name if it is the folder of a renamed model."""
    above, _, name = prefix.rstrip("/").rpartition("/")
    _, slash, last = above.rpartition("/")
    new = models.get(name) if slash and last == _MODELS else None
    return prefix if new is None else f"{above}/{new}"
