"""Check that workloads have a single identity in another cloud that isn't overridden by an access key."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.diagnostics import identities as problems
from modelyard.diagnostics.base import Diagnostic
from modelyard.plan import Identity, Plan, Resource
from modelyard.spec import Store, System
from modelyard_targets.kube.data.federated import foreign_stores
from modelyard_targets.kube.storage.buckets import driver_of


def check_identities(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report workloads that would need two identities in a cloud, or whose access key would override their own."""
    for resource in plan.of(Identity, placement):
        opened = foreign_stores(resource, plan)
        if opened:
            yield from _second(resource, opened, plan)
            yield from _hidden(resource, opened, plan)


def _second(resource: Resource[Identity], opened: dict[str, list[Store]], plan: Plan) -> Iterator[Diagnostic]:
    first: dict[str, str] = {}
    for target in opened:
        provider = plan.system.target(target).provider
        if provider in first:
            where = plan.system.key(*resource.origin)
            yield problems.two_identities(where, resource.value.workload, first[provider], target)
        first.setdefault(provider, target)


def _hidden(resource: Resource[Identity], opened: dict[str, list[Store]], plan: Plan) -> Iterator[Diagnostic]:
    artifacts = _artifacts_by_key(plan.system)
    if artifacts is None or plan.bundled(resource.placement):  # bundles are read without MLflow's client
        return
    if all(access.store != artifacts.name for access in resource.value.access):
        return
    for store in (store for stores in opened.values() for store in stores):
        if driver_of(store, plan.system) is driver_of(artifacts, plan.system):
            where = plan.system.key(*resource.origin)
            yield problems.identity_hidden_by_keys(where, resource.value.workload, store.name, artifacts.name)


def _artifacts_by_key(system: System) -> Store | None:
    """Return the store for registry artifacts if workloads access it using an access key."""
    registry = system.registry
    store = system.stores.get(registry.artifacts) if registry is not None else None
    return store if store is not None and store.credentials is not None else None
