"""Written by modelyard 0.1.0; change the spec, not this file."""

from modelyard_stacks import kubernetes
from modelyard_stacks.infrastructure import Infrastructure

infrastructure = Infrastructure("offers-learn-infrastructure")
cluster = kubernetes.Cluster("learn", kubeconfig=infrastructure["kubeconfig"])
storage_class = kubernetes.Object(
    "balanced",
    cluster=cluster,
    document={
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "balanced", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": "pd.csi.storage.gke.io",
        "parameters": {"type": "pd-balanced", "disk-encryption-kms-key": infrastructure["key_id"]},
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowVolumeExpansion": True,
    },
)

prometheus_namespace = kubernetes.Namespace("monitoring", cluster=cluster)
external_secrets_namespace = kubernetes.Namespace("external-secrets", cluster=cluster)
kuberay_namespace = kubernetes.Namespace("kuberay-system", cluster=cluster)
addons_network = kubernetes.Manifests(
    "addons",
    cluster=cluster,
    files=["addons.yaml"],
    depends_on=[prometheus_namespace, external_secrets_namespace, kuberay_namespace],
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
                "externalLabels": {"modelyard_system": "offers", "modelyard_target": "learn"},
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
        "coreDns": {"enabled": False},
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
        "serviceAccount": {"name": "external-secrets-offers-learn"},
    },
    depends_on=[addons_network],
)
secret_store = kubernetes.Object(
    "secrets-manager",
    cluster=cluster,
    document={
        "apiVersion": "external-secrets.io/v1",
        "kind": "ClusterSecretStore",
        "metadata": {
            "name": "secrets-manager",
            "labels": {
                "app.kubernetes.io/name": "secrets-manager",
                "app.kubernetes.io/part-of": "offers",
                "app.kubernetes.io/managed-by": "pulumi",
                "modelyard.dev/system": "offers",
                "modelyard.dev/component": "secret",
            },
        },
        "spec": {
            "conditions": [{"namespaces": ["offers", "monitoring"]}],
            "provider": {"gcpsm": {"projectID": infrastructure["project"]}},
        },
    },
    depends_on=[external_secrets],
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
    depends_on=[prometheus, external_secrets, secret_store, kuberay],
)

object_storage = kubernetes.EgressPolicy(
    "allow-object-storage",
    cluster=cluster,
    namespace="offers",
    pods=["retrain"],
    ranges=infrastructure["google_ranges"],
    depends_on=[foundation],
)

hub_crossings = Infrastructure("offers-hub-crossings", setting="crossings-hub")
shop_crossings = Infrastructure("offers-shop-crossings", setting="crossings-shop")
learn__registry_map_hub = kubernetes.Object(
    "identity-registry.hub",
    cluster=cluster,
    document={
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "identity-registry.hub",
            "namespace": "offers",
            "labels": {
                "app.kubernetes.io/name": "registry",
                "app.kubernetes.io/part-of": "offers",
                "app.kubernetes.io/managed-by": "pulumi",
                "modelyard.dev/system": "offers",
                "modelyard.dev/workload": "registry",
                "modelyard.dev/component": "crossing",
            },
        },
        "data": {
            "client_id": hub_crossings["learn__registry_client_id"],
            "tenant": hub_crossings["learn__registry_tenant"],
        },
    },
    depends_on=[foundation],
)
learn__retrain_map_shop = kubernetes.Object(
    "identity-retrain.shop",
    cluster=cluster,
    document={
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "identity-retrain.shop",
            "namespace": "offers",
            "labels": {
                "app.kubernetes.io/name": "retrain",
                "app.kubernetes.io/part-of": "offers",
                "app.kubernetes.io/managed-by": "pulumi",
                "modelyard.dev/system": "offers",
                "modelyard.dev/workload": "pipelines.retrain",
                "modelyard.dev/component": "crossing",
            },
        },
        "data": {"role_arn": shop_crossings["learn__retrain_role_arn"]},
    },
    depends_on=[foundation],
)
learn__retrain_map_hub = kubernetes.Object(
    "identity-retrain.hub",
    cluster=cluster,
    document={
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "identity-retrain.hub",
            "namespace": "offers",
            "labels": {
                "app.kubernetes.io/name": "retrain",
                "app.kubernetes.io/part-of": "offers",
                "app.kubernetes.io/managed-by": "pulumi",
                "modelyard.dev/system": "offers",
                "modelyard.dev/workload": "pipelines.retrain",
                "modelyard.dev/component": "crossing",
            },
        },
        "data": {
            "client_id": hub_crossings["learn__retrain_client_id"],
            "tenant": hub_crossings["learn__retrain_tenant"],
        },
    },
    depends_on=[foundation],
)
learn__promoter_map_hub = kubernetes.Object(
    "identity-promoter.hub",
    cluster=cluster,
    document={
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "identity-promoter.hub",
            "namespace": "offers",
            "labels": {
                "app.kubernetes.io/name": "promoter",
                "app.kubernetes.io/part-of": "offers",
                "app.kubernetes.io/managed-by": "pulumi",
                "modelyard.dev/system": "offers",
                "modelyard.dev/workload": "promoter",
                "modelyard.dev/component": "crossing",
            },
        },
        "data": {
            "client_id": hub_crossings["learn__promoter_client_id"],
            "tenant": hub_crossings["learn__promoter_tenant"],
        },
    },
    depends_on=[foundation],
)
learn__starter_map_hub = kubernetes.Object(
    "identity-starter.hub",
    cluster=cluster,
    document={
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "identity-starter.hub",
            "namespace": "offers",
            "labels": {
                "app.kubernetes.io/name": "starter",
                "app.kubernetes.io/part-of": "offers",
                "app.kubernetes.io/managed-by": "pulumi",
                "modelyard.dev/system": "offers",
                "modelyard.dev/workload": "starter",
                "modelyard.dev/component": "crossing",
            },
        },
        "data": {
            "client_id": hub_crossings["learn__starter_client_id"],
            "tenant": hub_crossings["learn__starter_tenant"],
        },
    },
    depends_on=[foundation],
)

