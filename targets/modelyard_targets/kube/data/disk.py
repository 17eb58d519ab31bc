"""The disk of a workload at the edge: what must be there after a restart without a network.

A volume of its own keeps bundles that were brought and captures that wait, also when its Pod is made anew. Volumes of
most clusters at the edge are on one machine and for it, so that a workload gets one where all of its Pods may stand on
one machine: where there is only one, or only ever one Pod. Elsewhere each Pod keeps to the disk that lives as long as
it does, which outlives a restart of its containers and of its machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.manifest import labels, memory_text, metadata, object_of, without_empty
from modelyard.names import object_name
from modelyard.plan import ByType, Job, ModelServer, Plan, Resource
from modelyard.spec import TargetSpec
from modelyard.stack import Value
from modelyard_targets.kube.data.crossing import reads_bundles
from modelyard_targets.kube.placement.context import Context, Made
from modelyard_targets.kube.pods.frame import SCRATCH
from modelyard_targets.kube.pods.sizes import EDGE_DISK_BYTES

COMPONENT: Final = "disk"
MOUNTED: Final = "/var/lib/modelyard"

_VOLUME: Final = "disk"


def has_disk(resource: Resource, plan: Plan, target: TargetSpec) -> bool:
    """Whether a workload has a volume that outlives its Pods."""
    if not target.edge or not _keeps_something(resource, plan):
        return False
    return sum(machines.count for machines in target.capacity) == 1 or _only_one_pod(resource)


def disk_folder(resource: Resource, context: Context) -> str:
    """Where a workload keeps what it has brought and what waits."""
    return MOUNTED if has_disk(resource, context.plan, context.target) else f"{SCRATCH}/modelyard"


def lower_disk(resource: Resource, context: Context) -> Iterator[Made]:
    """The claim of the volume, if there is one. It is bound when the first Pod is placed, so nothing waits for it."""
    if not has_disk(resource, context.plan, context.target):
        return
    labelled = labels(context.system.metadata.name, resource.name, resource.workload, COMPONENT)
    described = metadata(
        claim_name(resource), context.namespace, labelled, annotations={"pulumi.com/skipAwait": "true"}
    )
    spec: dict[str, Value] = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": memory_text(EDGE_DISK_BYTES)}},
        **without_empty({"storageClassName": context.target.storage_class}),
    }
    yield Made(resource.origin, object_of("v1", "PersistentVolumeClaim", described, spec=spec))


def claim_name(resource: Resource) -> str:
    """What the claim of a workload is called."""
    return object_name(resource.name, _VOLUME)


def disk_volumes(resource: Resource, context: Context) -> tuple[Value, ...]:
    """The volume of the Pods that do the work; a head does none."""
    if not has_disk(resource, context.plan, context.target):
        return ()
    return ({"name": _VOLUME, "persistentVolumeClaim": {"claimName": claim_name(resource)}},)


def disk_mounts(resource: Resource, context: Context) -> tuple[Value, ...]:
    """Where it is mounted."""
    return ({"name": _VOLUME, "mountPath": MOUNTED},) if has_disk(resource, context.plan, context.target) else ()


def _no(resource: Resource) -> bool:
    return False


def _server_captures(resource: Resource[ModelServer]) -> bool:
    return any(one.inference.capture is not None for one in resource.value.applications)


_captures: Final = ByType(_no).case(ModelServer, _server_captures)


def _keeps_something(resource: Resource, plan: Plan) -> bool:
    return _captures(resource) or reads_bundles(resource, plan)


def _one_at_a_time(resource: Resource) -> bool:
    return True


def _one_replica(resource: Resource[ModelServer]) -> bool:
    applications = resource.value.applications
    most = sum(one.variant.replicas.maximum for one in applications)
    return most == 1 and applications[0].inference.rollout.strategy == "in-place"


def _one_worker(resource: Resource[Job]) -> bool:
    return sum(step.workers.maximum for step in resource.value.pipeline.steps) == 1


_only_one_pod: Final = ByType(_one_at_a_time).case(ModelServer, _one_replica).case(Job, _one_worker)
"""Whether there is never a second Pod, not even while new servers replace the old ones."""
