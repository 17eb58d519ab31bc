"""EKS-specific add-ons: cluster autoscaler, Karpenter, and the device plugin and metrics exporter for GPUs.

Keys come from each chart's values.yaml at the version in charts.json, read 2026-11-24.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from modelyard.manifest import POD_SECURITY, RESTRICTED
from modelyard.plan import SYSTEM_POOL, Plan
from modelyard.program import Ref
from modelyard.stack import Value
from modelyard_targets.aws.elastic import node_class, pools_of
from modelyard_targets.aws.foundation import addons_of, release_of
from modelyard_targets.aws.identities import AUTOSCALER, KARPENTER
from modelyard_targets.aws.names import group_name
from modelyard_targets.aws.network_policies import reach_services
from modelyard_targets.aws.options import vpc_of
from modelyard_targets.cloud.choose import POOL
from modelyard_targets.kube.network.envoy import ENVOY, ENVOY_GATEWAY
from modelyard_targets.kube.pipelines.machines import GROUP_WAIT_S
from modelyard_targets.kube.placement.context import Context, mirrored, pull_secret_of_addons
from modelyard_targets.kube.placement.platform import AddOn, Given

DEVICE_PLUGIN: Final = "nvidia-device-plugin"
DCGM_EXPORTER: Final = "dcgm-exporter"

_AUTOSCALER_IMAGE: Final = "registry.k8s.io/autoscaling/cluster-autoscaler"
_NVIDIA: Final = "nvidia.com/gpu"
_HIGHEST: Final = 100
_NOBODY: Final = 65534


def addons_of_nodes(plan: Plan, placement: str) -> tuple[str, ...]:
    """Return the add-ons that the placement's nodes need before any workload runs."""
    if not plan.has_cluster(placement):
        return ()
    pools = pools_of(plan, placement)
    found = [AUTOSCALER]
    if any(pool.hardware.accelerator_resource == _NVIDIA for _, pool in pools):
        found.append(DEVICE_PLUGIN)
        if "prometheus" in addons_of(plan, placement):
            found.append(DCGM_EXPORTER)
    if any(pool.elastic for _, pool in pools):
        found.append(KARPENTER)
    return tuple(found)


def priorities(context: Context) -> Mapping[str, Given]:
    """Rank node groups by autoscaling group name. The first group of each pool ranks highest.

    EKS names an autoscaling group `eks-<node group>-<uuid>`, and Pulumi appends seven characters to the node group.
    """
    ranked: dict[str, list[str]] = {}
    for name, pool in pools_of(context.plan, context.placement):
        for at, group in enumerate(pool.groups):
            ranked.setdefault(str(_HIGHEST - at), []).append(f"^eks-{group_name(name, group)}-[0-9a-f]{{7}}-")
    return {**ranked, "1": [".*"]}


def _autoscaler(context: Context) -> Mapping[str, Given]:
    """Make the autoscaler try a pool's groups in order and remove a node once its Pods fit on other nodes.

    An annotation protects Pods that must not be moved. Local storage alone does not protect a node.
    """
    pull = pull_secret_of_addons(context.target)
    return {
        "fullnameOverride": AUTOSCALER,
        "awsRegion": context.target.region,
        "autoDiscovery": {"clusterName": Ref("infrastructure", key="cluster_name")},
        "image": {
            "repository": mirrored(_AUTOSCALER_IMAGE, context.target),
            "tag": release_of(context.target).autoscaler,
            **({"pullSecrets": [pull]} if pull else {}),
        },
        "rbac": {"serviceAccount": {"name": AUTOSCALER}},
        "replicaCount": 2 if context.enterprise else 1,
        "expanderPriorities": priorities(context),
        "extraArgs": {
            "expander": "priority",
            "max-node-provision-time": f"{GROUP_WAIT_S}s",  # start-up deadlines of runs are derived from this value
            "skip-nodes-with-local-storage": False,
            "skip-nodes-with-system-pods": False,
        },
        "nodeSelector": {POOL: SYSTEM_POOL},
        "resources": _resources("100m", "600Mi"),
        "securityContext": {**POD_SECURITY, "fsGroup": _NOBODY, "runAsGroup": _NOBODY, "runAsUser": _NOBODY},
        "containerSecurityContext": {**RESTRICTED, "runAsUser": _NOBODY, "readOnlyRootFilesystem": True},
    }


