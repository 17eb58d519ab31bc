"""EKS-specific add-ons (Cluster Autoscaler and Karpenter), in addition to the add-ons for GPU nodes.

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
from modelyard_targets.aws.foundation import release_of
from modelyard_targets.aws.names import AUTOSCALER, KARPENTER, group_name
from modelyard_targets.aws.network_policies import reach_services
from modelyard_targets.aws.options import vpc_of
from modelyard_targets.cloud.choose import POOL
from modelyard_targets.cloud.gpu_addons import GPU_ADDONS, gpu_addons, resources
from modelyard_targets.kube.network.envoy import ENVOY, ENVOY_GATEWAY
from modelyard_targets.kube.pipelines.machines import GROUP_WAIT_S
from modelyard_targets.kube.placement.context import Context, mirrored, pull_secret_of_addons
from modelyard_targets.kube.placement.platform import AddOn, Argument

_AUTOSCALER_IMAGE: Final = "registry.k8s.io/autoscaling/cluster-autoscaler"
_HIGHEST: Final = 100
_NOBODY: Final = 65534


def addons_of_nodes(plan: Plan, placement: str) -> tuple[str, ...]:
    """Return the add-ons that the placement's nodes need before any workload can run."""
    if not plan.has_cluster(placement):
        return ()
    pools = pools_of(plan, placement)
    addons = [AUTOSCALER]
    addons += gpu_addons(plan, placement)
    if any(pool.elastic for _, pool in pools):
        addons.append(KARPENTER)
    return tuple(addons)


def priorities(context: Context) -> Mapping[str, Argument]:
    """Rank node groups by autoscaling group name. The first group of each pool ranks highest.

    EKS names an autoscaling group `eks-<node group>-<uuid>`, and Pulumi appends seven characters to the node group.
    """
    ranked: dict[str, list[str]] = {}
    for name, pool in pools_of(context.plan, context.placement):
        for at, group in enumerate(pool.groups):
            ranked.setdefault(str(_HIGHEST - at), []).append(f"^eks-{group_name(name, group)}-[0-9a-f]{{7}}-")
    return {**ranked, "1": [".*"]}


def _autoscaler(context: Context) -> Mapping[str, Argument]:
    """Make the autoscaler try a pool's groups in order, and remove a node once its Pods fit on other nodes.

    An annotation protects Pods that must not be moved. Local storage alone doesn't protect a node.
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
        "resources": resources("100m", "600Mi"),
        "securityContext": {**POD_SECURITY, "fsGroup": _NOBODY, "runAsGroup": _NOBODY, "runAsUser": _NOBODY},
        "containerSecurityContext": {**RESTRICTED, "runAsUser": _NOBODY, "readOnlyRootFilesystem": True},
    }


def _autoscaler_tags(context: Context) -> Mapping[str, str]:
    """Return the autoscaler image tag for the cluster's Kubernetes minor version. The chart's default lags behind."""
    return {_AUTOSCALER_IMAGE: release_of(context.target).autoscaler}


def _karpenter(context: Context) -> Mapping[str, Argument]:
    """Configure Karpenter. Price lookups are off without internet access, as the pricing API can't be reached."""
    pull = pull_secret_of_addons(context.target)
    return {
        **({"imagePullSecrets": [{"name": pull}]} if pull else {}),
        "serviceAccount": {"name": KARPENTER},
        "replicas": 2 if context.enterprise else 1,
        "nodeSelector": {"kubernetes.io/os": "linux", POOL: SYSTEM_POOL},
        "controller": {
            "image": {"repository": mirrored("public.ecr.aws/karpenter/controller", context.target)},
            "env": [{"name": "AWS_REGION", "value": context.target.region}],
            "resources": resources("500m", "1Gi"),
        },
        "settings": {
            "clusterName": Ref("infrastructure", key="cluster_name"),
            "interruptionQueue": Ref("infrastructure", key="karpenter_queue"),
            "isolatedVPC": vpc_of(context.target).nat == "none",
        },
    }


def _reach_of_karpenter(context: Context) -> Iterable[Value]:
    """Allow egress to the pricing API only if there is internet access, because this API has no VPC endpoint."""
    prices = () if vpc_of(context.target).nat == "none" else ("pricing",)
    return reach_services("ec2", "eks", "sqs", "ssm", *prices)(context)


def _secrets(context: Context) -> Mapping[str, Argument]:
    """Set the ServiceAccount name of External Secrets, which the infrastructure project binds an IAM role to."""
    return {"serviceAccount": {"name": "external-secrets"}}


INSTALLS: Final[Mapping[str, AddOn]] = {
    AUTOSCALER: AddOn(values=_autoscaler, tags=_autoscaler_tags, egress=reach_services("autoscaling", "ec2", "eks")),
    **GPU_ADDONS,
    KARPENTER: AddOn(values=_karpenter, after=node_class, egress=_reach_of_karpenter),
    "external-secrets": AddOn(values=_secrets, egress=reach_services("secretsmanager")),
    ENVOY: ENVOY_GATEWAY,
}
