"""How an existing Kubernetes cluster implements each kind of resource."""

from __future__ import annotations

from typing import Final

from modelyard.plan import Kind
from modelyard.target import Catalog, Component, Impossible

CATALOG: Final[Catalog] = {
    Kind.CLUSTER: Component(
        "an existing cluster, selected by its kubeconfig context; add-ons from Helm charts, unless `present` lists them"
    ),
    Kind.SYSTEM_POOL: Component("the declared machine on which Ray heads, launchers and the registry run"),
    Kind.NODE_POOL: Impossible("the cluster's machines already exist; declare them under `capacity`"),
    Kind.NAMESPACE: Component(
        "Namespace with restricted Pod security, ResourceQuota, LimitRange, default-deny NetworkPolicy"
    ),
    Kind.OBJECT_STORE: Component("a bucket at an S3-compatible endpoint, adopted or created by a Job"),
    Kind.DATABASE: Component("a CloudNativePG Cluster, or an adopted PostgreSQL", addons=("cloudnative-pg",)),
    Kind.REGISTRY: Component("MLflow behind a login, on PostgreSQL and S3, or an adopted registry"),
    Kind.SECRET: Component("an ExternalSecret, or an existing Secret", addons=("external-secrets",)),
    Kind.IDENTITY: Component("ServiceAccount, with a Role and RoleBinding if the workload calls the Kubernetes API"),
    Kind.MODEL_SERVER: Component("RayService, PodDisruptionBudget, NetworkPolicy, PodMonitors", addons=("kuberay",)),
    Kind.ENDPOINT: Component("HTTPRoute with weights and RequestMirror, or only the Service of the servers"),
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
