"""Written by modelyard 0.1.0; change the spec, not this file."""

from modelyard_stacks import kubernetes
from modelyard_stacks.infrastructure import Infrastructure

infrastructure = Infrastructure("leads-main-infrastructure")
cluster = kubernetes.Cluster("main", kubeconfig=infrastructure["kubeconfig"])
storage_class = kubernetes.Object(
    "premium",
    cluster=cluster,
    document={
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "premium", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": "disk.csi.azure.com",
        "parameters": {"skuName": "Premium_LRS"},
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowVolumeExpansion": True,
    },
)
priorities = kubernetes.Object(
    "kube-system/cluster-autoscaler-priority-expander",
    cluster=cluster,
    document={
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "cluster-autoscaler-priority-expander", "namespace": "kube-system"},
        "data": {
            "priorities": "100:\n  - ^aks-o912168b94a-\n  - ^aks-s90bf277360-\n  - ^aks-o4a4a350772-\n99:\n  - ^aks-s83ec8814a5-\n98:\n  - ^aks-obccb6f5627-\n97:\n  - ^aks-s13eba485f8-\n96:\n  - ^aks-o81892443ef-\n1:\n  - .*\n",
        },
    },
)

nvidia_device_plugin_namespace = kubernetes.Namespace(
    "nvidia-device-plugin",
    cluster=cluster,
    pod_security="privileged",
)
external_secrets_namespace = kubernetes.Namespace("external-secrets", cluster=cluster)
envoy_gateway_namespace = kubernetes.Namespace("envoy-gateway-system", cluster=cluster, pod_security="baseline")
kuberay_namespace = kubernetes.Namespace("kuberay-system", cluster=cluster)
addons_network = kubernetes.Manifests(
    "addons",
    cluster=cluster,
    files=["addons.yaml"],
    depends_on=[nvidia_device_plugin_namespace, external_secrets_namespace, envoy_gateway_namespace, kuberay_namespace],
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
                        {"matchExpressions": [{"key": "modelyard.dev/pool", "operator": "In", "values": ["gpu"]}]},
                    ],
                },
            },
        },
        "tolerations": [
            {"key": "modelyard.dev/pool", "operator": "Exists", "effect": "NoSchedule"},
            {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"},
            {"key": "kubernetes.azure.com/scalesetpriority", "operator": "Exists", "effect": "NoSchedule"},
        ],
        "resources": {"requests": {"cpu": "20m", "memory": "128Mi"}, "limits": {"memory": "128Mi"}},
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
        "serviceAccount": {
            "name": "external-secrets",
            "annotations": {"azure.workload.identity/client-id": infrastructure["external_secrets_client_id"]},
        },
        "podLabels": {"azure.workload.identity/use": "true"},
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
                "app.kubernetes.io/part-of": "leads",
                "app.kubernetes.io/managed-by": "pulumi",
                "modelyard.dev/system": "leads",
                "modelyard.dev/component": "secret",
            },
        },
        "spec": {
            "conditions": [{"namespaces": ["leads", "monitoring"]}],
            "provider": {"azurekv": {"authType": "WorkloadIdentity", "vaultUrl": infrastructure["vault_url"]}},
        },
    },
    depends_on=[external_secrets],
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
            "replicas": 1,
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
                        "replicas": 1,
                        "pod": {"nodeSelector": {"modelyard.dev/pool": "system"}},
                        "container": {
                            "resources": {"requests": {"cpu": "200m", "memory": "512Mi"}, "limits": {"memory": "1Gi"}},
                        },
                    },
                    "envoyService": {
                        "annotations": {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"},
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
    files=["namespace.yaml", "secrets.yaml", "gateway.yaml"],
    in_order=True,
    depends_on=[
        nvidia_device_plugin,
        external_secrets,
        secret_store,
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
    namespace="leads",
    pods=["mlflow", "fit", "scoring", "score", "promoter"],
    ranges=infrastructure["storage_ranges"],
    depends_on=[foundation],
)

registry_admin = kubernetes.GeneratedSecret(
    "mlflow-admin",
    cluster=cluster,
    namespace="leads",
    generated=["password", "session-key"],
    fixed={"username": "admin"},
    depends_on=[foundation],
)
registry_logins = kubernetes.Logins(
    "mlflow-logins",
    cluster=cluster,
    namespace="leads",
    users={
        "mlflow-login.fit": "workload.fit",
        "mlflow-login.scoring": "workload.scoring",
        "mlflow-login.score": "workload.score",
        "mlflow-login.promoter": "workload.promoter",
    },
    depends_on=[foundation],
)
runs_login = kubernetes.Object(
    "leads/runs-login",
    cluster=cluster,
    document={
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {
            "name": "runs-login",
            "namespace": "leads",
            "labels": {
                "app.kubernetes.io/name": "runs-login",
                "app.kubernetes.io/part-of": "leads",
                "app.kubernetes.io/managed-by": "pulumi",
                "modelyard.dev/system": "leads",
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
                        "services": "[database]\nuser={{ .username }}\npassword={{ .password }}\nsslmode=require\n",
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
    annotations={"registry.identity.invalid": infrastructure["registry_client_id"]},
    depends_on=[foundation, object_storage, registry_admin, registry_logins, runs_login],
)

kubernetes.Manifests(
    "workloads",
    cluster=cluster,
    files=["pipeline-fit.yaml", "pipeline-scoring.yaml", "model-score.yaml", "promoter.yaml"],
    annotations={
        "fit.identity.invalid": infrastructure["fit_client_id"],
        "scoring.identity.invalid": infrastructure["scoring_client_id"],
        "score.identity.invalid": infrastructure["score_client_id"],
        "promoter.identity.invalid": infrastructure["promoter_client_id"],
    },
    depends_on=[foundation, registry, object_storage],
)
