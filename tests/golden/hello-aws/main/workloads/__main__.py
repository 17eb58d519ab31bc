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
    files=["namespace.yaml", "secrets.yaml", "stores.yaml", "registry.yaml"],
    in_order=True,
    images={"registry.invalid": infrastructure["image_registry"]},
    depends_on=[cluster_autoscaler, external_secrets, kuberay],
)

object_storage = kubernetes.EgressPolicy(
    "allow-object-storage",
    cluster=cluster,
    namespace="hello",
    pods=["registry", "mlflow", "train", "train-launcher", "churn"],
    ranges=infrastructure["s3_ranges"],
    depends_on=[foundation],
)

registry_key = kubernetes.GeneratedSecret(
    "mlflow-flask-server-secret-key",
    cluster=cluster,
    namespace="hello",
    generated=["MLFLOW_FLASK_SERVER_SECRET_KEY"],
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
                    "data": {"services": "[database]\nuser={{ .username }}\npassword={{ .password }}\n"},
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
registry = kubernetes.Chart(
    "mlflow",
    cluster=cluster,
    repository="https://community-charts.github.io/helm-charts",
    version="1.11.5",
    namespace="hello",
    values={
        "fullnameOverride": "mlflow",
        "replicaCount": 1,
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
            "app.kubernetes.io/part-of": "hello",
            "app.kubernetes.io/managed-by": "pulumi",
            "modelyard.dev/system": "hello",
            "modelyard.dev/workload": "registry",
            "modelyard.dev/component": "registry",
        },
        "service": {"port": 5000},
        "resources": {"requests": {"cpu": "500m", "memory": "2Gi"}, "limits": {"cpu": "500m", "memory": "2Gi"}},
        "serverAllowedHosts": [
            "mlflow:5000",
            "mlflow.hello:5000",
            "mlflow.hello.svc:5000",
            "mlflow.hello.svc.cluster.local:5000",
            "localhost:*",
            "127.0.0.1:*",
        ],
        "backendStore": {
            "databaseMigration": True,
            "postgres": {"enabled": True, "host": infrastructure["runs_host"], "port": 5432, "database": "runs"},
            "existingDatabaseSecret": {"name": "runs-login", "usernameKey": "username", "passwordKey": "password"},
        },
        "artifactRoot": {"s3": {"enabled": True, "bucket": "hello-aws-lake-9387c7", "path": "mlflow"}},
        "extraVolumes": [
            {
                "name": "services",
                "secret": {"secretName": "runs-login", "items": [{"key": "services", "path": "services"}]},
            },
        ],
        "extraVolumeMounts": [{"name": "services", "mountPath": "/etc/postgresql-services", "readOnly": True}],
        "extraEnvVars": {
            "AWS_DEFAULT_REGION": "eu-central-1",
            "PGSERVICE": "database",
            "PGSERVICEFILE": "/etc/postgresql-services/services",
        },
        "nodeSelector": {"modelyard.dev/pool": "system"},
    },
    depends_on=[foundation, registry_key, runs_login],
)

kubernetes.Manifests(
    "workloads",
    cluster=cluster,
    files=["pipeline-train.yaml", "model-churn.yaml"],
    images={"registry.invalid": infrastructure["image_registry"]},
    depends_on=[foundation, registry, object_storage],
)