def _autoscaler_tags(context: Context) -> Mapping[str, str]:
    """Use the image tag for the cluster's minor version, because the chart's default lags behind."""
    return {_AUTOSCALER_IMAGE: release_of(context.target).autoscaler}


def _device_plugin(context: Context) -> Mapping[str, Given]:
    """Configure the NVIDIA device plugin, because the node image only has the driver."""
    return {
        **_on_every_gpu_node("nvcr.io/nvidia/k8s-device-plugin", context),
        "resources": _resources("20m", "128Mi"),
    }


def _dcgm_exporter(context: Context) -> Mapping[str, Given]:
    """Export each GPU's utilization, memory, temperature and errors, which the system's PodMonitor scrapes.

    The exporter needs 400 to 512 MiB, and briefly more on nodes with eight GPUs. daemons.json lists the sources.
    """
    return {
        **_on_every_gpu_node("nvcr.io/nvidia/k8s/dcgm-exporter", context),
        "serviceMonitor": {"enabled": False},
        "resources": _resources("50m", "512Mi", at_most="1Gi"),
    }


def _on_every_gpu_node(image: str, context: Context) -> Mapping[str, Given]:
    """Return values for a chart whose Pods run on every node with NVIDIA GPUs."""
    pools = pools_of(context.plan, context.placement)
    names = [name for name, pool in pools if pool.hardware.accelerator_resource == _NVIDIA]
    chosen: Given = {"key": POOL, "operator": "In", "values": names}
    terms: list[Given] = [{"matchExpressions": [chosen]}]
    pull = pull_secret_of_addons(context.target)
    return {
        "image": {"repository": mirrored(image, context.target)},
        **({"imagePullSecrets": [{"name": pull}]} if pull else {}),
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}},
        "tolerations": [{"key": key, "operator": "Exists", "effect": "NoSchedule"} for key in (POOL, _NVIDIA)],
    }


def _karpenter(context: Context) -> Mapping[str, Given]:
    """Configure Karpenter. Price look-ups are off if the network has no internet access to the pricing API."""
    pull = pull_secret_of_addons(context.target)
    return {
        **({"imagePullSecrets": [{"name": pull}]} if pull else {}),
        "serviceAccount": {"name": KARPENTER},
        "replicas": 2 if context.enterprise else 1,
        "nodeSelector": {"kubernetes.io/os": "linux", POOL: SYSTEM_POOL},
        "controller": {
            "image": {"repository": mirrored("public.ecr.aws/karpenter/controller", context.target)},
            "env": [{"name": "AWS_REGION", "value": context.target.region}],
            "resources": _resources("500m", "1Gi"),
        },
        "settings": {
            "clusterName": Ref("infrastructure", key="cluster_name"),
            "interruptionQueue": Ref("infrastructure", key="karpenter_queue"),
            "isolatedVPC": vpc_of(context.target).nat == "none",
        },
    }


def _reach_of_karpenter(context: Context) -> Iterable[Value]:
    """Allow egress to the pricing API only with internet access, because the API has no VPC endpoint here."""
    prices = () if vpc_of(context.target).nat == "none" else ("pricing",)
    return reach_services("ec2", "eks", "sqs", "ssm", *prices)(context)


def _secrets(context: Context) -> Mapping[str, Given]:
    """Set the ServiceAccount name that the IAM role is bound to."""
    return {"serviceAccount": {"name": "external-secrets"}}


def _resources(cpu: str, memory: str, at_most: str = "") -> dict[str, Given]:
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": at_most or memory}}


INSTALLS: Final[Mapping[str, AddOn]] = {
    AUTOSCALER: AddOn(values=_autoscaler, tags=_autoscaler_tags, egress=reach_services("autoscaling", "ec2", "eks")),
    DEVICE_PLUGIN: AddOn(values=_device_plugin, pod_security="privileged"),
    DCGM_EXPORTER: AddOn(values=_dcgm_exporter, pod_security="privileged"),
    KARPENTER: AddOn(values=_karpenter, after=node_class, egress=_reach_of_karpenter),
    "external-secrets": AddOn(values=_secrets, egress=reach_services("secretsmanager")),
    ENVOY: ENVOY_GATEWAY,
}
