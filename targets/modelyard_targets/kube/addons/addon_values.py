"""Chart values for add-ons: non-root, explicit sizes, metrics from all namespaces, no public access, no Helm hooks.

Keys come from each chart's values.yaml at the version in charts.json, read 2026-11-24.
"""

from __future__ import annotations

from typing import Final

from modelyard.manifest import memory_text
from modelyard.stack import Value
from modelyard_targets.kube.monitoring.channels import CLUSTER_ALERTS, has_alertmanager
from modelyard_targets.kube.monitoring.metrics_disk import kept_s, used_gi, volume_gi
from modelyard_targets.kube.monitoring.receiving import senders_to
from modelyard_targets.kube.placement.context import Context, mirrored, pull_secret_of_addons
from modelyard_targets.kube.placement.fixed import GRAFANA_SECRET
from modelyard_targets.kube.placement.placed import shows_jobs

_GI = 1024**3
_SECURITY: Final[dict[str, Value]] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}

_CONTROL_PLANE: Final = ("kubeControllerManager", "kubeScheduler", "kubeEtcd", "kubeProxy")
"""Components that Prometheus cannot scrape, which would make the chart's alerts fire permanently. Managed control
planes hide their metrics, and kubeadm and k3s bind them to loopback. The cluster's operator monitors them
(docs/decisions/0027).
"""

_OF_JOBS: Final = ("KubeJobFailed", "KubeJobNotCompleted")
"""Alerts to disable, because our own alerts for pipelines and monitors take schedule and timeout into account."""

_STATE_METRICS: Final = "registry.k8s.io/kube-state-metrics/kube-state-metrics"
_ALERTMANAGER: Final = "quay.io/prometheus/alertmanager"
_UNCONNECTED: Final = "PrometheusNotConnectedToAlertmanagers"
"""The chart's alert that would fire permanently without an Alertmanager."""

_OFF_AT_THE_EDGE: Final = frozenset({"docker.io/grafana/grafana", "quay.io/kiwigrid/k8s-sidecar"})


def kuberay_values(context: Context) -> dict[str, Value]:
    """Return values for the cluster-wide operator. In enterprise systems, it has a second replica for failover.

    Feature gates keep their defaults, which enable every feature we depend on.
    """
    replicas = 2 if context.enterprise and not context.target.edge else 1
    values: dict[str, Value] = {
        "image": {"repository": _repository("quay.io/kuberay/operator", context)},
        "replicas": replicas,
        "leaderElectionEnabled": True,
        "resources": _resources("200m" if not context.target.edge else "100m", "512Mi"),
        "securityContext": _SECURITY,
    }
    return {**values, **_pull("imagePullSecrets", context)}


def external_secrets_values(context: Context) -> dict[str, Value]:
    """Return values for the controller, webhook and certificate controller, with explicit sizes."""
    repository = _repository("ghcr.io/external-secrets/external-secrets", context)
    resources = _resources("50m", "128Mi")
    replicas = 2 if context.enterprise and not context.target.edge else 1
    values: dict[str, Value] = {
        "global": {"repository": repository},
        "installCRDs": True,
        "replicaCount": replicas,
        "leaderElect": replicas > 1,
        "resources": resources,
        "webhook": {"replicaCount": replicas, "resources": resources, **_pull("imagePullSecrets", context)},
        "certController": {"resources": resources, **_pull("imagePullSecrets", context)},
    }
    return {**values, **_pull("imagePullSecrets", context)}


def cloudnative_pg_values(context: Context) -> dict[str, Value]:
    """Return values for the PostgreSQL operator."""
    values: dict[str, Value] = {
        "image": {"repository": _repository("ghcr.io/cloudnative-pg/cloudnative-pg", context)},
        "replicaCount": 2 if context.enterprise and not context.target.edge else 1,
        "resources": _resources("100m", "256Mi"),
    }
    return {**values, **_pull("imagePullSecrets", context)}


def prometheus_values(context: Context) -> dict[str, Value]:
    """Return values for Prometheus, Alertmanager and Grafana, which select our objects regardless of labels.

    A target whose alerts another target evaluates has no Alertmanager.

    The admission webhook is off, because its certificates need Helm hooks, which do not run here. It would only
    repeat the checks that promtool and the CRDs perform. Node exporters need host access and are left to the
    cluster's operator.
    """
    edge = context.target.edge
    replicas = 2 if context.enterprise and not edge else 1
    values: dict[str, Value] = {
        "crds": {"enabled": True},
        "nodeExporter": {"enabled": False},
        "kubeStateMetrics": {"enabled": shows_jobs(context)},
        **({"kube-state-metrics": {"resources": _resources("50m", "128Mi")}} if shows_jobs(context) else {}),
        "defaultRules": {"create": False} if edge else _default_rules(context),
        **{component: {"enabled": False} for component in _CONTROL_PLANE},
        "prometheusOperator": {
            "admissionWebhooks": {"enabled": False},
            "tls": {"enabled": False},
            "resources": _resources("100m", "256Mi"),
            "prometheusConfigReloader": {"resources": _resources("20m", "64Mi")},
        },
        "prometheus": {"prometheusSpec": _prometheus_spec(context, replicas)},
        "alertmanager": {"alertmanagerSpec": _alertmanager_spec(context, replicas)}
        if has_alertmanager(context)
        else {"enabled": False},
        "grafana": {"enabled": False} if edge else _grafana(),
    }
    image_registry, pull = _registry(context), pull_secret_of_addons(context.target)
    shared: dict[str, Value] = {}
    if image_registry:
        shared["imageRegistry"] = image_registry
    if pull:
        shared["imagePullSecrets"] = [{"name": pull}]
    return {**({"global": shared} if shared else {}), **values}


