"""Add-ons for GPU nodes whose image contains only the driver: NVIDIA's device plugin and metrics exporter.

Keys come from each chart's values.yaml at the version in charts.json, read 2026-11-24.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from modelyard.plan import NodePool, Plan
from modelyard_targets.cloud.choose import POOL
from modelyard_targets.kube.placement.context import Context, mirrored, pull_secret_of_addons
from modelyard_targets.kube.placement.placed import addons_needed
from modelyard_targets.kube.placement.platform import AddOn, Argument

_DEVICE_PLUGIN: Final = "nvidia-device-plugin"
_DCGM_EXPORTER: Final = "dcgm-exporter"
_NVIDIA: Final = "nvidia.com/gpu"


def gpu_addons(plan: Plan, placement: str) -> Iterator[str]:
    """Yield the add-ons that a placement's GPU nodes need."""
    if any(pool.value.hardware.accelerator_resource == _NVIDIA for pool in plan.of(NodePool, placement)):
        yield _DEVICE_PLUGIN
        if "prometheus" in addons_needed(plan, placement):
            yield _DCGM_EXPORTER


def _device_plugin(context: Context) -> Mapping[str, Argument]:
    """Configure the NVIDIA device plugin, because the node image contains only the driver."""
    return {
        **_on_every_gpu_node("nvcr.io/nvidia/k8s-device-plugin", context),
        "resources": resources("20m", "128Mi"),
    }


def _dcgm_exporter(context: Context) -> Mapping[str, Argument]:
    """Export each GPU's utilization, memory, temperature and errors, which the system's PodMonitor scrapes.

    The exporter needs 400 to 512 MiB, and briefly more on nodes with eight GPUs. daemons.json lists the sources.
    """
    return {
        **_on_every_gpu_node("nvcr.io/nvidia/k8s/dcgm-exporter", context),
        "serviceMonitor": {"enabled": False},
        "resources": resources("50m", "512Mi", at_most="1Gi"),
    }


def _on_every_gpu_node(image: str, context: Context) -> Mapping[str, Argument]:
    """Return values for a chart with Pods that run on every node with NVIDIA GPUs."""
    pools = [
        pool
        for pool in context.plan.of(NodePool, context.placement)
        if pool.value.hardware.accelerator_resource == _NVIDIA
    ]
    names = [pool.name for pool in pools]
    keys = dict.fromkeys(taint.key for pool in pools for taint in pool.value.hardware.tolerations)
    chosen: Argument = {"key": POOL, "operator": "In", "values": names}
    terms: list[Argument] = [{"matchExpressions": [chosen]}]
    pull = pull_secret_of_addons(context.target)
    return {
        "image": {"repository": mirrored(image, context.target)},
        **({"imagePullSecrets": [{"name": pull}]} if pull else {}),
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}},
        "tolerations": [{"key": key, "operator": "Exists", "effect": "NoSchedule"} for key in keys],
    }


def resources(cpu: str, memory: str, at_most: str = "") -> dict[str, Argument]:
    """Return a container's requests and its memory limit, which equals the request unless `at_most` is larger."""
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": at_most or memory}}


GPU_ADDONS: Final[Mapping[str, AddOn]] = {
    _DEVICE_PLUGIN: AddOn(values=_device_plugin, pod_security="privileged"),
    _DCGM_EXPORTER: AddOn(values=_dcgm_exporter, pod_security="privileged"),
}
