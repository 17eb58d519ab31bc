"""Workload access to stores in other clouds using their own identity, for both the store and the workload.

The store's target has a project `crossings`, which trusts the issuer of the workload's cluster. The project only needs
the outputs of infrastructure projects, so two targets can access each other's stores.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.plan import Identity, Plan, Resource
from modelyard.records import record
from modelyard.spec import Store, System
from modelyard_targets.kube.data.crossing import crossing_output
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.storage.clouds import cloud_storage, federates_from
from modelyard_targets.kube.storage.federation import Federation

FOREIGN_NAME: Final = "identity"
"""Name prefix of the ConfigMaps with workloads' identities in other clouds."""

CROSSINGS: Final = "crossings"
"""The folder of the project that trusts other clusters, and the suffix of the project's name."""


@record
class Federated:
    """A workload's access to the stores of one target in another cloud."""

    workload: str
    target: str
    provider: str
    region: str
    stores: tuple[Store, ...]
    identity: Resource[Identity]
    federation: Federation

    @property
    def config_map(self) -> str:
        """Return the name of the ConfigMap holding the identity's values, which is built from names without dots."""
        return f"{FOREIGN_NAME}-{self.identity.name}.{self.target}"


def federated_on(context: Context) -> tuple[Federated, ...]:
    """Return the access to other clouds for all workloads on this placement, in plan order."""
    here = context.system.target(context.placement)
    if not any(federates_from(store, here, context.system) for store in context.system.stores.values()):
        return ()
    workloads = dict.fromkeys(identity.value.workload for identity in context.plan.of(Identity, context.placement))
    return tuple(access for workload in workloads for access in federated_of(workload, context))


def federated_of(workload: str, context: Context) -> tuple[Federated, ...]:
    """Return a workload's access to other clouds, one entry for each target."""
    identity = context.identity(workload)
    if identity is None:
        return ()
    entries: list[Federated] = []
    for target, stores in foreign_stores(identity, context.plan).items():
        there = context.system.target(target)
        federation = cloud_storage(there.provider).federation
        assert federation is not None
        entries.append(Federated(workload, target, there.provider, there.region, tuple(stores), identity, federation))
    return tuple(entries)


def foreign_stores(identity: Resource[Identity], plan: Plan) -> dict[str, list[Store]]:
    """Return the stores that an identity accesses in other clouds, by target."""
    system = plan.system
    here, by_target = system.target(identity.placement), dict[str, list[Store]]()
    for name in dict.fromkeys(access.store for access in identity.value.access):
        store = system.stores[name]
        if federates_from(store, here, system):
            by_target.setdefault(store.target, []).append(store)
    return by_target


def may_be_crossed(plan: Plan, placement: str) -> bool:
    """Return whether clusters on other targets could use their tokens to access this placement's stores.

    If so, the project that holds the target's grants exists even when it has none, which lets `up` withdraw earlier
    ones.
    """
    system = plan.system
    stores = [store for store in system.stores.values() if store.target == placement]
    return any(federates_from(store, target, system) for target in system.deployment.targets for store in stores)


def has_foreign(plan: Plan, placement: str) -> bool:
    """Return whether workloads in other clusters access this placement's stores using their own identity."""
    return next(foreign_identities(plan, placement), None) is not None


def foreign_identities(plan: Plan, placement: str) -> Iterator[tuple[Resource[Identity], tuple[str, ...]]]:
    """Yield the identities in other clusters that access stores of this placement, along with those stores."""
    for identity in plan.of(Identity):
        stores = foreign_stores(identity, plan).get(placement, ()) if identity.placement != placement else ()
        if stores:
            yield identity, tuple(store.name for store in stores)


def shows_issuer(plan: Plan, placement: str) -> bool:
    """Return whether other targets need to know the token issuer of this placement's cluster."""
    return any(foreign_stores(identity, plan) for identity in plan.of(Identity, placement))


def identity_output(identity: Resource, value: str) -> str:
    """Return the name of the `crossings` project's output that contains a value of a workload's identity."""
    return crossing_output(identity, value)


def crossings_project(system: System, target: str) -> str:
    """Return the name of the project in which a target trusts other clusters."""
    return f"{system.metadata.name}-{target}-{CROSSINGS}"


def crossings_setting(target: str) -> str:
    """Return the name of the setting that names the stack of another target's `crossings` project."""
    return f"{CROSSINGS}-{target}"
