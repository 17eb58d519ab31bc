"""What workloads take from another placement: models as bundles, and stores of AWS by a key of their own."""

from __future__ import annotations

from typing import Final

from modelyard.names import object_name
from modelyard.plan import Identity, Job, ModelServer, MonitorJob, Plan, Resource
from modelyard.records import record
from modelyard.spec import Store, System
from modelyard_targets.cluster.context import Context

CROSSING_KEYS: Final = ("access-key-id", "secret-access-key")
"""Keys of a crossing's Secret."""


@record
class Crossing:
    """Stores of one target in a cloud, and the Secret here whose key opens them: for this workload and no other."""

    workload: str
    target: str
    secret: str
    stores: tuple[Store, ...]


def crossings_of(workload: str, context: Context) -> tuple[Crossing, ...]:
    """The crossings of a workload on this placement, in the order in which its identity names the stores.

    Each is a user of its own in the cloud with exactly what the identity may do in these stores; the Secret is written
    by the program of this placement, from the outputs of the other one's.
    """
    identity = context.identity(workload)
    if identity is None or not isinstance(identity.value, Identity):
        return ()
    by_target: dict[str, list[Store]] = {}
    for name in dict.fromkeys(access.store for access in identity.value.access):
        store = context.system.stores[name]
        if crosses(store, context):
            by_target.setdefault(store.target, []).append(store)
    several = len(by_target) > 1
    return tuple(
        Crossing(
            workload, target, object_name("crossing", identity.name, *([target] if several else [])), tuple(stores)
        )
        for target, stores in by_target.items()
    )


def crossing_to(store: Store, workload: str, context: Context) -> Crossing | None:
    """The crossing by which a workload opens a store; None where it needs none."""
    return next((one for one in crossings_of(workload, context) if store in one.stores), None)


def crosses(store: Store, context: Context) -> bool:
    """Whether a store is one of AWS that this placement has no identity for, and the spec no credentials."""
    if store.type != "object" or store.endpoint or store.credentials is not None or store.target == context.placement:
        return False
    return _provider(store.target, context.system) == "aws"


def reads_bundles(resource: Resource, plan: Plan) -> bool:
    """Whether a workload's models come as bundles."""
    value = resource.value
    if not plan.bundled(resource.placement):
        return False
    if isinstance(value, Job):
        return value.pipeline.type == "batch-inference"
    return isinstance(value, ModelServer) or (isinstance(value, MonitorJob) and bool(value.models))


def _provider(target: str, system: System) -> str:
    return next((one.provider for one in system.deployment.targets if one.name == target), "")
