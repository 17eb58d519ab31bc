"""Workload access to a cloud's object storage, and the deployment order of targets it requires."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from modelyard.plan import Access, Identity, Plan, Resource
from modelyard.records import replace
from modelyard.spec import System, TargetSpec
from modelyard.spec.watched import state_folder
from modelyard_targets.kube.storage.clouds import federates_from


def access_in(provider: str, value: Identity, system: System) -> tuple[Access, ...]:
    """Return a workload's access to the provider's own stores. Other services use their own credentials.

    A monitor replaces its state on every run, so it gets write access. On these clouds, `append` doesn't allow objects
    to be replaced.
    """
    stores, state = system.stores, _state(value, system)
    return tuple(
        replace(access, mode="write") if access.mode == "append" and (access.store, access.prefix) == state else access
        for access in value.access
        if not stores[access.store].endpoint and system.target(stores[access.store].target).provider == provider
    )


def from_elsewhere(provider: str, plan: Plan, placement: str) -> Iterator[tuple[Resource[Identity], str, TargetSpec]]:
    """Yield each workload outside this cloud that uses a store of this placement but can't access it.

    Also yields the store's name and the workload's target. A workload without an access key only has access if the
    cloud can verify tokens of the workload's cluster.
    """
    for resource in plan.of(Identity):
        other = plan.system.target(resource.placement)
        if other.provider == provider:
            continue
        for name in dict.fromkeys(access.store for access in access_in(provider, resource.value, plan.system)):
            store = plan.system.stores[name]
            if store.target == placement and not federates_from(store, other, plan.system):
                yield resource, name, other


def circles(provider: str, plan: Plan, placement: str) -> Iterator[tuple[str, str, Resource[Identity]]]:
    """Yield the targets that form a dependency cycle with this placement through each other's buckets.

    Each target is yielded with one of its buckets that this placement uses, and the identity that uses the bucket.
    """
    waits = {target.name: _opened(provider, plan, target.name) for target in plan.system.deployment.targets}
    for other, (store, resource) in waits.pop(placement).items():
        if placement in _reached(other, waits):
            yield other, store, resource


def _state(value: Identity, system: System) -> tuple[str, str] | None:
    """Return the store and folder of a monitor's state, or None for other workloads."""
    section, _, name = value.workload.partition(".")
    return state_folder(system, system.monitors[name]) if section == "monitors" else None


def _opened(provider: str, plan: Plan, placement: str) -> dict[str, tuple[str, Resource[Identity]]]:
    """Map each other target of the provider to one of its buckets this placement uses, and an identity using it."""
    opened: dict[str, tuple[str, Resource[Identity]]] = {}
    if plan.system.target(placement).provider == provider:
        for resource in plan.of(Identity, placement):
            for access in access_in(provider, resource.value, plan.system):
                store = plan.system.stores[access.store]
                if store.target != placement and not store.adopt:
                    opened.setdefault(store.target, (store.name, resource))
    return opened


def _reached(start: str, waits: Mapping[str, Mapping[str, tuple[str, Resource[Identity]]]]) -> set[str]:
    """Return all targets that a target waits for, directly or indirectly."""
    reachable: set[str] = set()
    waiting = [start]
    while waiting:
        for name in waits.get(waiting.pop(), {}):
            if name not in reachable:
                reachable.add(name)
                waiting.append(name)
    return reachable
