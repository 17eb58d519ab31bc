"""PodMonitors that let Prometheus scrape a namespace's Ray Pods, Gateway proxies, and exporters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from modelyard.manifest import PART_OF, WORKLOAD, labels, metadata, object_of
from modelyard.plan import Kind, Resource
from modelyard.stack import Manifest, Value
from modelyard_targets.kube.metrics.gateway_series import OWNER, OWNER_NAMESPACE, REQUESTS, TIMED_OUT, fronts
from modelyard_targets.kube.metrics.run_series import RAY_JOB_STATUS
from modelyard_targets.kube.placement.charts import charts
from modelyard_targets.kube.placement.context import Context, KubeObject
from modelyard_targets.kube.placement.placed import installed_addons, watched_pipelines

_PORTS: Final[Mapping[str, Sequence[str]]] = {
    "head": ("metrics", "as-metrics", "dash-metrics"),
    "worker": ("metrics",),
}
_RAY: Final = frozenset({Kind.MODEL_SERVER, Kind.TRAINING_JOB, Kind.BATCH_JOB, Kind.CUSTOM_JOB})

EXPORTER: Final = "dcgm-exporter"
"""The add-on that exports GPU metrics."""

_CLUSTER: Final[Value] = {
    "sourceLabels": ["__meta_kubernetes_pod_label_ray_io_cluster"],
    "targetLabel": "ray_io_cluster",
}
"""The label that Ray's own dashboards filter on (KubeRay v1.7.0, read 2026-11-24)."""


_OWN_NAMES: Final[Value] = {
    "sourceLabels": ["__name__"],
    "regex": "ray_(modelyard_.+)",
    "targetLabel": "__name__",
}
"""A relabeling rule that removes Ray's prefix, which gives our metrics the same name from every source."""


def lower_scraping(resource: Resource, context: Context) -> Iterator[KubeObject]:
    """Yield a namespace's PodMonitors if Ray runs there and the placement has a Prometheus.

    Heads have three metrics ports, workers just one. Our Gateways' proxies run in the controller's namespace.
    """
    ray = any(placed.kind in _RAY for placed in context.plan.on(context.placement))
    if not (context.monitored and ray):
        return
    system = context.system.metadata.name
    for node, ports in _PORTS.items():
        spec: dict[str, Value] = {
            "selector": {"matchLabels": {PART_OF: system, "ray.io/node-type": node}},
            "podTargetLabels": [WORKLOAD],
            "podMetricsEndpoints": [
                {"port": port, "relabelings": [_CLUSTER], **_own_names(node, context)} for port in ports
            ],
        }
        yield KubeObject(resource.origin, _pod_monitor(f"ray-{node}s", spec, context))
    if fronts(context):
        yield KubeObject(resource.origin, _pod_monitor("gateways", _proxies(context), context))
    if reads_operator(context):
        yield KubeObject(resource.origin, _pod_monitor("kuberay-operator", _operator(context), context))
    if EXPORTER in installed_addons(context):
        yield KubeObject(resource.origin, _pod_monitor("accelerators", _accelerators(), context))


def _pod_monitor(name: str, spec: Manifest, context: Context) -> Manifest:
    system = context.system.metadata.name
    labelled = {**labels(system, name, "", "metrics"), **dict(context.target.telemetry.prometheus_labels)}
    described = metadata(name, context.namespace, labelled)
    return object_of("monitoring.coreos.com/v1", "PodMonitor", described, spec=spec)


def _proxies(context: Context) -> Manifest:
    """Select the proxies of this namespace's Gateways, keeping only the Envoy series used by rules."""
    keep_rule: Value = {"sourceLabels": ["__name__"], "regex": f"{REQUESTS}|{TIMED_OUT}", "action": "keep"}
    endpoint: Value = {"port": "metrics", "path": "/stats/prometheus", "metricRelabelings": [keep_rule]}
    return {
        "namespaceSelector": {"matchNames": [context.platform.gateway_namespace]},
        "selector": {"matchLabels": {OWNER_NAMESPACE: context.namespace}},
        "podTargetLabels": [OWNER, OWNER_NAMESPACE],
        "podMetricsEndpoints": [endpoint],
    }


def _accelerators() -> Manifest:
    """Select NVIDIA's DCGM exporter. Labels `exported_pod` and `exported_namespace` identify the Pods with a GPU."""
    return {
        "namespaceSelector": {"matchNames": [charts()[EXPORTER].namespace]},
        "selector": {"matchLabels": {"app.kubernetes.io/name": EXPORTER}},
        "podMetricsEndpoints": [{"port": "metrics"}],
    }


def reads_operator(context: Context) -> bool:
    """Return whether any run with alerts has no Job, in which case only KubeRay's operator reports its state."""
    return any(not context.launched(pipeline) for pipeline in watched_pipelines(context))


def _operator(context: Context) -> Manifest:
    """Select the KubeRay operator's Pods, in any namespace if the cluster already has an operator."""
    anywhere = "kuberay" in context.target.present
    keep_rule: Value = {"sourceLabels": ["__name__"], "regex": RAY_JOB_STATUS, "action": "keep"}
    return {
        "namespaceSelector": {"any": True} if anywhere else {"matchNames": [context.operator_namespace]},
        "selector": {"matchLabels": {"app.kubernetes.io/name": "kuberay-operator"}},
        "podMetricsEndpoints": [{"port": "http", "honorLabels": True, "metricRelabelings": [keep_rule]}],
    }


def _own_names(node: str, context: Context) -> dict[str, Value]:
    """Return the relabeling of our own metrics for workers that may report bundles or pending captures."""
    tells = context.target.edge or context.plan.bundled(context.placement)
    return {"metricRelabelings": [_OWN_NAMES]} if tells and node == "worker" else {}
