"""Written by modelyard 0.1.0; change the spec, not this file."""

from modelyard_stacks import kubernetes
from modelyard_stacks.infrastructure import Infrastructure

cluster = kubernetes.Cluster("plant")

prometheus_namespace = kubernetes.Namespace("monitoring", cluster=cluster)
kuberay_namespace = kubernetes.Namespace("kuberay-system", cluster=cluster)
addons_network = kubernetes.Manifests(
    "addons",
    cluster=cluster,
    files=["addons.yaml"],
    depends_on=[prometheus_namespace, kuberay_namespace],
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
                "externalLabels": {"modelyard_system": "paints", "modelyard_target": "plant"},
                "resources": {"requests": {"cpu": "250m", "memory": "1Gi"}, "limits": {"memory": "1Gi"}},
                "storageSpec": {
                    "volumeClaimTemplate": {
                        "spec": {
                            "accessModes": ["ReadWriteOnce"],
                            "resources": {"requests": {"storage": "5Gi"}},
                            "storageClassName": "local-path",
                        },
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
                        "spec": {
                            "accessModes": ["ReadWriteOnce"],
                            "resources": {"requests": {"storage": "1Gi"}},
                            "storageClassName": "local-path",
                        },
                    },
                },
            },
        },
        "grafana": {"enabled": False},
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
        "resources": {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"memory": "512Mi"}},
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
    depends_on=[prometheus, kuberay],
)

main_crossings = Infrastructure("paints-main-crossings", setting="crossings-main")
plant__line_map_main = kubernetes.Object(
    "identity-line.main",
    cluster=cluster,
    document={
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "identity-line.main",
            "namespace": "paints",
            "labels": {
                "app.kubernetes.io/name": "line",
                "app.kubernetes.io/part-of": "paints",
                "app.kubernetes.io/managed-by": "pulumi",
                "modelyard.dev/system": "paints",
                "modelyard.dev/workload": "inference.line",
                "modelyard.dev/component": "crossing",
            },
        },
        "data": {"client_id": main_crossings["plant__line_client_id"], "tenant": main_crossings["plant__line_tenant"]},
    },
    depends_on=[foundation],
)
plant__monitor_drift_map_main = kubernetes.Object(
    "identity-monitor-drift.main",
    cluster=cluster,
    document={
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "identity-monitor-drift.main",
            "namespace": "paints",
            "labels": {
                "app.kubernetes.io/name": "monitor-drift",
                "app.kubernetes.io/part-of": "paints",
                "app.kubernetes.io/managed-by": "pulumi",
                "modelyard.dev/system": "paints",
                "modelyard.dev/workload": "monitors.drift",
                "modelyard.dev/component": "crossing",
            },
        },
        "data": {
            "client_id": main_crossings["plant__monitor_drift_client_id"],
            "tenant": main_crossings["plant__monitor_drift_tenant"],
        },
    },
    depends_on=[foundation],
)

kubernetes.Manifests(
    "workloads",
    cluster=cluster,
    files=["model-line.yaml", "monitor-drift.yaml"],
    depends_on=[foundation, plant__line_map_main, plant__monitor_drift_map_main],
)
