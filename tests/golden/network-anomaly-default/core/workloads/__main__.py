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
    files=["namespace.yaml", "stores.yaml", "registry.yaml", "channels.yaml", "gateway.yaml"],
    in_order=True,
    depends_on=[cloudnative_pg, kuberay],
)

registry_key = kubernetes.GeneratedSecret(
    "mlflow-flask-server-secret-key",
    cluster=cluster,
    namespace="network-anomaly",
    generated=["MLFLOW_FLASK_SERVER_SECRET_KEY"],
    depends_on=[foundation],
)
registry = kubernetes.Chart(
    "mlflow",
    cluster=cluster,
    repository="https://community-charts.github.io/helm-charts",
    version="1.11.5",
    namespace="network-anomaly",
    values={
        "fullnameOverride": "mlflow",
        "replicaCount": 2,
        "image": {"repository": "docker.io/burakince/mlflow"},
        "initImages": {"mlflowDbMigration": {"repository": "docker.io/burakince/mlflow"}},
        "serviceAccount": {"create": False, "name": "registry"},
        "podSecurityContext": {
            "fsGroup": 1001,
            "fsGroupChangePolicy": "OnRootMismatch",
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "extraPodLabels": {
            "app.kubernetes.io/part-of": "network-anomaly",
            "app.kubernetes.io/managed-by": "pulumi",
            "modelyard.dev/system": "network-anomaly",
            "modelyard.dev/workload": "registry",
            "modelyard.dev/component": "registry",
        },
        "service": {"port": 5000},
        "resources": {"requests": {"cpu": "1", "memory": "4Gi"}, "limits": {"cpu": "1", "memory": "4Gi"}},
        "serverAllowedHosts": [
            "mlflow:5000",
            "mlflow.network-anomaly:5000",
            "mlflow.network-anomaly.svc:5000",
            "mlflow.network-anomaly.svc.cluster.local:5000",
            "localhost:*",
            "127.0.0.1:*",
        ],
        "backendStore": {
            "databaseMigration": True,
            "postgres": {
                "enabled": True,
                "host": "runs-rw.network-anomaly.svc.cluster.local",
                "port": 5432,
                "database": "runs",
            },
            "existingDatabaseSecret": {"name": "runs-app", "usernameKey": "username", "passwordKey": "password"},
        },
        "artifactRoot": {
            "s3": {
                "enabled": True,
                "bucket": "pm-counters",
                "path": "mlflow/ran",
                "existingSecret": {
                    "name": "counters",
                    "keyOfAccessKeyId": "access-key-id",
                    "keyOfSecretAccessKey": "secret-access-key",
                },
            },
        },
        "extraEnvVars": {
            "MLFLOW_S3_ENDPOINT_URL": "http://ceph-rgw.storage.svc:8080",
            "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
            "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
        },
        "imagePullSecrets": [{"name": "registry-login"}],
    },
    depends_on=[foundation, registry_key],
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
    ],
    depends_on=[foundation, registry],
)
