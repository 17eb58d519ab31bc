"""What workloads take from another placement: models as bundles, and stores of a cloud by a key of their own."""

from __future__ import annotations

from typing import Final

from modelyard.names import object_name, short_hash
from modelyard.plan import ByType, Identity, Job, ModelServer, MonitorJob, Plan, Resource
from modelyard.records import record
from modelyard.spec import Store, System, TargetSpec
from modelyard.spec.scoring import models_of
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.storage.clouds import cloud_storage

CROSSING_NAME: Final = "crossing"
"""The first part of the name of a Secret that opens stores of another target."""


@record
class Crossing:
    """Stores of one target in a cloud, and the Secret here whose key opens them: for this workload and no other."""

    workload: str
    target: str
    secret: str
    stores: tuple[Store, ...]
    identity: Resource
    halves: tuple[str, ...]  # what a key consists of; in the Secret the number of the key stands behind each
    numbers: tuple[int, ...]  # of its keys; the last is used

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the Secret that Pods are given. Another number makes new Pods, as another Secret would."""
        return tuple(secret_key(half, self.numbers[-1]) for half in self.halves)


def crossings_on(context: Context) -> tuple[Crossing, ...]:
    """The crossings of every workload on this placement, in the order of the plan."""
    workloads = dict.fromkeys(one.value.workload for one in context.plan.of(Identity, context.placement))
    return tuple(crossing for workload in workloads for crossing in crossings_of(workload, context))


def crossings_of(workload: str, context: Context) -> tuple[Crossing, ...]:
    """The crossings of a workload on this placement, in the order in which its identity names the stores.

    Each is a user of its own in the cloud with exactly what the identity may do in these stores; the Secret is written
    by the program of this placement, from the outputs of the other one's.
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
    """The crossing by which a workload opens a store; None where it needs none."""
    return next((one for one in crossings_of(workload, context) if store in one.stores), None)


def crosses(store: Store, context: Context) -> bool:
    """Whether a store is one of another cloud that this placement has no identity for, and the spec no credentials."""
    return crosses_from(store, context.target, context.system)


def crosses_from(store: Store, target: TargetSpec, system: System) -> bool:
    """The same of any target."""
    if store.type != "object" or store.endpoint or store.credentials is not None:
        return False
    provider = system.target(store.target).provider
    return target.provider != provider and cloud_storage(provider).keys


def key_halves(target: str, system: System) -> tuple[str, ...]:
    """The parts that a key to the stores of a target consists of."""
    return tuple(key.name for key in cloud_storage(system.target(target).provider).driver.keys)


def crossing_output(identity: Resource, part: str) -> str:
    """What an infrastructure calls a half of the key that it makes for a workload elsewhere.

    Two underscores keep `shop` and `a-till` apart from `shop-a` and `till`; names with two hyphens need a hash for it.
    """
    parts = (identity.placement, identity.name)
    stem = "__".join(parts) if "--" not in "".join(parts) else "__".join((*parts, short_hash(*parts)))
    return f"{stem}_{part}".replace("-", "_")


def secret_key(half: str, number: int) -> str:
    """What half of a key is called in the Secret of a crossing."""
    return f"{half}-{number}"


def key_output(identity: Resource, half: str, number: int) -> str:
    """What half of a key is called among the outputs of the infrastructure that makes it."""
    return crossing_output(identity, f"{half}_{number}")


def infrastructure_project(system: System, target: str) -> str:
    """The project that makes a target in a cloud, or the first of several: whose outputs are read elsewhere."""
    return f"{system.metadata.name}-{target}-infrastructure"


def infrastructure_setting(target: str) -> str:
    """The setting that names the stack of another target's infrastructure; apart from every other setting."""
    return f"infrastructure-{target}"


def reads_bundles(resource: Resource, plan: Plan) -> bool:
    """Whether a workload's models come as bundles."""
    return plan.bundled(resource.placement) and _reads_models(resource)


def _no(resource: Resource) -> bool:
    return False


def _by_server(resource: Resource[ModelServer]) -> bool:
    return True


def _by_job(resource: Resource[Job]) -> bool:
    return bool(models_of(resource.value.pipeline))


def _by_monitor(resource: Resource[MonitorJob]) -> bool:
    return bool(resource.value.models)


_reads_models: Final = ByType(_no).case(ModelServer, _by_server).case(Job, _by_job).case(MonitorJob, _by_monitor)
