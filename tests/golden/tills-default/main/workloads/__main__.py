"""Written by modelyard 0.1.0; change the spec, not this file."""

from modelyard_stacks import kubernetes
from modelyard_stacks.infrastructure import Infrastructure

infrastructure = Infrastructure("tills-main-infrastructure")
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
prometheus_namespace = kubernetes.Namespace("monitoring", cluster=cluster)
external_secrets_namespace = kubernetes.Namespace("external-secrets", cluster=cluster)
kuberay_namespace = kubernetes.Namespace("kuberay-system", cluster=cluster)
addons_network = kubernetes.Manifests(
    "addons",
    cluster=cluster,
    files=["addons.yaml"],
    depends_on=[cluster_autoscaler_namespace, prometheus_namespace, external_secrets_namespace, kuberay_namespace],
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
        "expanderPriorities": {"100": ["^eks-pipelines-retrain-m6i-2xlarge-on-demand-[0-9a-f]{7}-"], "1": [".*"]},
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

grafana_admin = kubernetes.GeneratedSecret(
    "grafana-admin",
    cluster=cluster,
    namespace="monitoring",
    generated=["admin-password"],
    fixed={"admin-user": "admin"},
    depends_on=[addons_network],
)
prometheus = kubernetes.Chart(
    "kube-prometheus-stack",
    cluster=cluster,
    repository="https://prometheus-community.github.io/helm-charts",
    version="88.5.3",
    namespace="monitoring",
    values={
        "crds": {"enabled": True},
        "nodeExporter": {"enabled": False},
        "kubeStateMetrics": {"enabled": True},
        "kube-state-metrics": {
            "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "128Mi"}},
        },
        "defaultRules": {
            "create": True,
            "additionalRuleLabels": {"modelyard_alerts": "cluster"},
            "disabled": {
                "KubeJobFailed": True,
                "KubeJobNotCompleted": True,
                "KubeCPUOvercommit": True,
                "KubeMemoryOvercommit": True,
            },
        },
        "kubeControllerManager": {"enabled": False},
        "kubeScheduler": {"enabled": False},
        "kubeEtcd": {"enabled": False},
        "kubeProxy": {"enabled": False},
        "prometheusOperator": {
            "admissionWebhooks": {"enabled": False},
            "tls": {"enabled": False},
            "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "256Mi"}},
            "prometheusConfigReloader": {
                "resources": {"requests": {"cpu": "20m", "memory": "64Mi"}, "limits": {"memory": "64Mi"}},
            },
        },
        "prometheus": {
            "prometheusSpec": {
                "replicas": 1,
                "retention": "360h",
                "retentionSize": "18GB",
                "walCompression": True,
                "enableOTLPReceiver": True,
                "otlp": {"promoteResourceAttributes": ["service.name", "service.namespace"]},
                "externalLabels": {"modelyard_system": "tills", "modelyard_target": "main"},
                "resources": {"requests": {"cpu": "1", "memory": "2Gi"}, "limits": {"memory": "2Gi"}},
                "storageSpec": {
                    "volumeClaimTemplate": {
                        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "20Gi"}}},
                    },
                },
                "serviceMonitorSelectorNilUsesHelmValues": False,
                "podMonitorSelectorNilUsesHelmValues": False,
                "ruleSelectorNilUsesHelmValues": False,
                "probeSelectorNilUsesHelmValues": False,
                "scrapeConfigSelectorNilUsesHelmValues": False,
            },
        },
        "alertmanager": {
            "alertmanagerSpec": {
                "replicas": 1,
                "alertmanagerConfigMatcherStrategy": {"type": "OnNamespaceExceptForAlertmanagerNamespace"},
                "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "128Mi"}},
                "storage": {
                    "volumeClaimTemplate": {
                        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
                    },
                },
            },
        },
        "grafana": {
            "admin": {"existingSecret": "grafana-admin", "userKey": "admin-user", "passwordKey": "admin-password"},
            "initChownData": {"enabled": False},
            "persistence": {"enabled": False},
            "testFramework": {"enabled": False},
            "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "256Mi"}},
            "sidecar": {
                "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "128Mi"}},
                "datasources": {"alertmanager": {"enabled": False}},
            },
            "grafana.ini": {
                "analytics": {"reporting_enabled": False, "check_for_updates": False},
                "auth.anonymous": {"enabled": False},
                "users": {"allow_sign_up": False},
            },
        },
    },
    depends_on=[addons_network, grafana_admin],
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
    files=["namespace.yaml", "secrets.yaml", "stores.yaml", "channels.yaml"],
    in_order=True,
    images={"registry.invalid": infrastructure["image_registry"]},
    depends_on=[cluster_autoscaler, prometheus, external_secrets, kuberay],
)

object_storage = kubernetes.EgressPolicy(
    "allow-object-storage",
    cluster=cluster,
    namespace="tills",
    pods=["mlflow", "retrain", "promoter", "starter"],
    ranges=infrastructure["s3_ranges"],
    depends_on=[foundation],
)

registry_admin = kubernetes.GeneratedSecret(
    "mlflow-admin",
    cluster=cluster,
    namespace="tills",
    generated=["password", "session-key"],
    fixed={"username": "admin"},
    depends_on=[foundation],
)
registry_logins = kubernetes.Logins(
    "mlflow-logins",
    cluster=cluster,
    namespace="tills",
    users={"mlflow-login.retrain": "workload.retrain", "mlflow-login.promoter": "workload.promoter"},
    depends_on=[foundation],
)
runs_login = kubernetes.Object(
    "tills/runs-login",
    cluster=cluster,
    document={
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {
            "name": "runs-login",
            "namespace": "tills",
            "labels": {
                "app.kubernetes.io/name": "runs-login",
                "app.kubernetes.io/part-of": "tills",
                "app.kubernetes.io/managed-by": "pulumi",
                "modelyard.dev/system": "tills",
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
    files=["pipeline-retrain.yaml", "promoter.yaml", "starter.yaml"],
    images={"registry.invalid": infrastructure["image_registry"]},
    depends_on=[foundation, registry, object_storage],
)
