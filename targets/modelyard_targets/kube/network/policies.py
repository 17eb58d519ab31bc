"""Network policies and what they are made of: peers, ports, and egress to a URL, a store or the cluster's API.

A NetworkPolicy knows Pods, namespaces and addresses, not host names. So a store or registry outside of the cluster is
opened as its port on the addresses of the target's `egress`; where none are declared, on every address but those on
which clouds serve credentials. docs/decisions/0010-openings.md has the reasons.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from modelyard.manifest import labels, metadata, object_of, without_empty
from modelyard.patterns import pattern
from modelyard.plan import Identity, Resource, cluster_service
from modelyard.spec import Store
from modelyard.stack import Manifest, Value
from modelyard_targets.kube.placement.context import Context, Made
from modelyard_targets.kube.storage.buckets import cloud_of, driver_of, region_of

COMPONENT = "network"
NAMESPACE_NAME = "kubernetes.io/metadata.name"
_API_PORTS = (443, 6443)
PROMETHEUS_PORT = 9090
ANYWHERE: tuple[Value, ...] = (
    {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}},
    {"ipBlock": {"cidr": "::/0", "except": ["fe80::/10", "fd00:ec2::254/128"]}},
)
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
"""Where the API of a cluster of one's own is: private addresses (RFC 1918, RFC 4193) and shared ones (RFC 6598)."""
_HTTPS = 443
_SCHEME_PORTS = {"http": 80, "redis": 6379, "rediss": 6379}
_SERVED = frozenset({"http", "postgresql"})
"""Schemes of Services. A bucket is no host, and a short name behind https without a port is a domain."""
_LABEL = pattern(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")


def pods(name: str) -> dict[str, Value]:
    """The Pods of one workload's object."""
    return {"podSelector": {"matchLabels": {"app.kubernetes.io/name": name}}}


def namespace(name: str) -> dict[str, Value]:
    """All Pods of a namespace, by the label that Kubernetes itself gives it."""
    return {"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: name}}}


def every_namespace() -> dict[str, Value]:
    """All Pods of all namespaces."""
    return {"namespaceSelector": {}}


def ports(*numbers: int) -> list[Value]:
    """TCP ports."""
    return [{"protocol": "TCP", "port": number} for number in numbers]


def network_policy(
    resource: Resource,
    name: str,
    selector: dict[str, Value],
    context: Context,
    *,
    ingress: Sequence[Value] = (),
    egress: Sequence[Value] = (),
) -> Made:
    """Openings of a workload, added to what is open already: its namespace closes both directions."""
    labelled = labels(context.system.metadata.name, resource.name, resource.workload, COMPONENT)
    rules = without_empty({"ingress": list(ingress), "egress": list(egress)})
    spec: dict[str, Value] = {
        "podSelector": {"matchLabels": selector},
        "policyTypes": [direction.capitalize() for direction in rules],
        **rules,
    }
    manifest: Manifest = object_of(
        "networking.k8s.io/v1", "NetworkPolicy", metadata(name, context.namespace, labelled), spec=spec
    )
    return Made(resource.origin, manifest)


def reach(uri: str, context: Context, addresses: Sequence[Value] = ()) -> list[Value]:
    """Egress to a URL: a Service's namespace, or a port on these addresses, else those that workloads may reach.

    A policy is about Pods, which may listen on another port than their Service, so that a namespace is opened whole.
    A short host may be a Service or a host outside; a namespace that does not exist is no opening.
    """
    service = cluster_service(uri)
    if service is not None:
        return [{"to": [namespace(service[1])]}]
    parts = urlsplit(uri)
    port = parts.port or _SCHEME_PORTS.get(parts.scheme, _HTTPS)
    near = _namespace_by_search(parts.hostname or "", context) if parts.scheme in _SERVED or parts.port else ""
    inside: list[Value] = [{"to": [namespace(near)]}] if near else []
    return [*inside, {"to": list(addresses) or outside(context), "ports": ports(port)}]


def _namespace_by_search(host: str, context: Context) -> str:
    """Where a Pod looks for a host of one or two labels first: `mlflow` beside itself, `mlflow.ml` in `ml`."""
    labels = host.split(".")
    if not all(_LABEL.fullmatch(label) for label in labels):
        return ""
    return {1: context.namespace, 2: labels[-1]}.get(len(labels), "")


def reach_api(context: Context) -> dict[str, Value]:
    """Egress to the cluster's API, whose address no object of the cluster contains.

    Where the platform does not know it, a target that declares its `egress` keeps to it: beside that only private
    addresses are open, not the internet.
    """
    return {"to": _cluster_addresses(context), "ports": ports(*_API_PORTS)}


def reach_nodes(numbers: Sequence[int], context: Context) -> list[Value]:
    """Egress to processes of nodes, whose addresses are as unknown as that of the API."""
    return [{"to": _cluster_addresses(context), "ports": ports(*numbers)}]


def reach_store(store: Store, context: Context) -> list[Value]:
    """Egress to an object store. The spec cannot list the addresses of a cloud's own: `egress` bounds all but those.

    Those of the target's own region are opened by the program, which reads them from the project below; an adopted
    network may reach them by an endpoint of its own.
    """
    driver = driver_of(store, context.system)
    if is_regional(store, context):
        network = context.target.options.network
        if network is None or not network.adopted:
            return []
        return [{"to": [{"ipBlock": {"cidr": network.cidr}}], "ports": ports(driver.port)}]
    if not store.endpoint and cloud_of(store, context.system) is not None:
        return [{"to": list(ANYWHERE), "ports": ports(driver.port)}]
    return reach(store.endpoint or context.uri(store), context)


def is_regional(store: Store, context: Context) -> bool:
    """Whether a store is object storage of the cloud and region that the placement is in."""
    cloud = cloud_of(store, context.system)
    here = cloud is not None and not store.endpoint and cloud.provider == context.target.provider
    return here and bool(context.platform.storage_ranges) and region_of(store, context.system) == context.target.region


def reach_identity(workload: str, context: Context) -> list[Value]:
    """Egress to what hands a Pod the credentials of its identity, where the identity opens anything of a cloud."""
    identities = [one.value for one in (context.identity(workload),) if one is not None]
    opened = any(isinstance(one, Identity) and one.access for one in identities)
    agents: list[Value] = [{"ipBlock": {"cidr": cidr}} for cidr in context.platform.identity_agents]
    return [{"to": agents, "ports": ports(80)}] if agents and opened else []


def _cluster_addresses(context: Context) -> list[Value]:
    known = context.platform.api_addresses(context)
    if not (known or context.target.egress):
        return list(ANYWHERE)
    return [{"ipBlock": {"cidr": cidr}} for cidr in known or dict.fromkeys((*context.target.egress, *_PRIVATE))]


def outside(context: Context) -> list[Value]:
    """Peers outside the cluster: the addresses in the target's `egress`; all but link-local ones where it has none."""
    declared: list[Value] = [{"ipBlock": {"cidr": cidr}} for cidr in context.target.egress]
    return declared or list(ANYWHERE)


def prometheus_pods(context: Context) -> dict[str, Value]:
    """Prometheus itself where it is installed here; an existing one may have any labels in its namespace."""
    where = namespace(context.target.telemetry.namespace)
    return {**where, **pods("prometheus")} if installs_prometheus(context) else where


def installs_prometheus(context: Context) -> bool:
    """Whether the Prometheus of a placement is installed here."""
    return context.monitored and "prometheus" not in context.target.present
