"""Cross-target access for workloads, using bundles for models and access keys for cloud stores."""

from __future__ import annotations

from typing import Final

from modelyard.names import object_name, short_hash
from modelyard.plan import ByType, Identity, Job, ModelServer, MonitorJob, Plan, Resource
from modelyard.records import record
from modelyard.spec import Store, System, TargetSpec
from modelyard.spec.scoring import models_of
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.storage.clouds import cloud_storage, federates_from

CROSSING_NAME: Final = "crossing"
"""Name prefix of Secrets with access keys for another target's stores."""


@record
class Crossing:
    """A workload's access to stores on a cloud target, along with the Secret containing the access key."""

    workload: str
    target: str
    secret: str
    stores: tuple[Store, ...]
    identity: Resource
    halves: tuple[str, ...]  # names of a key's parts; the Secret's entries also contain the key number
    numbers: tuple[int, ...]  # key numbers; the last key is in use

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the Secret entries that Pods use.

        Their names contain the key's number, so that a new key causes the Pods to be replaced.
        """
        return tuple(secret_key(half, self.numbers[-1]) for half in self.halves)


def crossings_on(context: Context) -> tuple[Crossing, ...]:
    """Return the cross-target access of all workloads on this placement, in plan order."""
    if not any(crosses(store, context) for store in context.system.stores.values()):
        return ()
    workloads = dict.fromkeys(identity.value.workload for identity in context.plan.of(Identity, context.placement))
    return tuple(crossing for workload in workloads for crossing in crossings_of(workload, context))


def crossings_of(workload: str, context: Context) -> tuple[Crossing, ...]:
    """Return a workload's cross-target access, one entry per target, in the order of its identity's stores.

    For each entry, the other target's program creates a least-privilege user, and this placement's program creates the
    Secret from its outputs.
    """
    identity = context.identity(workload)
    if identity is None:
        return ()
    by_target: dict[str, list[Store]] = {}
    for name in dict.fromkeys(access.store for access in identity.value.access):
        store = context.system.stores[name]
        if crosses(store, context):
            by_target.setdefault(store.target, []).append(store)
    several = len(by_target) > 1
    return tuple(
        Crossing(
            workload,
            target,
            object_name(CROSSING_NAME, identity.name, *([target] if several else [])),
            tuple(stores),
            identity,
            key_halves(target, context.system),
            context.target.access_keys,
        )
        for target, stores in by_target.items()
    )


def crossing_to(store: Store, workload: str, context: Context) -> Crossing | None:
    """Return a workload's cross-target access for a store, or None if it doesn't need any."""
    return next((crossing for crossing in crossings_of(workload, context) if store in crossing.stores), None)


def crosses(store: Store, context: Context) -> bool:
    """Return whether this placement needs an access key for a store in another cloud that the spec doesn't set."""
    return crosses_from(store, context.target, context.system)


def crosses_from(store: Store, target: TargetSpec, system: System) -> bool:
    """Return whether a target needs an access key for a store. See `crosses`."""
    if store.type != "object" or store.endpoint or store.credentials is not None:
        return False
    provider = system.target(store.target).provider
    return target.provider != provider and cloud_storage(provider).keys and not federates_from(store, target, system)


def key_halves(target: str, system: System) -> tuple[str, ...]:
    """Return the names of the parts of an access key for a target's stores."""
    return tuple(key.name for key in cloud_storage(system.target(target).provider).driver.keys)


def crossing_output(identity: Resource, part: str) -> str:
    """Return the name of the infrastructure output that holds part of a workload's access key.

    The separator `__` distinguishes workload `till` on placement `shop-a` from workload `a-till` on placement `shop`.
    Names with two consecutive hyphens get a hash.
    """
    parts = (identity.placement, identity.name)
    stem = "__".join(parts) if "--" not in "".join(parts) else "__".join((*parts, short_hash(*parts)))
    return f"{stem}_{part}".replace("-", "_")


def secret_key(half: str, number: int) -> str:
    """Return the name of the Secret's entry that holds one part of a numbered access key."""
    return f"{half}-{number}"


def key_output(identity: Resource, half: str, number: int) -> str:
    """Return the name of the infrastructure output that holds one part of a numbered access key."""
    return crossing_output(identity, f"{half}_{number}")


def infrastructure_project(system: System, target: str) -> str:
    """Return the name of a cloud target's first infrastructure project, whose outputs other targets read."""
    return f"{system.metadata.name}-{target}-infrastructure"


def infrastructure_setting(target: str) -> str:
    """Return the name of the setting that names another target's infrastructure stack."""
    return f"infrastructure-{target}"


def reads_bundles(resource: Resource, plan: Plan) -> bool:
    """Return whether a workload loads models from bundles."""
    return plan.bundled(resource.placement) and _reads_models(resource)


def keeps_models(resource: Resource, plan: Plan) -> bool:
    """Return whether a workload stores registry models as bundles on its own disk.

    At the edge, a workload must be able to restart while an adopted registry, which runs elsewhere, is unreachable.
    """
    system = plan.system
    adopted = system.registry is not None and bool(system.registry.adopt)
    return adopted and system.target(resource.placement).edge and _loads_models(resource)


def _no(resource: Resource) -> bool:
    return False


def _by_server(resource: Resource[ModelServer]) -> bool:
    return True


def _by_job(resource: Resource[Job]) -> bool:
    return bool(models_of(resource.value.pipeline))


def _by_monitor(resource: Resource[MonitorJob]) -> bool:
    return bool(resource.value.models)


_reads_models: Final = ByType(_no).case(ModelServer, _by_server).case(Job, _by_job).case(MonitorJob, _by_monitor)

_loads_models: Final = ByType(_no).case(ModelServer, _by_server).case(Job, _by_job)
