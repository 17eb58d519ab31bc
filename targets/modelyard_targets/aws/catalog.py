"""How AWS implements each kind of resource."""

from __future__ import annotations

from typing import Final

from modelyard.plan import Kind
from modelyard.target import Catalog, Component

CATALOG: Final[Catalog] = {
    Kind.CLUSTER: Component(
        "EKS in a new or adopted private network, with its own KMS key and add-ons at pinned versions; or an adopted"
        " cluster; nothing if the target runs no workloads"
    ),
    Kind.SYSTEM_POOL: Component("an on-demand managed node group for Ray heads, launchers, the registry and add-ons"),
    Kind.NODE_POOL: Component(
        "managed node groups, one for each machine alternative, or a Karpenter NodePool if the class is `elastic`"
    ),
    Kind.NAMESPACE: Component("Namespace with restricted Pod security, LimitRange, default-deny NetworkPolicy"),
    Kind.OBJECT_STORE: Component(
        "an S3 bucket with its own key, versioned, TLS only and never public; or an adopted one", apart=True
    ),
    Kind.DATABASE: Component(
        "RDS for PostgreSQL, private and encrypted, or an adopted PostgreSQL", addons=("external-secrets",)
    ),
    Kind.REGISTRY: Component("MLflow behind a login, on RDS and S3, or an adopted registry"),
    Kind.SECRET: Component(
        "an ExternalSecret (AWS Secrets Manager or another store), or an existing Secret",
        addons=("external-secrets",),
    ),
    Kind.IDENTITY: Component(
        "ServiceAccount and, if a workload uses data in a bucket, an IAM role through EKS Pod Identity"
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
