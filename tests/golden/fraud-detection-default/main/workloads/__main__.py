"""Written by modelyard 0.1.0; change the spec, not this file."""

from modelyard_stacks import kubernetes
from modelyard_stacks.infrastructure import Infrastructure

infrastructure = Infrastructure("fraud-detection-main-infrastructure")
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
nvidia_device_plugin_namespace = kubernetes.Namespace(
    "nvidia-device-plugin",
    cluster=cluster,
    pod_security="privileged",
)
dcgm_exporter_namespace = kubernetes.Namespace("dcgm-exporter", cluster=cluster, pod_security="privileged")
prometheus_namespace = kubernetes.Namespace("monitoring", cluster=cluster)
external_secrets_namespace = kubernetes.Namespace("external-secrets", cluster=cluster)
envoy_gateway_namespace = kubernetes.Namespace("envoy-gateway-system", cluster=cluster, pod_security="baseline")
kuberay_namespace = kubernetes.Namespace("kuberay-system", cluster=cluster)
addons_network = kubernetes.Manifests(
    "addons",
    cluster=cluster,
    files=["addons.yaml"],
    depends_on=[
        cluster_autoscaler_namespace,
        nvidia_device_plugin_namespace,
        dcgm_exporter_namespace,
        prometheus_namespace,
        external_secrets_namespace,
        envoy_gateway_namespace,
        kuberay_namespace,
    ],
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
        "replicaCount": 2,
        "expanderPriorities": {
            "100": [
                "^eks-cpu-m6i-xlarge-on-demand-[0-9a-f]{7}-",
                "^eks-train-g6-2xlarge-spot-[0-9a-f]{7}-",
                "^eks-monitors-default-m6i-large-on-demand-[0-9a-f]{7}-",
            ],
            "99": ["^eks-train-g6-2xlarge-on-demand-[0-9a-f]{7}-"],
            "98": ["^eks-train-g5-2xlarge-spot-[0-9a-f]{7}-"],
            "97": ["^eks-train-g5-2xlarge-on-demand-[0-9a-f]{7}-"],
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

nvidia_device_plugin = kubernetes.Chart(
    "nvidia-device-plugin",
    cluster=cluster,
    repository="https://nvidia.github.io/k8s-device-plugin",
    version="0.20.0",
    namespace="nvidia-device-plugin",
    values={
        "image": {"repository": "nvcr.io/nvidia/k8s-device-plugin"},
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [
                        {"matchExpressions": [{"key": "modelyard.dev/pool", "operator": "In", "values": ["train"]}]},
                    ],
                },
            },
        },
        "tolerations": [
            {"key": "modelyard.dev/pool", "operator": "Exists", "effect": "NoSchedule"},
            {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"},
        ],
        "resources": {"requests": {"cpu": "20m", "memory": "128Mi"}, "limits": {"memory": "128Mi"}},
    },
    depends_on=[addons_network],
)

dcgm_exporter = kubernetes.Chart(
    "dcgm-exporter",
    cluster=cluster,
    repository="https://nvidia.github.io/dcgm-exporter/helm-charts",
    version="4.8.2",
    namespace="dcgm-exporter",
    values={
        "image": {"repository": "nvcr.io/nvidia/k8s/dcgm-exporter"},
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [
                        {"matchExpressions": [{"key": "modelyard.dev/pool", "operator": "In", "values": ["train"]}]},
                    ],
                },
            },
        },
        "tolerations": [
            {"key": "modelyard.dev/pool", "operator": "Exists", "effect": "NoSchedule"},
            {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"},
        ],
        "serviceMonitor": {"enabled": False},
        "resources": {"requests": {"cpu": "50m", "memory": "512Mi"}, "limits": {"memory": "1Gi"}},
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
                "replicas": 2,
                "retention": "720h",
                "retentionSize": "45GB",
                "walCompression": True,
                "enableOTLPReceiver": True,
                "otlp": {"promoteResourceAttributes": ["service.name", "service.namespace"]},
                "externalLabels": {"modelyard_system": "fraud-detection", "modelyard_target": "main"},
                "resources": {"requests": {"cpu": "1", "memory": "4Gi"}, "limits": {"memory": "4Gi"}},
                "storageSpec": {
                    "volumeClaimTemplate": {
                        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "50Gi"}}},
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
                "replicas": 2,
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
        "replicaCount": 2,
        "leaderElect": True,
        "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "128Mi"}},
        "webhook": {
            "replicaCount": 2,
            "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "128Mi"}},
        },
        "certController": {"resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "128Mi"}}},
        "serviceAccount": {"name": "external-secrets"},
    },
    depends_on=[addons_network],
)

