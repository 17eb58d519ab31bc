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
    files=["namespace.yaml", "stores.yaml", "channels.yaml"],
    in_order=True,
    depends_on=[cloudnative_pg, kuberay],
)

registry_admin = kubernetes.GeneratedSecret(
    "mlflow-admin",
    cluster=cluster,
    namespace="readmission",
    generated=["password", "session-key"],
    fixed={"username": "admin"},
    depends_on=[foundation],
)
registry_logins = kubernetes.Logins(
    "mlflow-logins",
    cluster=cluster,
    namespace="readmission",
    users={
        "mlflow-login.quarterly": "workload.quarterly",
        "mlflow-login.discharge": "workload.discharge",
        "mlflow-login.monitor-outcome-quality": "workload.monitor-outcome-quality",
        "mlflow-login.monitor-patients-drift": "workload.monitor-patients-drift",
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
        "pipeline-quarterly.yaml",
        "model-discharge.yaml",
        "monitor-outcome-quality.yaml",
        "monitor-patients-drift.yaml",
        "promoter.yaml",
    ],
    depends_on=[foundation, registry],
)
