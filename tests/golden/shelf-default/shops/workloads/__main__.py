"""Written by modelyard 0.1.0; change the spec, not this file."""

from modelyard_stacks import kubernetes

site = kubernetes.Site("shops")

cluster = kubernetes.Cluster("shops")

prometheus_namespace = kubernetes.Namespace("monitoring", cluster=cluster)
kuberay_namespace = kubernetes.Namespace("kuberay-system", cluster=cluster)
addons_network = kubernetes.Manifests(
    "addons",
    cluster=cluster,
    site=site,
    files=["addons.yaml"],
    depends_on=[prometheus_namespace, kuberay_namespace],
)

prometheus = kubernetes.Chart(
    "kube-prometheus-stack",
    cluster=cluster,
    site=site,
    repository="https://prometheus-community.github.io/helm-charts",
    version="88.5.3",
    namespace="monitoring",
    values={
        "global": {"imageRegistry": "${site.registry}/shelf"},
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
                "externalLabels": {
                    "modelyard_system": "shelf",
                    "modelyard_target": "shops",
                    "modelyard_site": "${site.name}",
                },
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
                "remoteWrite": [
                    {
                        "url": "https://metrics.acme.example/api/v1/write",
                        "queueConfig": {
                            "minBackoff": "1s",
                            "maxBackoff": "5m",
                            "retryOnRateLimit": True,
                            "maxShards": 2,
                            "maxSamplesPerSend": 1000,
                            "capacity": 5000,
                        },
                    },
                ],
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

kuberay = kubernetes.Chart(
    "kuberay-operator",
    cluster=cluster,
    site=site,
    repository="https://ray-project.github.io/kuberay-helm/",
    version="1.7.0",
    namespace="kuberay-system",
    values={
        "image": {"repository": "${site.registry}/shelf/kuberay/operator"},
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
    site=site,
    files=["namespace.yaml", "channels.yaml"],
    in_order=True,
    depends_on=[prometheus, kuberay],
)

kubernetes.Manifests(
    "workloads",
    cluster=cluster,
    site=site,
    files=["model-shelf.yaml", "monitor-slow.yaml"],
    depends_on=[foundation],
)
