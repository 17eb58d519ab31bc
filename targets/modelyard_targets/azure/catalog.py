"""How Azure implements each kind of resource."""

from __future__ import annotations

from typing import Final

from modelyard.plan import Kind
from modelyard.target import Catalog, Component

CATALOG: Final[Catalog] = {
    Kind.CLUSTER: Component(
        "AKS with Cilium in a new or adopted private network, with Entra ID, its own key in Key Vault and add-ons"
        " at pinned versions; or an adopted cluster; nothing if the target runs no workloads"
    ),
    Kind.SYSTEM_POOL: Component("an on-demand node pool for Ray heads, launchers, the registry and add-ons"),
    Kind.NODE_POOL: Component("node pools, one for each machine alternative, which the autoscaler tries in order"),
    Kind.NAMESPACE: Component("Namespace with restricted Pod security, LimitRange, default-deny NetworkPolicy"),
    Kind.OBJECT_STORE: Component(
        "a container in a separate storage account with its own key and no shared keys, versioned and private; or an"
        " adopted one",
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
        "ServiceAccount and, if a workload uses data in a store, a managed identity with roles on its folders"
    ),
    Kind.MODEL_SERVER: Component("RayService, PodDisruptionBudget, NetworkPolicy, PodMonitors", addons=("kuberay",)),
    Kind.ENDPOINT: Component(
        "HTTPRoute with weights and RequestMirror, or only the Service of the servers", addons=("envoy-gateway",)
    ),
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
