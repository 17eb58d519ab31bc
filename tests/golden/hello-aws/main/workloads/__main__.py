"""Written by modelyard 0.1.0; change the spec, not this file."""

from modelyard_stacks import kubernetes
from modelyard_stacks.infrastructure import Infrastructure

infrastructure = Infrastructure("hello-main-infrastructure")
cluster = kubernetes.Cluster("main", kubeconfig=infrastructure["kubeconfig"])
storage_class = kubernetes.Object(
    "gp3",
    cluster=cluster,
    document={
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "gp3", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": "ebs.csi.aws.com",
        "parameters": {"type": "gp3", "encrypted": "true", "kmsKeyId": infrastructure["key_arn"]},
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowVolumeExpansion": True,
    },
)

cluster_autoscaler_namespace = kubernetes.Namespace("cluster-autoscaler", cluster=cluster)
external_secrets_namespace = kubernetes.Namespace("external-secrets", cluster=cluster)
kuberay_namespace = kubernetes.Namespace("kuberay-system", cluster=cluster)
addons_network = kubernetes.Manifests(
    "addons",
    cluster=cluster,
    files=["addons.yaml"],
    depends_on=[cluster_autoscaler_namespace, external_secrets_namespace, kuberay_namespace],
)

cluster_autoscaler = kubernetes.Chart(
    "cluster-autoscaler",
    cluster=cluster,
    repository="https://kubernetes.github.io/autoscaler",
    version="9.59.1",
    namespace="cluster-autoscaler",
    values={
        "fullnameOverride": "cluster-autoscaler",
        "awsRegion": "eu-central-1",
        "autoDiscovery": {"clusterName": infrastructure["cluster_name"]},
        "image": {"repository": "registry.k8s.io/autoscaling/cluster-autoscaler", "tag": "v1.36.1"},
        "rbac": {"serviceAccount": {"name": "cluster-autoscaler"}},
        "replicaCount": 1,
        "expanderPriorities": {
            "100": [
                "^eks-pipelines-train-m6i-xlarge-on-demand-[0-9a-f]{7}-",
                "^eks-inference-churn-m6i-large-on-demand-[0-9a-f]{7}-",
            ],
            "1": [".*"],
        },
        "extraArgs": {
            "expander": "priority",
            "max-node-provision-time": "900s",
            "skip-nodes-with-local-storage": False,
            "skip-nodes-with-system-pods": False,
        },
        "nodeSelector": {"modelyard.dev/pool": "system"},
        "resources": {"requests": {"cpu": "100m", "memory": "600Mi"}, "limits": {"memory": "600Mi"}},
        "securityContext": {
            "fsGroup": 65534,
            "runAsGroup": 65534,
            "runAsNonRoot": True,
            "runAsUser": 65534,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containerSecurityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "runAsUser": 65534,
            "seccompProfile": {"type": "RuntimeDefault"},
            "readOnlyRootFilesystem": True,
        },
    },
    depends_on=[addons_network],
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
        "serviceAccount": {"name": "external-secrets"},
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
    files=["namespace.yaml", "secrets.yaml", "stores.yaml"],
    in_order=True,
    images={"registry.invalid": infrastructure["image_registry"]},
    depends_on=[cluster_autoscaler, external_secrets, kuberay],
)

object_storage = kubernetes.EgressPolicy(
    "allow-object-storage",
    cluster=cluster,
    namespace="hello",
    pods=["mlflow", "train", "churn", "promoter"],
    ranges=infrastructure["s3_ranges"],
    depends_on=[foundation],
)

registry_admin = kubernetes.GeneratedSecret(
    "mlflow-admin",
    cluster=cluster,
    namespace="hello",
    generated=["password", "session-key"],
    fixed={"username": "admin"},
    depends_on=[foundation],
)
registry_logins = kubernetes.Logins(
    "mlflow-logins",
    cluster=cluster,
    namespace="hello",
    users={
        "mlflow-login.train": "workload.train",
        "mlflow-login.churn": "workload.churn",
        "mlflow-login.promoter": "workload.promoter",
    },
    depends_on=[foundation],
)
runs_login = kubernetes.Object(
    "hello/runs-login",
    cluster=cluster,
    document={
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {
            "name": "runs-login",
            "namespace": "hello",
            "labels": {
                "app.kubernetes.io/name": "runs-login",
                "app.kubernetes.io/part-of": "hello",
                "app.kubernetes.io/managed-by": "pulumi",
                "modelyard.dev/system": "hello",
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
                        "services": "[database]\nuser={{ .username }}\npassword={{ .password }}\n",
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
    files=["pipeline-train.yaml", "model-churn.yaml", "promoter.yaml"],
    images={"registry.invalid": infrastructure["image_registry"]},
    depends_on=[foundation, registry, object_storage],
)
