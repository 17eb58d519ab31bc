"""Compare what each workload may do: access to stores, secrets, and the Kubernetes API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from modelyard.plan import Identity, Plan
from modelyard.records import record
from modelyard.review.changes import renamed


@record
class Rights:
    """A workload's rights, such as `write lake/scores` or `secret://vault/token`."""

    workload: str
    before: frozenset[str]
    after: frozenset[str]


def changed_rights(before: Plan, after: Plan) -> Iterator[Rights]:
    """Yield the workloads of both plans whose rights differ. What is new or gone as a whole is no change of rights.

    Workloads and stores that `moved` renames keep their rights.
    """
    old, new = _rights(before, renamed(before.system, after.system)), _rights(after, {})
    for workload in sorted(old.keys() & new.keys()):
        if old[workload] != new[workload]:
            yield Rights(workload, old[workload], new[workload])


def _rights(plan: Plan, aliases: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """Return the rights of each workload, with renamed workloads and stores under their new names."""
    found: dict[str, set[str]] = {}
    for resource in plan.of(Identity):
        identity = resource.value
        held = found.setdefault(aliases.get(identity.workload, identity.workload), set())
        for access in identity.access:
            store = aliases.get(f"stores.{access.store}", access.store).removeprefix("stores.")
            held.add(f"{access.mode} {store}/{access.prefix}".rstrip("/"))
        held.update(f"read secret://{ref.store}/{ref.path}" for ref in identity.secrets)
        if identity.api:
            held.add(f"call the Kubernetes API as {identity.api}")
    return {workload: frozenset(held) for workload, held in found.items()}
