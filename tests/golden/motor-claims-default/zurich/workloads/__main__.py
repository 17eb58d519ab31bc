"""Written by modelyard 0.1.0; change the spec, not this file."""

from modelyard_stacks import kubernetes

cluster = kubernetes.Cluster("zurich")

prometheus_namespace = kubernetes.Namespace("monitoring", cluster=cluster)
kuberay_namespace = kubernetes.Namespace("kuberay-system", cluster=cluster)
addons_network = kubernetes.Manifests(
    "addons",
    cluster=cluster,
    files=["addons.yaml"],
    depends_on=[prometheus_namespace, kuberay_namespace],
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
            "disabled": {"KubeJobFailed": True, "KubeJobNotCompleted": True},
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
                "retention": "360h",
                "retentionSize": "45GB",
                "walCompression": True,
                "enableOTLPReceiver": True,
                "otlp": {"promoteResourceAttributes": ["service.name", "service.namespace"]},
                "externalLabels": {"modelyard_system": "motor-claims", "modelyard_target": "zurich"},
                "resources": {"requests": {"cpu": "1", "memory": "4Gi"}, "limits": {"memory": "4Gi"}},
                "storageSpec": {
                    "volumeClaimTemplate": {
                        "spec": {
                            "accessModes": ["ReadWriteOnce"],
                            "resources": {"requests": {"storage": "50Gi"}},
                            "storageClassName": "ceph-rbd",
                        },
                    },
                },
                "serviceMonitorSelectorNilUsesHelmValues": False,
                "podMonitorSelectorNilUsesHelmValues": False,
                "ruleSelectorNilUsesHelmValues": False,
                "probeSelectorNilUsesHelmValues": False,
                "scrapeConfigSelectorNilUsesHelmValues": False,
                "remoteWrite": [
                    {
                        "url": "https://metrics.helvia.example/api/v1/write",
                        "queueConfig": {"minBackoff": "1s", "maxBackoff": "5m", "retryOnRateLimit": True},
                        "authorization": {"type": "Bearer", "credentials": {"name": "vault.metrics", "key": "token"}},
                    },
                ],
            },
        },
        "alertmanager": {
            "alertmanagerSpec": {
                "replicas": 2,
                "alertmanagerConfigMatcherStrategy": {"type": "OnNamespaceExceptForAlertmanagerNamespace"},
                "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "128Mi"}},
                "storage": {
                    "volumeClaimTemplate": {
                        "spec": {
                            "accessModes": ["ReadWriteOnce"],
                            "resources": {"requests": {"storage": "1Gi"}},
                            "storageClassName": "ceph-rbd",
                        },
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
    files=["namespace.yaml", "secrets.yaml", "stores.yaml", "channels.yaml"],
    in_order=True,
    depends_on=[prometheus, kuberay],
)

kubernetes.Manifests(
    "workloads",
    cluster=cluster,
    files=[
        "pipeline-estimate.yaml",
        "pipeline-train-severity.yaml",
        "monitor-estimates-drift.yaml",
        "monitor-notices-complete.yaml",
        "monitor-settled-quality.yaml",
    ],
    depends_on=[foundation],
)