certificates_account = kubernetes.Object(
    "certificates-account",
    cluster=cluster,
    document={
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "certgen", "namespace": "envoy-gateway-system"},
        "automountServiceAccountToken": False,
    },
    depends_on=[addons_network],
)
certificates_role = kubernetes.Object(
    "certificates-role",
    cluster=cluster,
    document={
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "certgen", "namespace": "envoy-gateway-system"},
        "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "create", "update"]}],
    },
    depends_on=[addons_network, certificates_account],
)
certificates_binding = kubernetes.Object(
    "certificates-binding",
    cluster=cluster,
    document={
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "certgen", "namespace": "envoy-gateway-system"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "certgen"},
        "subjects": [{"kind": "ServiceAccount", "name": "certgen", "namespace": "envoy-gateway-system"}],
    },
    depends_on=[addons_network, certificates_role],
)
certificates_job = kubernetes.Object(
    "certificates-job",
    cluster=cluster,
    document={
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "certgen", "namespace": "envoy-gateway-system"},
        "spec": {
            "backoffLimit": 3,
            "template": {
                "spec": {
                    "serviceAccountName": "certgen",
                    "automountServiceAccountToken": True,
                    "restartPolicy": "Never",
                    "securityContext": {
                        "fsGroup": 65532,
                        "runAsGroup": 65532,
                        "runAsNonRoot": True,
                        "runAsUser": 65532,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    "nodeSelector": {"modelyard.dev/pool": "system"},
                    "containers": [
                        {
                            "name": "certgen",
                            "image": "docker.io/envoyproxy/gateway:v1.9.0",
                            "command": ["envoy-gateway", "certgen"],
                            "args": ["--disable-topology-injector"],
                            "env": [
                                {
                                    "name": "ENVOY_GATEWAY_NAMESPACE",
                                    "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}},
                                },
                                {"name": "KUBERNETES_CLUSTER_DOMAIN", "value": "cluster.local"},
                            ],
                            "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "128Mi"}},
                            "securityContext": {
                                "allowPrivilegeEscalation": False,
                                "capabilities": {"drop": ["ALL"]},
                                "runAsNonRoot": True,
                                "runAsUser": 65532,
                                "seccompProfile": {"type": "RuntimeDefault"},
                                "readOnlyRootFilesystem": True,
                            },
                        },
                    ],
                },
            },
        },
    },
    depends_on=[addons_network, certificates_binding],
)
envoy_gateway = kubernetes.Chart(
    "gateway-helm",
    cluster=cluster,
    repository="oci://docker.io/envoyproxy",
    version="1.9.0",
    namespace="envoy-gateway-system",
    values={
        "deployment": {
            "envoyGateway": {
                "image": {"repository": "docker.io/envoyproxy/gateway", "tag": "v1.9.0"},
                "resources": {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"memory": "1Gi"}},
            },
            "replicas": 2,
            "pod": {"nodeSelector": {"modelyard.dev/pool": "system"}},
        },
        "topologyInjector": {"enabled": False},
    },
    depends_on=[addons_network, certificates_job],
)
envoy_proxies = kubernetes.Object(
    "envoy-gateway-system/envoy",
    cluster=cluster,
    document={
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": "EnvoyProxy",
        "metadata": {"name": "envoy", "namespace": "envoy-gateway-system"},
        "spec": {
            "provider": {
                "type": "Kubernetes",
                "kubernetes": {
                    "envoyDeployment": {
                        "replicas": 2,
                        "pod": {"nodeSelector": {"modelyard.dev/pool": "system"}},
                        "container": {
                            "resources": {"requests": {"cpu": "200m", "memory": "512Mi"}, "limits": {"memory": "1Gi"}},
                        },
                    },
                    "envoyService": {
                        "annotations": {
                            "service.beta.kubernetes.io/aws-load-balancer-type": "nlb",
                            "service.beta.kubernetes.io/aws-load-balancer-internal": "true",
                            "service.beta.kubernetes.io/aws-load-balancer-cross-zone-load-balancing-enabled": "true",
                        },
                    },
                },
            },
        },
    },
    depends_on=[envoy_gateway],
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
    files=["namespace.yaml", "secrets.yaml", "stores.yaml", "channels.yaml", "gateway.yaml"],
    in_order=True,
    images={"registry.invalid": infrastructure["image_registry"]},
    depends_on=[
        cluster_autoscaler,
        nvidia_device_plugin,
        dcgm_exporter,
        prometheus,
        external_secrets,
        certificates_account,
        certificates_role,
        certificates_binding,
        certificates_job,
        envoy_gateway,
        envoy_proxies,
        kuberay,
    ],
)

