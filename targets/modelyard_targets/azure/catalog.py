"""How Azure implements each kind of resource."""

from __future__ import annotations

from typing import Final

from modelyard.plan import Kind
from modelyard.target import Catalog, Component

CATALOG: Final[Catalog] = {
    Kind.CLUSTER: Component(
        "AKS with Cilium in its own private network or an adopted one, with Entra ID and a key of its own in Key Vault;"
        " add-ons at pinned versions; an adopted cluster instead; none where nothing runs"
    ),
    Kind.SYSTEM_POOL: Component("a node pool on demand, for heads, what starts runs, the registry and add-ons"),
    Kind.NODE_POOL: Component("node pools, one for each alternative of machines, which the autoscaler tries in order"),
    Kind.NAMESPACE: Component("Namespace with restricted Pod security, LimitRange, default-deny NetworkPolicy"),
    Kind.OBJECT_STORE: Component(
        "a container in a storage account of its own: own key, no shared keys, versioned, private; or an adopted one",
        apart=True,
    ),
    Kind.DATABASE: Component(
        "Database for PostgreSQL flexible server, private and encrypted, or an adopted PostgreSQL",
        addons=("external-secrets",),
    ),
    Kind.REGISTRY: Component("MLflow behind a login, on PostgreSQL and Blob Storage, or an adopted registry"),
    Kind.SECRET: Component(
        "an ExternalSecret (Key Vault or another store), or an existing Secret", addons=("external-secrets",)
    ),
    Kind.IDENTITY: Component(
        "ServiceAccount and, where a workload names data in a store, a managed identity with roles on its folders"
    ),
    Kind.MODEL_SERVER: Component("RayService, PodDisruptionBudget, NetworkPolicy, PodMonitors", addons=("kuberay",)),
    Kind.ROUTE: Component("HTTPRoute with weights and RequestMirror", addons=("envoy-gateway",)),
    Kind.TRAINING_JOB: Component("CronJob that creates RayJobs, or one RayJob", addons=("kuberay",)),
    Kind.BATCH_JOB: Component("CronJob that creates RayJobs, or one RayJob", addons=("kuberay",)),
    Kind.CUSTOM_JOB: Component("CronJob that creates RayJobs, or one RayJob", addons=("kuberay",)),
    Kind.MONITOR: Component("CronJob", addons=("prometheus",)),
    Kind.PROMOTER: Component("CronJob that moves aliases, every three minutes"),
    Kind.STARTER: Component("CronJob that starts runs requested by other targets, every three minutes"),
    Kind.ALERT_RULES: Component("PrometheusRule", addons=("prometheus",)),
    Kind.DASHBOARD: Component("ConfigMap for Grafana"),
    Kind.CHANNEL: Component("AlertmanagerConfig"),
}
