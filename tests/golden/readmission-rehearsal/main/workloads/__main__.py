"""Written by modelyard 0.1.0; change the spec, not this file."""

from modelyard_stacks import kubernetes

cluster = kubernetes.Cluster("main")

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
        "image": {"repository": "registry.stmary.example:5000/ml/cloudnative-pg/cloudnative-pg"},
        "replicaCount": 1,
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "256Mi"}},
        "imagePullSecrets": [{"name": "registry"}],
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
        "image": {"repository": "registry.stmary.example:5000/ml/kuberay/operator"},
        "replicas": 1,
        "leaderElectionEnabled": True,
        "resources": {"requests": {"cpu": "200m", "memory": "512Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "imagePullSecrets": [{"name": "registry"}],
    },
    depends_on=[addons_network],
)

foundation = kubernetes.Manifests(
    "foundation",
    cluster=cluster,
    files=["namespace.yaml", "stores.yaml", "registry.yaml", "channels.yaml"],
    in_order=True,
    depends_on=[cloudnative_pg, kuberay],
)

registry_key = kubernetes.GeneratedSecret(
    "mlflow-flask-server-secret-key",
    cluster=cluster,
    namespace="readmission",
    generated=["MLFLOW_FLASK_SERVER_SECRET_KEY"],
    depends_on=[foundation],
)
registry = kubernetes.Chart(
    "mlflow",
    cluster=cluster,
    repository="https://community-charts.github.io/helm-charts",
    version="1.11.5",
    namespace="readmission",
    values={
        "fullnameOverride": "mlflow",
        "replicaCount": 1,
        "image": {"repository": "registry.stmary.example:5000/ml/burakince/mlflow"},
        "initImages": {"mlflowDbMigration": {"repository": "registry.stmary.example:5000/ml/burakince/mlflow"}},
        "serviceAccount": {"create": False, "name": "registry"},
        "podSecurityContext": {
            "fsGroup": 1001,
            "fsGroupChangePolicy": "OnRootMismatch",
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "extraPodLabels": {
            "app.kubernetes.io/part-of": "readmission",
            "app.kubernetes.io/managed-by": "pulumi",
            "modelyard.dev/system": "readmission",
            "modelyard.dev/workload": "registry",
            "modelyard.dev/component": "registry",
        },
        "service": {"port": 5000},
        "resources": {"requests": {"cpu": "500m", "memory": "2Gi"}, "limits": {"cpu": "500m", "memory": "2Gi"}},
        "serverAllowedHosts": [
            "mlflow:5000",
            "mlflow.readmission:5000",
            "mlflow.readmission.svc:5000",
            "mlflow.readmission.svc.cluster.local:5000",
            "localhost:*",
            "127.0.0.1:*",
        ],
        "backendStore": {
            "databaseMigration": True,
            "postgres": {
                "enabled": True,
                "host": "runs-rw.readmission.svc.cluster.local",
                "port": 5432,
                "database": "runs",
            },
            "existingDatabaseSecret": {"name": "runs-app", "usernameKey": "username", "passwordKey": "password"},
        },
        "artifactRoot": {
            "s3": {
                "enabled": True,
                "bucket": "readmission-rehearsal-models",
                "path": "mlflow",
                "existingSecret": {
                    "name": "model-bucket",
                    "keyOfAccessKeyId": "access-key-id",
                    "keyOfSecretAccessKey": "secret-access-key",
                },
            },
        },
        "extraEnvVars": {
            "MLFLOW_S3_ENDPOINT_URL": "https://objects.stmary.example:9021",
            "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
            "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
        },
        "imagePullSecrets": [{"name": "registry"}],
    },
    depends_on=[foundation, registry_key],
)

kubernetes.Manifests(
    "workloads",
    cluster=cluster,
    files=[
        "pipeline-quarterly.yaml",
        "model-discharge.yaml",
        "monitor-outcome-quality.yaml",
        "monitor-patients-drift.yaml",
    ],
    depends_on=[foundation, registry],
)
