"""Written by modelyard 0.1.0; change the spec, not this file."""

from modelyard_stacks import kubernetes
from modelyard_stacks.infrastructure import Infrastructure

cluster = kubernetes.Cluster("shop")

prometheus_namespace = kubernetes.Namespace("monitoring", cluster=cluster)
addons_network = kubernetes.Manifests(
    "addons",
    cluster=cluster,
    files=["addons.yaml"],
    depends_on=[prometheus_namespace],
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
        "kubeStateMetrics": {"enabled": False},
        "defaultRules": {"create": False},
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
                "retentionSize": "4GB",
                "walCompression": True,
                "enableOTLPReceiver": True,
                "otlp": {"promoteResourceAttributes": ["service.name", "service.namespace"]},
                "externalLabels": {"modelyard_system": "tills", "modelyard_target": "shop"},
                "resources": {"requests": {"cpu": "250m", "memory": "1Gi"}, "limits": {"memory": "1Gi"}},
                "storageSpec": {
                    "volumeClaimTemplate": {
                        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}},
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
        "grafana": {"enabled": False},
    },
    depends_on=[addons_network],
)

foundation = kubernetes.Manifests(
    "foundation",
    cluster=cluster,
    files=["namespace.yaml", "channels.yaml"],
    in_order=True,
    depends_on=[prometheus],
)

main_infrastructure = Infrastructure("tills-main-infrastructure", setting="infrastructure-main")
crossing_monitor_drift_secret = kubernetes.Object(
    "crossing-monitor-drift",
    cluster=cluster,
    document={
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "crossing-monitor-drift",
            "namespace": "tills",
            "labels": {
                "app.kubernetes.io/name": "crossing-monitor-drift",
                "app.kubernetes.io/part-of": "tills",
                "app.kubernetes.io/managed-by": "pulumi",
                "modelyard.dev/system": "tills",
                "modelyard.dev/workload": "monitors.drift",
                "modelyard.dev/component": "crossing",
            },
        },
        "type": "Opaque",
        "stringData": {
            "access-key-id-1": main_infrastructure["shop__monitor_drift_access_key_id_1"],
            "secret-access-key-1": main_infrastructure["shop__monitor_drift_secret_access_key_1"],
        },
    },
    depends_on=[foundation],
)

kubernetes.Manifests(
    "workloads",
    cluster=cluster,
    files=["monitor-drift.yaml"],
    depends_on=[foundation, crossing_monitor_drift_secret],
)
