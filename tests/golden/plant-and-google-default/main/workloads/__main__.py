"""Written by modelyard 0.1.0; change the spec, not this file."""

from modelyard_stacks import kubernetes
from modelyard_stacks.infrastructure import Infrastructure

infrastructure = Infrastructure("welds-main-infrastructure")
cluster = kubernetes.Cluster("main", kubeconfig=infrastructure["kubeconfig"])
storage_class = kubernetes.Object(
    "balanced",
    cluster=cluster,
    document={
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "balanced", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": "pd.csi.storage.gke.io",
        "parameters": {"type": "pd-balanced", "disk-encryption-kms-key": infrastructure["key_id"]},
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowVolumeExpansion": True,
    },
)

external_secrets_namespace = kubernetes.Namespace("external-secrets", cluster=cluster)
kuberay_namespace = kubernetes.Namespace("kuberay-system", cluster=cluster)
addons_network = kubernetes.Manifests(
    "addons",
    cluster=cluster,
    files=["addons.yaml"],
    depends_on=[external_secrets_namespace, kuberay_namespace],
)

external_secrets = kubernetes.Chart(
    "external-secrets",
    cluster=cluster,
    repository="https://charts.external-secrets.io",
    version="2.9.0",
    namespace="external-secrets",
    values={
        "global": {"repository": "ghcr.io/external-secrets/external-secrets"},
        "installCRDs": True,
        "replicaCount": 1,
        "leaderElect": False,
        "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "128Mi"}},
        "webhook": {
            "replicaCount": 1,
            "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "128Mi"}},
        },
        "certController": {"resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "128Mi"}}},
        "serviceAccount": {"name": "external-secrets-welds-main"},
    },
    depends_on=[addons_network],
)
secret_store = kubernetes.Object(
    "secrets-manager",
    cluster=cluster,
    document={
        "apiVersion": "external-secrets.io/v1",
        "kind": "ClusterSecretStore",
        "metadata": {
            "name": "secrets-manager",
            "labels": {
                "app.kubernetes.io/name": "secrets-manager",
                "app.kubernetes.io/part-of": "welds",
                "app.kubernetes.io/managed-by": "pulumi",
                "modelyard.dev/system": "welds",
                "modelyard.dev/component": "secret",
            },
        },
        "spec": {
            "conditions": [{"namespaces": ["welds", "monitoring"]}],
            "provider": {"gcpsm": {"projectID": infrastructure["project"]}},
        },
    },
    depends_on=[external_secrets],
)

kuberay = kubernetes.Chart(
    "kuberay-operator",
    cluster=cluster,
    repository="https://ray-project.github.io/kuberay-helm/",
    version="1.7.0",
    namespace="kuberay-system",
    values={
        "image": {"repository": "quay.io/kuberay/operator"},
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
    },
    depends_on=[addons_network],
)

foundation = kubernetes.Manifests(
    "foundation",
    cluster=cluster,
    files=["namespace.yaml"],
    in_order=True,
    images={"registry.invalid": infrastructure["image_registry"]},
    depends_on=[external_secrets, secret_store, kuberay],
)

object_storage = kubernetes.EgressPolicy(
    "allow-object-storage",
    cluster=cluster,
    namespace="welds",
    pods=["mlflow", "retrain", "promoter", "starter"],
    ranges=infrastructure["google_ranges"],
    depends_on=[foundation],
)

registry_admin = kubernetes.GeneratedSecret(
    "mlflow-admin",
    cluster=cluster,
    namespace="welds",
    generated=["password", "session-key"],
    fixed={"username": "admin"},
    depends_on=[foundation],
)
registry_logins = kubernetes.Logins(
    "mlflow-logins",
    cluster=cluster,
    namespace="welds",
    users={"mlflow-login.retrain": "workload.retrain", "mlflow-login.promoter": "workload.promoter"},
    depends_on=[foundation],
)
runs_login = kubernetes.Object(
    "welds/runs-login",
    cluster=cluster,
    document={
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {
            "name": "runs-login",
            "namespace": "welds",
            "labels": {
                "app.kubernetes.io/name": "runs-login",
                "app.kubernetes.io/part-of": "welds",
                "app.kubernetes.io/managed-by": "pulumi",
                "modelyard.dev/system": "welds",
                "modelyard.dev/workload": "stores.runs",
                "modelyard.dev/component": "database",
            },
        },
        "spec": {
            "refreshInterval": "5m",
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": "secrets-manager"},
            "target": {
                "name": "runs-login",
                "creationPolicy": "Owner",
                "deletionPolicy": "Retain",
                "template": {
                    "mergePolicy": "Merge",
                    "data": {
                        "services": "[database]\nuser={{ .username }}\npassword={{ .password }}\nsslmode=verify-ca\nsslrootcert=/etc/postgresql-services/authority.pem\n",
                        "authority.pem": infrastructure["runs_authority"],
                        "host": infrastructure["runs_host"],
                    },
                },
            },
            "data": [
                {"secretKey": "username", "remoteRef": {"key": infrastructure["runs_secret"], "property": "username"}},
                {"secretKey": "password", "remoteRef": {"key": infrastructure["runs_secret"], "property": "password"}},
            ],
        },
    },
    depends_on=[foundation],
)
registry = kubernetes.Manifests(
    "registry",
    cluster=cluster,
    files=["registry.yaml"],
    in_order=True,
    images={"registry.invalid": infrastructure["image_registry"]},
    depends_on=[foundation, object_storage, registry_admin, registry_logins, runs_login],
)

kubernetes.Manifests(
    "workloads",
    cluster=cluster,
    files=["pipeline-retrain.yaml", "promoter.yaml", "starter.yaml"],
    images={"registry.invalid": infrastructure["image_registry"]},
    depends_on=[foundation, registry, object_storage],
)
