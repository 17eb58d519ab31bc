"""Written by modelyard 0.1.0; change the spec, not this file."""

from modelyard_stacks import kubernetes
from modelyard_stacks.infrastructure import Infrastructure

infrastructure = Infrastructure("offers-shop-infrastructure")
cluster = kubernetes.Cluster("shop", kubeconfig=infrastructure["kubeconfig"])
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
kuberay_namespace = kubernetes.Namespace("kuberay-system", cluster=cluster)
addons_network = kubernetes.Manifests(
    "addons",
    cluster=cluster,
    files=["addons.yaml"],
    depends_on=[cluster_autoscaler_namespace, prometheus_namespace, kuberay_namespace],
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
                "^eks-small-m6i-xlarge-on-demand-[0-9a-f]{7}-",
                "^eks-monitors-drift-m6i-large-on-demand-[0-9a-f]{7}-",
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
                "externalLabels": {"modelyard_system": "offers", "modelyard_target": "shop"},
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
    files=["namespace.yaml", "channels.yaml"],
    in_order=True,
    images={"registry.invalid": infrastructure["image_registry"]},
    depends_on=[cluster_autoscaler, prometheus, kuberay],
)

object_storage = kubernetes.EgressPolicy(
    "allow-object-storage",
    cluster=cluster,
    namespace="offers",
    pods=["offers", "monitor-drift"],
    ranges=infrastructure["s3_ranges"],
    depends_on=[foundation],
)

hub_crossings = Infrastructure("offers-hub-crossings", setting="crossings-hub")
learn_crossings = Infrastructure("offers-learn-crossings", setting="crossings-learn")
shop__offers_map_hub = kubernetes.Object(
    "identity-offers.hub",
    cluster=cluster,
    document={
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "identity-offers.hub",
            "namespace": "offers",
            "labels": {
                "app.kubernetes.io/name": "offers",
                "app.kubernetes.io/part-of": "offers",
                "app.kubernetes.io/managed-by": "pulumi",
                "modelyard.dev/system": "offers",
                "modelyard.dev/workload": "inference.offers",
                "modelyard.dev/component": "crossing",
            },
        },
        "data": {"client_id": hub_crossings["shop__offers_client_id"], "tenant": hub_crossings["shop__offers_tenant"]},
    },
    depends_on=[foundation],
)
shop__monitor_drift_map_learn = kubernetes.Object(
    "identity-monitor-drift.learn",
    cluster=cluster,
    document={
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "identity-monitor-drift.learn",
            "namespace": "offers",
            "labels": {
                "app.kubernetes.io/name": "monitor-drift",
                "app.kubernetes.io/part-of": "offers",
                "app.kubernetes.io/managed-by": "pulumi",
                "modelyard.dev/system": "offers",
                "modelyard.dev/workload": "monitors.drift",
                "modelyard.dev/component": "crossing",
            },
        },
        "data": {"credentials": learn_crossings["shop__monitor_drift_credentials"]},
    },
    depends_on=[foundation],
)
shop__monitor_drift_map_hub = kubernetes.Object(
    "identity-monitor-drift.hub",
    cluster=cluster,
    document={
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "identity-monitor-drift.hub",
            "namespace": "offers",
            "labels": {
                "app.kubernetes.io/name": "monitor-drift",
                "app.kubernetes.io/part-of": "offers",
                "app.kubernetes.io/managed-by": "pulumi",
                "modelyard.dev/system": "offers",
                "modelyard.dev/workload": "monitors.drift",
                "modelyard.dev/component": "crossing",
            },
        },
        "data": {
            "client_id": hub_crossings["shop__monitor_drift_client_id"],
            "tenant": hub_crossings["shop__monitor_drift_tenant"],
        },
    },
    depends_on=[foundation],
)

kubernetes.Manifests(
    "workloads",
    cluster=cluster,
    files=["model-offers.yaml", "monitor-drift.yaml"],
    images={"registry.invalid": infrastructure["image_registry"]},
    depends_on=[
        foundation,
        shop__offers_map_hub,
        shop__monitor_drift_map_learn,
        shop__monitor_drift_map_hub,
        object_storage,
    ],
)
