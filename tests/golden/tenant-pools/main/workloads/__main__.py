"""Written by modelyard 0.1.0; change the spec, not this file."""

from modelyard_stacks import kubernetes
from modelyard_stacks.infrastructure import Infrastructure

infrastructure = Infrastructure("tenant-main-infrastructure")
cluster = kubernetes.Cluster("main", kubeconfig=infrastructure["kubeconfig"])

external_secrets_namespace = kubernetes.Namespace("external-secrets", cluster=cluster)
addons_network = kubernetes.Manifests(
    "addons",
    cluster=cluster,
    files=["addons.yaml"],
    depends_on=[external_secrets_namespace],
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
    },
    depends_on=[addons_network],
)

foundation = kubernetes.Manifests(
    "foundation",
    cluster=cluster,
    files=["namespace.yaml", "nodes.yaml", "secrets.yaml", "channels.yaml"],
    in_order=True,
    depends_on=[external_secrets],
)

object_storage = kubernetes.EgressPolicy(
    "allow-object-storage",
    cluster=cluster,
    namespace="tenant-pools",
    pods=["mlflow", "fit", "scoring", "score", "promoter"],
    ranges=infrastructure["google_ranges"],
    depends_on=[foundation],
)
secrets_account = kubernetes.Object(
    "tenant-pools/secrets-reader",
    cluster=cluster,
    document={
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {
            "name": "secrets-reader",
            "namespace": "tenant-pools",
            "labels": {
                "app.kubernetes.io/name": "secrets-reader",
                "app.kubernetes.io/part-of": "tenant",
                "app.kubernetes.io/managed-by": "pulumi",
                "modelyard.dev/system": "tenant",
                "modelyard.dev/component": "secret",
            },
        },
        "automountServiceAccountToken": False,
    },
    depends_on=[foundation],
)

secret_store = kubernetes.Object(
    "secrets-manager.tenant-pools",
    cluster=cluster,
    document={
        "apiVersion": "external-secrets.io/v1",
        "kind": "ClusterSecretStore",
        "metadata": {
            "name": "secrets-manager.tenant-pools",
            "labels": {
                "app.kubernetes.io/name": "secrets-manager",
                "app.kubernetes.io/part-of": "tenant",
                "app.kubernetes.io/managed-by": "pulumi",
                "modelyard.dev/system": "tenant",
                "modelyard.dev/component": "secret",
            },
        },
        "spec": {
            "conditions": [{"namespaces": ["tenant-pools"]}],
            "provider": {
                "gcpsm": {
                    "projectID": infrastructure["project"],
                    "auth": {
                        "workloadIdentity": {
                            "clusterLocation": "europe-west3",
                            "clusterName": "platform",
                            "clusterProjectID": infrastructure["project"],
                            "serviceAccountRef": {"name": "secrets-reader", "namespace": "tenant-pools"},
                        },
                    },
                },
            },
        },
    },
    depends_on=[foundation],
)

registry_admin = kubernetes.GeneratedSecret(
    "mlflow-admin",
    cluster=cluster,
    namespace="tenant-pools",
    generated=["password", "session-key"],
    fixed={"username": "admin"},
    depends_on=[foundation],
)
registry_logins = kubernetes.Logins(
    "mlflow-logins",
    cluster=cluster,
    namespace="tenant-pools",
    users={
        "mlflow-login.fit": "workload.fit",
        "mlflow-login.scoring": "workload.scoring",
        "mlflow-login.score": "workload.score",
        "mlflow-login.promoter": "workload.promoter",
    },
    depends_on=[foundation],
)
runs_login = kubernetes.Object(
    "tenant-pools/runs-login",
    cluster=cluster,
    document={
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {
            "name": "runs-login",
            "namespace": "tenant-pools",
            "labels": {
                "app.kubernetes.io/name": "runs-login",
                "app.kubernetes.io/part-of": "tenant",
                "app.kubernetes.io/managed-by": "pulumi",
                "modelyard.dev/system": "tenant",
                "modelyard.dev/workload": "stores.runs",
                "modelyard.dev/component": "database",
            },
        },
        "spec": {
            "refreshInterval": "5m",
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": "secrets-manager.tenant-pools"},
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
    depends_on=[foundation, object_storage, secrets_account, secret_store, registry_admin, registry_logins, runs_login],
)

kubernetes.Manifests(
    "workloads",
    cluster=cluster,
    files=["pipeline-fit.yaml", "pipeline-scoring.yaml", "model-score.yaml", "promoter.yaml"],
    depends_on=[foundation, registry, object_storage, secrets_account, secret_store],
)
