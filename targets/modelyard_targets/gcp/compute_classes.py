"""ComputeClasses, which define the order in which GKE's autoscaler tries a compute class's node pools.

Without a ComputeClass, the autoscaler grows the cheapest pool, which isn't necessarily what the spec prefers. The
fields are documented at docs.cloud.google.com/kubernetes-engine/docs/reference/crds/computeclass, read 2026-11-27.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.manifest import labels, object_of
from modelyard.plan import NodePool, Resource
from modelyard.stack import Value
from modelyard_targets.cloud.existing import pool_label
from modelyard_targets.gcp.hardware import COMPUTE_CLASS
from modelyard_targets.gcp.names import pool_name
from modelyard_targets.kube.placement.context import Context, KubeObject

COMPONENT: Final = "nodes"


def compute_class(resource: Resource[NodePool], context: Context) -> Iterator[KubeObject]:
    """Yield the ComputeClass for a compute class with several node pools.

    A Pod waits if no pool can grow. Pods don't move back once a preferred pool has capacity again, because runs can
    take days.
    """
    hardware = resource.value.hardware
    name = dict(hardware.selector).get(COMPUTE_CLASS)
    if name is None:
        return
    priorities: list[Value] = [{"nodepools": [pool_name(pool_label(resource), group)]} for group in hardware.groups]
    spec: dict[str, Value] = {
        "priorities": priorities,
        "nodePoolAutoCreation": {"enabled": False},
        "activeMigration": {"optimizeRulePriority": False},
        "whenUnsatisfiable": "DoNotScaleUp",
    }
    described: dict[str, Value] = {
        "name": name,
        "labels": labels(context.system.metadata.name, name, component=COMPONENT),
    }
    yield KubeObject(resource.origin, object_of("cloud.google.com/v1", "ComputeClass", described, spec=spec))
