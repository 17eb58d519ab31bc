"""Disks for edge workloads, whose files must survive restarts without a network connection.

On a volume, downloaded bundles and waiting captures survive the replacement of a Pod. At the edge, volumes are usually
local to one machine, so a workload only gets a volume if the cluster has a single machine or the workload never has a
second Pod. All other Pods use an ephemeral disk, which survives restarts of containers and the machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.manifest import labels, memory_text, metadata, object_of, without_empty
from modelyard.names import object_name
from modelyard.plan import ByType, Job, ModelServer, Plan, Resource
from modelyard.spec import TargetSpec
from modelyard.stack import Value
from modelyard_targets.kube.data.crossing import keeps_models, reads_bundles
from modelyard_targets.kube.placement.context import Context, KubeObject
from modelyard_targets.kube.pods.frame import SCRATCH
from modelyard_targets.kube.pods.sizes import EDGE_DISK_BYTES

COMPONENT: Final = "disk"
MOUNTED: Final = "/var/lib/modelyard"

_VOLUME: Final = "disk"


def has_disk(resource: Resource, plan: Plan, target: TargetSpec) -> bool:
    """Return whether a workload has a persistent volume."""
    return may_have_disk(resource, plan, target) and (
        sum(machines.count for machines in target.capacity) == 1 or _only_one_pod(resource)
    )


def may_have_disk(resource: Resource, plan: Plan, target: TargetSpec) -> bool:
    """Return whether a workload gets a persistent volume if its site has one machine or it has a single Pod."""
    return target.edge and _keeps_something(resource, plan)


def disk_folder(resource: Resource, context: Context) -> str:
    """Return the folder for downloaded bundles and waiting captures."""
    return MOUNTED if has_disk(resource, context.plan, context.target) else f"{SCRATCH}/modelyard"


def lower_disk(resource: Resource, context: Context) -> Iterator[KubeObject]:
    """Yield a workload's volume claim, if any. Pulumi doesn't wait for a Pod to bind it."""
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
    yield KubeObject(resource.origin, object_of("v1", "PersistentVolumeClaim", described, spec=spec))


def claim_name(resource: Resource) -> str:
    """Return the name of a workload's volume claim."""
    return object_name(resource.name, _VOLUME)


def disk_volumes(resource: Resource, context: Context) -> tuple[Value, ...]:
    """Return the volume for a workload's worker Pods. Its heads don't have one."""
    if not has_disk(resource, context.plan, context.target):
        return ()
    return ({"name": _VOLUME, "persistentVolumeClaim": {"claimName": claim_name(resource)}},)


def disk_mounts(resource: Resource, context: Context) -> tuple[Value, ...]:
    """Return the mount for a worker Pod's volume."""
    return ({"name": _VOLUME, "mountPath": MOUNTED},) if has_disk(resource, context.plan, context.target) else ()


def _no(resource: Resource) -> bool:
    return False


def _server_captures(resource: Resource[ModelServer]) -> bool:
    return any(application.inference.capture is not None for application in resource.value.applications)


_captures: Final = ByType(_no).case(ModelServer, _server_captures)


def _keeps_something(resource: Resource, plan: Plan) -> bool:
    return _captures(resource) or reads_bundles(resource, plan) or keeps_models(resource, plan)


def _one_at_a_time(resource: Resource) -> bool:
    return True


def _one_replica(resource: Resource[ModelServer]) -> bool:
    applications = resource.value.applications
    most = sum(application.variant.replicas.maximum for application in applications)
    return most == 1 and applications[0].inference.rollout.strategy == "in-place"


def _one_worker(resource: Resource[Job]) -> bool:
    return sum(step.workers.maximum for step in resource.value.pipeline.steps) == 1


_only_one_pod: Final = ByType(_one_at_a_time).case(ModelServer, _one_replica).case(Job, _one_worker)
"""Return whether a workload never has a second Pod, even during a rollout."""