registry_admin = kubernetes.GeneratedSecret(
    "mlflow-admin",
    cluster=cluster,
    namespace="offers",
    generated=["password", "session-key"],
    fixed={"username": "admin"},
    depends_on=[foundation],
)
registry_logins = kubernetes.Logins(
    "mlflow-logins",
    cluster=cluster,
    namespace="offers",
    users={"mlflow-login.retrain": "workload.retrain", "mlflow-login.promoter": "workload.promoter"},
    depends_on=[foundation],
)
runs_db_login = kubernetes.Object(
    "offers/runs-db-login",
    cluster=cluster,
    document={
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {
            "name": "runs-db-login",
            "namespace": "offers",
            "labels": {
                "app.kubernetes.io/name": "runs-db-login",
                "app.kubernetes.io/part-of": "offers",
                "app.kubernetes.io/managed-by": "pulumi",
                "modelyard.dev/system": "offers",
                "modelyard.dev/workload": "stores.runs-db",
                "modelyard.dev/component": "database",
            },
        },
        "spec": {
            "refreshInterval": "5m",
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": "secrets-manager"},
            "target": {
                "name": "runs-db-login",
                "creationPolicy": "Owner",
                "deletionPolicy": "Retain",
                "template": {
                    "mergePolicy": "Merge",
                    "data": {
                        "services": "[database]\nuser={{ .username }}\npassword={{ .password }}\nsslmode=verify-ca\nsslrootcert=/etc/postgresql-services/authority.pem\n",
                        "authority.pem": infrastructure["runs_db_authority"],
                        "host": infrastructure["runs_db_host"],
                    },
                },
            },
            "data": [
                {
                    "secretKey": "username",
                    "remoteRef": {"key": infrastructure["runs_db_secret"], "property": "username"},
                },
                {
                    "secretKey": "password",
                    "remoteRef": {"key": infrastructure["runs_db_secret"], "property": "password"},
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
    depends_on=[
        foundation,
        learn__registry_map_hub,
        learn__retrain_map_shop,
        learn__retrain_map_hub,
        learn__promoter_map_hub,
        learn__starter_map_hub,
        object_storage,
        registry_admin,
        registry_logins,
        runs_db_login,
    ],
)

kubernetes.Manifests(
    "workloads",
    cluster=cluster,
    files=["pipeline-retrain.yaml", "promoter.yaml", "starter.yaml"],
    depends_on=[
        foundation,
        registry,
        learn__registry_map_hub,
        learn__retrain_map_shop,
        learn__retrain_map_hub,
        learn__promoter_map_hub,
        learn__starter_map_hub,
        object_storage,
    ],
)
