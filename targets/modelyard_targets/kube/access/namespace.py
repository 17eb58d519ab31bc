"""A system's namespace, with restricted Pod security, quotas, and a default-deny network policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from modelyard.manifest import config_map, labels, metadata, object_of
from modelyard.plan import Resource
from modelyard.spec import System
from modelyard.stack import Manifest, Value
from modelyard_targets.kube.placement.context import Context, KubeObject
from modelyard_targets.kube.pods.priorities import priority_classes, quotas

COMPONENT = "namespace"
QUOTA = "declared-capacity"
_GOVERNANCE = "governance.modelyard.dev"
_DNS_PORTS: list[Value] = [{"protocol": protocol, "port": port} for port in (53, 5353) for protocol in ("UDP", "TCP")]
_NODE_LOCAL_DNS = "169.254.20.10/32"


def lower_namespace(resource: Resource, context: Context, quota: Mapping[str, str]) -> Iterator[KubeObject]:
    """Yield the namespace, its quota and container defaults, and network policies that only allow DNS.

    In a shared cluster, the namespace already exists, so only its contents are created. `quota` is the declared
    capacity as a ResourceQuota, or empty.
    """
    from modelyard_targets.kube.access.admission import policy_of_autoscalers  # imported here: checks do not need it

    system = context.system
    annotations = governance(system, context.target.residency)
    if context.target.tenancy == "shared":
        yield KubeObject(
            resource.origin, config_map(metadata("governance", context.namespace, _labels(context)), annotations)
        )
    else:
        yield KubeObject(resource.origin, _namespace(annotations, context))
    if quota:
        for name, bound in quotas(quota, QUOTA, context):
            yield KubeObject((*resource.origin[:-1], "capacity"), _object("v1", "ResourceQuota", name, context, bound))
    yield KubeObject(resource.origin, _object("v1", "LimitRange", "defaults", context, {"limits": [_DEFAULTS]}))
    for name, spec in CLOSED.items():
        yield KubeObject(resource.origin, _object("networking.k8s.io/v1", "NetworkPolicy", name, context, spec))
    yield from priority_classes(context)
    yield from policy_of_autoscalers(resource.origin, context)


_DEFAULTS: Manifest = {
    "type": "Container",
    "default": {"cpu": "500m", "memory": "512Mi"},
    "defaultRequest": {"cpu": "100m", "memory": "256Mi"},
}
"""Sizes for containers that operators inject into our Pods, because the quota refuses containers without sizes."""

_DENY_ALL: Manifest = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}

_ALLOW_DNS: Manifest = {
    "podSelector": {},
    "policyTypes": ["Egress"],
    "egress": [{"to": [{"namespaceSelector": {}}, {"ipBlock": {"cidr": _NODE_LOCAL_DNS}}], "ports": _DNS_PORTS}],
}
"""Allows DNS queries to kube-system, to openshift-dns (port 5353), and to a node cache at a link-local address."""

CLOSED: Mapping[str, Manifest] = {"deny-all": _DENY_ALL, "allow-dns": _ALLOW_DNS}
"""Network policies, by name, for every namespace that modelyard creates. These policies allow only DNS."""


def governance(system: System, located: str) -> dict[str, str]:
    """Return the system's governance settings as annotations, including its owner, risk and data classes."""
    governed = system.governance
    budget = governed.budget
    annotations = {
        "system": system.metadata.name,
        "description": system.metadata.description,
        "environment": system.environment,
        "industry": system.profile.industry,
        "owner-team": governed.owner.team,
        "owner-email": governed.owner.email,
        "oncall": governed.owner.oncall,
        "risk": governed.risk,
        "data-classes": ",".join(governed.data_classes),
        "residency": ",".join(governed.residency),
        "located": located,
        "budget": f"{budget.monthly:g} {budget.currency} a month, {budget.on_exceed}" if budget else "",
    }
    return {name: text for name, text in annotations.items() if text}


def _namespace(annotations: Mapping[str, str], context: Context) -> Manifest:
    levels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
    described: dict[str, Value] = {
        "name": context.namespace,
        "labels": {**_labels(context), **levels},
        "annotations": {f"{_GOVERNANCE}/{name}": text for name, text in annotations.items()},
    }
    return object_of("v1", "Namespace", described)


def _labels(context: Context) -> dict[str, Value]:
    return labels(context.system.metadata.name, context.namespace, component=COMPONENT)


def _object(api_version: str, kind: str, name: str, context: Context, spec: Manifest) -> Manifest:
    return object_of(api_version, kind, metadata(name, context.namespace, _labels(context)), spec=spec)