object_storage = kubernetes.EgressPolicy(
    "allow-object-storage",
    cluster=cluster,
    namespace="fraud-detection",
    pods=[
        "mlflow",
        "challenge",
        "nightly-scores",
        "retrain",
        "scorer-challenger",
        "scorer-champion",
        "scorer",
        "monitor-feature-drift",
        "monitor-late-labels",
        "promoter",
    ],
    ranges=infrastructure["s3_ranges"],
    depends_on=[foundation],
)

registry_admin = kubernetes.GeneratedSecret(
    "mlflow-admin",
    cluster=cluster,
    namespace="fraud-detection",
    generated=["password", "session-key"],
    fixed={"username": "admin"},
    depends_on=[foundation],
)
registry_logins = kubernetes.Logins(
    "mlflow-logins",
    cluster=cluster,
    namespace="fraud-detection",
    users={
        "mlflow-login.challenge": "workload.challenge",
        "mlflow-login.nightly-scores": "workload.nightly-scores",
        "mlflow-login.retrain": "workload.retrain",
        "mlflow-login.scorer": "workload.scorer",
        "mlflow-login.monitor-feature-drift": "workload.monitor-feature-drift",
        "mlflow-login.monitor-late-labels": "workload.monitor-late-labels",
        "mlflow-login.promoter": "workload.promoter",
    },
    depends_on=[foundation],
)
registry_db_login = kubernetes.Object(
    "fraud-detection/registry-db-login",
    cluster=cluster,
    document={
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {
            "name": "registry-db-login",
            "namespace": "fraud-detection",
            "labels": {
                "app.kubernetes.io/name": "registry-db-login",
                "app.kubernetes.io/part-of": "fraud-detection",
                "app.kubernetes.io/managed-by": "pulumi",
                "modelyard.dev/system": "fraud-detection",
                "modelyard.dev/workload": "stores.registry-db",
                "modelyard.dev/component": "database",
            },
        },
        "spec": {
            "refreshInterval": "5m",
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": "secrets-manager"},
            "target": {
                "name": "registry-db-login",
                "creationPolicy": "Owner",
                "deletionPolicy": "Retain",
                "template": {
                    "mergePolicy": "Merge",
                    "data": {
                        "services": "[database]\nuser={{ .username }}\npassword={{ .password }}\n",
                        "host": infrastructure["registry_db_host"],
                    },
                },
            },
            "data": [
                {
                    "secretKey": "username",
                    "remoteRef": {"key": infrastructure["registry_db_secret"], "property": "username"},
                },
                {
                    "secretKey": "password",
                    "remoteRef": {"key": infrastructure["registry_db_secret"], "property": "password"},
                },
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
    depends_on=[foundation, object_storage, registry_admin, registry_logins, registry_db_login],
)

kubernetes.Manifests(
    "workloads",
    cluster=cluster,
    files=[
        "pipeline-challenge.yaml",
        "pipeline-nightly-scores.yaml",
        "pipeline-retrain.yaml",
        "model-scorer.yaml",
        "monitor-feature-drift.yaml",
        "monitor-late-labels.yaml",
        "promoter.yaml",
    ],
    images={"registry.invalid": infrastructure["image_registry"]},
    depends_on=[foundation, registry, object_storage],
)