def images_left_out(addon: str, context: Context) -> frozenset[str]:
    """Return the images in an add-on's chart that no Pod uses with our values."""
    if addon != "prometheus":
        return frozenset()
    left_out = _OFF_AT_THE_EDGE if context.target.edge else frozenset[str]()
    left_out |= frozenset() if shows_jobs(context) else {_STATE_METRICS}
    return left_out if has_alertmanager(context) else left_out | {_ALERTMANAGER}


def _default_rules(context: Context) -> dict[str, Value]:
    """Return values that add a routing label to the chart's cluster alerts and disable inapplicable ones."""
    name, value = CLUSTER_ALERTS
    unconnected = () if has_alertmanager(context) else (_UNCONNECTED,)
    disabled = dict.fromkeys((*_OF_JOBS, *context.platform.meaningless_alerts, *unconnected), True)
    return {"create": True, "additionalRuleLabels": {name: value}, "disabled": disabled}


def _prometheus_spec(context: Context, replicas: int) -> dict[str, Value]:
    edge = context.target.edge
    spec: dict[str, Value] = {
        "replicas": replicas,
        "retention": f"{-(-kept_s(context.system) // 3600)}h",
        "retentionSize": f"{used_gi(context.system, context.target)}GB",
        "walCompression": True,
        "enableOTLPReceiver": True,
        "otlp": {"promoteResourceAttributes": ["service.name", "service.namespace"]},
        "externalLabels": {
            "modelyard_system": context.system.metadata.name,
            "modelyard_target": context.placement,
            **({"modelyard_site": context.target.sites.name} if context.target.sites is not None else {}),
        },
        "resources": _resources("250m", "1Gi") if edge else _resources("1", "4Gi" if context.enterprise else "2Gi"),
        "storageSpec": _storage(volume_gi(context.system, context.target), context),
    }
    for kind in ("serviceMonitor", "podMonitor", "rule", "probe", "scrapeConfig"):
        spec[f"{kind}SelectorNilUsesHelmValues"] = False
    if any(senders_to(context.system, context.placement)):
        spec["enableRemoteWriteReceiver"] = True
    if context.target.telemetry.remote_write:
        spec["remoteWrite"] = [_remote_write(context)]
    return spec


def _remote_write(context: Context) -> Value:
    """Configure remote write for an intermittent link. It resumes where it left off if the write-ahead log allows."""
    telemetry = context.target.telemetry
    queue: dict[str, Value] = {"minBackoff": "1s", "maxBackoff": "5m", "retryOnRateLimit": True}
    if context.target.edge:
        queue.update({"maxShards": 2, "maxSamplesPerSend": 1000, "capacity": 5000})
    settings: dict[str, Value] = {"url": telemetry.remote_write, "queueConfig": queue}
    if telemetry.secret is not None:
        secret = context.secret(telemetry.secret)
        settings["authorization"] = {"type": "Bearer", "credentials": {"name": secret.name, "key": secret.key}}
    return settings


def _alertmanager_spec(context: Context, replicas: int) -> dict[str, Value]:
    """Return Alertmanager's spec.

    A configuration outside Alertmanager's namespace only matches alerts from its own namespace.
    """
    return {
        "replicas": replicas,
        "alertmanagerConfigMatcherStrategy": {"type": "OnNamespaceExceptForAlertmanagerNamespace"},
        "resources": _resources("50m", "128Mi"),
        "storage": _storage(1, context),
    }


def _storage(size: int, context: Context) -> dict[str, Value]:
    claim: dict[str, Value] = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": memory_text(size * _GI)}},
    }
    if context.target.storage_class:
        claim["storageClassName"] = context.target.storage_class
    return {"volumeClaimTemplate": {"spec": claim}}


def _grafana() -> dict[str, Value]:
    """Return values for Grafana: dashboards from all namespaces; no ingress, anonymous users or usage reports."""
    return {
        "admin": {"existingSecret": GRAFANA_SECRET, "userKey": "admin-user", "passwordKey": "admin-password"},
        "initChownData": {"enabled": False},
        "persistence": {"enabled": False},
        "testFramework": {"enabled": False},
        "resources": _resources("100m", "256Mi"),
        "sidecar": {
            "resources": _resources("50m", "128Mi"),
            "datasources": {"alertmanager": {"enabled": False}},  # silences are created with `kubectl port-forward`
        },
        "grafana.ini": {
            "analytics": {"reporting_enabled": False, "check_for_updates": False},
            "auth.anonymous": {"enabled": False},
            "users": {"allow_sign_up": False},
        },
    }


def _resources(cpu: str, memory: str) -> dict[str, Value]:
    """Limit memory but not CPU, because a throttled operator would react late."""
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": memory}}


def _repository(image: str, context: Context) -> str:
    return mirrored(image, context.target)


def _registry(context: Context) -> str:
    images = context.target.images
    return images.registry if images.mirror else ""


def _pull(key: str, context: Context) -> dict[str, Value]:
    pull = pull_secret_of_addons(context.target)
    return {key: [{"name": pull}]} if pull else {}
