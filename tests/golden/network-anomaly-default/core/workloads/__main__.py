"""Written by modelyard 0.1.0; change the spec, not this file."""

from modelyard_stacks import kubernetes

cluster = kubernetes.Cluster("core")

cloudnative_pg_namespace = kubernetes.Namespace("cnpg-system", cluster=cluster)
kuberay_namespace = kubernetes.Namespace("kuberay-system", cluster=cluster)
addons_network = kubernetes.Manifests(
    "addons",
    cluster=cluster,
    files=["addons.yaml"],
    depends_on=[cloudnative_pg_namespace, kuberay_namespace],
)

cloudnative_pg = kubernetes.Chart(
    "cloudnative-pg",
    cluster=cluster,
    repository="https://cloudnative-pg.github.io/charts",
    version="0.29.0",
    namespace="cnpg-system",
    values={
        "image": {"repository": "ghcr.io/cloudnative-pg/cloudnative-pg"},
        "replicaCount": 2,
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "256Mi"}},
    },
    depends_on=[addons_network],
)

kuberay = kubernetes.Chart(
    "kuberay-operator",
    cluster=cluster,
    repository="https://ray-project.github.io/kuberay-helm/",
    version="1.7.0",
    namespace="kuberay-system",
    values={
        "image": {"repository": "quay.io/kuberay/operator"},
        "replicas": 2,
        "leaderElectionEnabled": True,
        "resources": {"requests": {"cpu": "200m", "memory": "512Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    },
    depends_on=[addons_network],
)

foundation = kubernetes.Manifests(
    "foundation",
    cluster=cluster,
    files=["namespace.yaml", "stores.yaml", "channels.yaml", "gateway.yaml"],
    in_order=True,
    depends_on=[cloudnative_pg, kuberay],
)

registry_admin = kubernetes.GeneratedSecret(
    "mlflow-admin",
    cluster=cluster,
    namespace="network-anomaly",
    generated=["password", "session-key"],
    fixed={"username": "admin"},
    depends_on=[foundation],
)
registry_logins = kubernetes.Logins(
    "mlflow-logins",
    cluster=cluster,
    namespace="network-anomaly",
    users={
        "mlflow-login.train-lte-rural": "workload.train-lte-rural",
        "mlflow-login.train-lte-urban": "workload.train-lte-urban",
        "mlflow-login.train-nr-rural": "workload.train-nr-rural",
        "mlflow-login.train-nr-urban": "workload.train-nr-urban",
        "mlflow-login.train-sequence": "workload.train-sequence",
        "mlflow-login.pool-cells": "workload.pool-cells",
        "mlflow-login.nr-rural": "workload.nr-rural",
        "mlflow-login.outlook": "workload.outlook",
        "mlflow-login.monitor-lte-urban-drift": "workload.monitor-lte-urban-drift",
        "mlflow-login.monitor-nr-urban-concept": "workload.monitor-nr-urban-concept",
        "mlflow-login.promoter": "workload.promoter",
    },
    depends_on=[foundation],
)
registry = kubernetes.Manifests(
    "registry",
    cluster=cluster,
    files=["registry.yaml"],
    in_order=True,
    depends_on=[foundation, registry_admin, registry_logins],
)

kubernetes.Manifests(
    "workloads",
    cluster=cluster,
    files=[
        "pipeline-cell-features.yaml",
        "pipeline-train-lte-rural.yaml",
        "pipeline-train-lte-urban.yaml",
        "pipeline-train-nr-rural.yaml",
        "pipeline-train-nr-urban.yaml",
        "pipeline-train-sequence.yaml",
        "pool-cells.yaml",
        "model-lte-rural.yaml",
        "model-lte-urban.yaml",
        "model-nr-rural.yaml",
        "model-nr-urban.yaml",
        "model-outlook.yaml",
        "monitor-counters-arrive.yaml",
        "monitor-lte-urban-drift.yaml",
        "monitor-nr-urban-concept.yaml",
        "monitor-outlook-speed.yaml",
        "promoter.yaml",
    ],
    depends_on=[foundation, registry],
)
