"""Elastic compute classes, for which Karpenter launches the cheapest machine that fits each pending Pod."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Final

from modelyard.manifest import labels, object_of
from modelyard.plan import NodePool, Plan, Resource
from modelyard.program import Call, Ref
from modelyard.stack import Value
from modelyard_targets.aws.foundation import release_of, tags
from modelyard_targets.aws.machines import offerings
from modelyard_targets.aws.names import cluster_name
from modelyard_targets.aws.options import vpc_of
from modelyard_targets.cloud.choose import POOL
from modelyard_targets.cloud.matching import SERVED
from modelyard_targets.kube.placement.context import Context, KubeObject
from modelyard_targets.kube.placement.platform import Argument, as_literal
from modelyard_targets.kube.pods.demand import demand

NODE_CLASS: Final = "modelyard"
COMPONENT: Final = "nodes"

_WAYS: Final = {"spot": ["spot"], "spot-first": ["spot", "on-demand"]}
_GI: Final = 1024**3
_IMAGES_GIB: Final = 100
_SPARE: Final = 2


def pools_of(plan: Plan, placement: str) -> tuple[tuple[str, NodePool], ...]:
    """Return all node pools of a placement, elastic or not, keyed by the name in their nodes' label."""
    return tuple((pool.name, pool.value) for pool in plan.of(NodePool, placement))


def node_pool(resource: Resource[NodePool], context: Context) -> Iterator[KubeObject]:
    """Yield an elastic class's NodePool, with its allowed instance types and an overall limit for its nodes.

    Karpenter removes a node only once it is empty, never because of age or price, since runs can take days.
    """
    pool = resource.value
    if not pool.elastic:
        return
    compute = context.system.compute[pool.compute]
    taints: list[Value] = [{"key": POOL, "value": resource.name, "effect": "NoSchedule"}]
    if pool.hardware.accelerator_resource:
        taints.append({"key": pool.hardware.accelerator_resource, "value": "true", "effect": "NoSchedule"})
    template: dict[str, Value] = {
        "metadata": {"labels": {POOL: resource.name}},
        "spec": {
            "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": NODE_CLASS},
            "expireAfter": "Never",
            "taints": taints,
            "requirements": _requirements(pool, compute.capacity),
        },
    }
    spec: dict[str, Value] = {
        "template": template,
        "disruption": {"consolidationPolicy": "WhenEmpty", "consolidateAfter": "5m"},
        "limits": _limits(pool, context),
    }
    described: dict[str, Value] = {
        "name": resource.name,
        "labels": labels(context.system.metadata.name, resource.name, component=COMPONENT),
    }
    yield KubeObject(resource.origin, object_of("karpenter.sh/v1", "NodePool", described, spec=spec))


def node_class(context: Context) -> Iterator[Call]:
    """Build the EC2NodeClass using the infrastructure project's instance profile, network and disk key.

    Images and Pod files are stored on NVMe disks if the machine has any, and on the root volume otherwise.

    The AMI is pinned to an EKS release of Amazon Linux 2023. Using the latest AMI would replace all nodes with every
    release.
    """
    name, network = cluster_name(context.system, context.placement), vpc_of(context.target)
    discovered: list[Argument] = [{"tags": {"karpenter.sh/discovery": name}}]
    subnets: list[Argument] = [{"id": subnet} for subnet in network.subnets]
    volume: dict[str, Argument] = {
        "volumeSize": f"{disk_gib(context.plan, context.placement)}Gi",
        "volumeType": "gp3",
        "encrypted": True,
        "kmsKeyID": Ref("infrastructure", key="key_arn"),
        "deleteOnTermination": True,
    }
    spec: dict[str, Argument] = {
        "amiSelectorTerms": [{"alias": f"al2023@{release_of(context.target).image}"}],
        "instanceProfile": Ref("infrastructure", key="karpenter_profile"),
        "subnetSelectorTerms": subnets or discovered,
        "securityGroupSelectorTerms": discovered,
        "instanceStorePolicy": "RAID0",
        "blockDeviceMappings": [{"deviceName": "/dev/xvda", "rootVolume": True, "ebs": volume}],
        "metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 1},
        "tags": dict(tags(context.system, context.placement)),
    }
    document: dict[str, Argument] = {
        "apiVersion": "karpenter.k8s.aws/v1",
        "kind": "EC2NodeClass",
        "metadata": {"name": NODE_CLASS},
        "spec": spec,
    }
    arguments = (("cluster", Ref("cluster")), ("document", as_literal(document)))
    yield Call("node_class", "kubernetes.Object", NODE_CLASS, arguments)


def _requirements(pool: NodePool, capacity: str) -> list[Value]:
    """Require one of the region's instance types that fit a Pod.

    They are listed by name, because new types may not have the right labels yet.
    """
    ways: list[Value] = list(_WAYS.get(capacity, ["on-demand"]))
    return [
        {"key": "node.kubernetes.io/instance-type", "operator": "In", "values": sorted(pool.hardware.any_of)},
        {"key": "karpenter.sh/capacity-type", "operator": "In", "values": ways},
        {"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]},
    ]


def most_machines(pool: NodePool, plan: Plan, placement: str) -> int:
    """Return the maximum number of machines in an elastic class, which is twice its maximum number of Pods.

    The extra capacity is needed because Karpenter counts whole machines and doesn't launch any that would exceed the
    limit.
    """
    pod_demand = demand(plan, placement, databases=False)
    everything = (*pod_demand.always, *(request for run in pod_demand.runs.values() for request in run))
    most = sum(
        request.most
        for request in everything
        if request.hardware is not None and request.hardware.compute == pool.compute
    )
    return max(1, most) * _SPARE


def most_vcpus(pool: NodePool, plan: Plan, placement: str) -> int:
    """Return the total vCPU limit for the nodes of an elastic class."""
    return offerings().machine(pool.hardware.machine).vcpus * most_machines(pool, plan, placement)


def ways_of(pool: NodePool, capacity: str) -> Iterator[tuple[str, bool]]:
    """Yield each instance type that an elastic class may use, and whether it is spot.

    Types that can be both spot and on-demand are yielded twice.
    """
    for machine in pool.hardware.any_of:
        for way in _WAYS.get(capacity, ["on-demand"]):
            yield machine, way == "spot"


def _limits(pool: NodePool, context: Context) -> dict[str, Value]:
    count, hardware = most_machines(pool, context.plan, context.placement), pool.hardware
    machine = offerings().machine(hardware.machine)
    vcpus = most_vcpus(pool, context.plan, context.placement)
    limits: dict[str, Value] = {"cpu": str(vcpus), "memory": f"{ceil(machine.memory_gib * count)}Gi"}
    if machine.accelerator is not None:
        limits[hardware.accelerator_resource or SERVED] = str(machine.accelerator.count * count)
    return limits


def disk_gib(plan: Plan, placement: str) -> int:
    """Return the root volume's size, which fits the images and two Pods' files in the largest compute class.

    Classes whose machines all have local disks are ignored, since images and Pods use those disks instead.
    """
    elastic = [pool.hardware for _, pool in pools_of(plan, placement) if pool.elastic]
    on_root = [
        hardware for hardware in elastic if not all(offerings().machine(name).local_gb for name in hardware.any_of)
    ]
    return _IMAGES_GIB + _SPARE * ceil(max((hardware.disk_bytes or 0 for hardware in on_root), default=0) / _GI)
