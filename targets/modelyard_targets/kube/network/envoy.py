"""Envoy Gateway for platforms without a gateway controller: chart values, and a Helm hook replacement.

The values and the Job follow the chart gateway-helm 1.9.0 (github.com/envoyproxy/gateway, read 2026-11-24).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from modelyard.manifest import POD_SECURITY, RESTRICTED
from modelyard.program import Call, Ref
from modelyard_targets.kube.network.gateway import own_classes
from modelyard_targets.kube.placement.charts import charts
from modelyard_targets.kube.placement.context import Context, mirrored, pull_secret_of_addons
from modelyard_targets.kube.placement.platform import AddOn, Argument, as_literal

ENVOY: Final = "envoy-gateway"
CLASS: Final = "envoy"
_GROUP: Final = "gateway.envoyproxy.io"
CONTROLLER: Final = "gateway.envoyproxy.io/gatewayclass-controller"

_CERTIFICATES: Final = "certgen"
_USER: Final = 65532
_RIGHTS: Final = "rbac.authorization.k8s.io"


def _values(context: Context) -> Mapping[str, Argument]:
    """Return chart values. The topology injector is off, because it needs the Helm hook's webhook."""
    target = context.target
    pull = pull_secret_of_addons(target)
    pulls: list[Argument] = [{"name": pull}] if pull else []
    repository, _, tag = _image("gateway").rpartition(":")
    values: dict[str, Argument] = {
        "deployment": {
            "envoyGateway": {
                "image": {"repository": mirrored(repository, target), "tag": tag},
                **({"imagePullSecrets": pulls} if pulls else {}),
                "resources": {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"memory": "1Gi"}},
            },
            "replicas": 2 if context.enterprise else 1,
            "pod": {"nodeSelector": dict(context.support_selector)},
        },
        "topologyInjector": {"enabled": False},
    }
    if target.images.mirror:
        proxy: dict[str, Argument] = {"image": mirrored(_image("envoy"), target), "pullSecrets": pulls}
        values["global"] = {"images": {"envoyProxy": proxy}}
    return values


def _proxies(context: Context) -> Iterator[Call]:
    """Yield an EnvoyProxy for each gateway class in use, including the classes of KubeRay's rollout Gateways."""
    for name in own_classes(context):
        yield _proxy(name, name.removeprefix(CLASS).lstrip("-") or "internal", context)


def _proxy(name: str, exposure: str, context: Context) -> Call:
    annotations = context.platform.gateway_annotations(exposure, context)
    pod: dict[str, Argument] = {"nodeSelector": dict(context.support_selector)} if context.support_selector else {}
    deployment: dict[str, Argument] = {
        "replicas": 2 if context.enterprise else 1,
        **({"pod": pod} if pod else {}),
        "container": {"resources": {"requests": {"cpu": "200m", "memory": "512Mi"}, "limits": {"memory": "1Gi"}}},
    }
    service: dict[str, Argument] = {"annotations": dict(annotations)} if annotations else {}
    if exposure == "cluster":  # not a load balancer, which would be reachable from the whole network
        service = {"type": "ClusterIP"}
    settings: dict[str, Argument] = {"envoyDeployment": deployment, **({"envoyService": service} if service else {})}
    document: dict[str, Argument] = {
        "apiVersion": f"{_GROUP}/v1alpha1",
        "kind": "EnvoyProxy",
        "metadata": {"name": name, "namespace": _namespace()},
        "spec": {"provider": {"type": "Kubernetes", "kubernetes": settings}},
    }
    arguments = (("cluster", Ref("cluster")), ("document", as_literal(document)))
    return Call(f"{name}_proxies", "kubernetes.Object", f"{_namespace()}/{name}", arguments)


def _certificates(context: Context) -> Iterator[Call]:
    """Yield the Job, with its permissions, that creates mTLS certificates for the controller and proxies."""
    rule: dict[str, Argument] = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "create", "update"]}
    subject: dict[str, Argument] = {"kind": "ServiceAccount", "name": _CERTIFICATES, "namespace": _namespace()}
    role: dict[str, Argument] = {"apiGroup": _RIGHTS, "kind": "Role", "name": _CERTIFICATES}
    yield _object("account", "v1", "ServiceAccount", automountServiceAccountToken=False)
    yield _object("role", f"{_RIGHTS}/v1", "Role", rules=[rule])
    yield _object("binding", f"{_RIGHTS}/v1", "RoleBinding", roleRef=role, subjects=[subject])
    yield _object("job", "batch/v1", "Job", spec=_job(context))


def _job(context: Context) -> dict[str, Argument]:
    where: dict[str, Argument] = {"fieldRef": {"fieldPath": "metadata.namespace"}}
    container: dict[str, Argument] = {
        "name": _CERTIFICATES,
        "image": mirrored(_image("gateway"), context.target),
        "command": ["envoy-gateway", "certgen"],
        "args": ["--disable-topology-injector"],
        "env": [
            {"name": "ENVOY_GATEWAY_NAMESPACE", "valueFrom": where},
            {"name": "KUBERNETES_CLUSTER_DOMAIN", "value": "cluster.local"},
        ],
        "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "128Mi"}},
        "securityContext": {**RESTRICTED, "runAsUser": _USER, "readOnlyRootFilesystem": True},
    }
    pull = pull_secret_of_addons(context.target)
    spec: dict[str, Argument] = {
        "serviceAccountName": _CERTIFICATES,
        "automountServiceAccountToken": True,
        "restartPolicy": "Never",
        "securityContext": {**POD_SECURITY, "fsGroup": _USER, "runAsGroup": _USER, "runAsUser": _USER},
        **({"imagePullSecrets": [{"name": pull}]} if pull else {}),
        **({"nodeSelector": dict(context.support_selector)} if context.support_selector else {}),
        "containers": [container],
    }
    return {"backoffLimit": 3, "template": {"spec": spec}}


def _object(what: str, api_version: str, kind: str, **rest: Argument) -> Call:
    metadata: dict[str, Argument] = {"name": _CERTIFICATES, "namespace": _namespace()}
    document: dict[str, Argument] = {"apiVersion": api_version, "kind": kind, "metadata": metadata, **rest}
    arguments = (("cluster", Ref("cluster")), ("document", as_literal(document)))
    return Call(f"certificates_{what}", "kubernetes.Object", f"certificates-{what}", arguments)


def _image(name: str) -> str:
    return next(image for image in charts()[ENVOY].images if f"/{name}:" in image)


def _namespace() -> str:
    return charts()[ENVOY].namespace


PARAMETERS: Final[Mapping[str, str]] = {
    "group": _GROUP,
    "kind": "EnvoyProxy",
    "namespace": charts()[ENVOY].namespace,
}
"""The parameters object that a gateway class refers to, which has the same name as the gateway class."""

ENVOY_GATEWAY: Final = AddOn(values=_values, before=_certificates, after=_proxies, pod_security="baseline")
"""The Envoy Gateway add-on. Its namespace is not `restricted`, because proxy Pods do not set a seccomp profile."""
