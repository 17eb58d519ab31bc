"""Building blocks for network policies: peers, ports, and egress to a URL, a store or the Kubernetes API.

A NetworkPolicy can match Pods, namespaces and addresses, but not host names. For a store or registry outside the
cluster, a policy therefore allows the service's port on the target's `egress` addresses. Without `egress`, it allows
all addresses except those where clouds serve credentials. docs/decisions/0010-openings.md explains why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from modelyard.manifest import labels, metadata, object_of, without_empty
from modelyard.patterns import pattern
from modelyard.plan import Resource, cluster_service
from modelyard.spec import Store
from modelyard.stack import Manifest, Value
from modelyard_targets.kube.placement.context import Context, KubeObject
from modelyard_targets.kube.storage.buckets import cloud_of, driver_of, region_of

COMPONENT = "network"
NAMESPACE_NAME = "kubernetes.io/metadata.name"
_API_PORTS = (443, 6443)
PROMETHEUS_PORT = 9090
_LINK_LOCAL = "169.254.0.0/16"
ANYWHERE: tuple[Value, ...] = (
    {"ipBlock": {"cidr": "0.0.0.0/0", "except": [_LINK_LOCAL]}},
    {"ipBlock": {"cidr": "::/0", "except": ["fe80::/10", "fd00:ec2::254/128"]}},
)
_EVERY = ("0.0.0.0/0", "::/0")
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
"""Possible addresses of an on-premises API server: private (RFC 1918, RFC 4193) and shared (RFC 6598)."""
_HTTPS = 443
_SCHEME_PORTS = {"http": 80, "redis": 6379, "rediss": 6379}
_SERVED = frozenset({"http", "postgresql"})
"""URL schemes whose short host names may be Services. In other schemes, such as s3, the host is a bucket."""
_LABEL = pattern(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")


def pods(name: str) -> dict[str, Value]:
    """Select the Pods with the given name label."""
    return {"podSelector": {"matchLabels": {"app.kubernetes.io/name": name}}}


def namespace(name: str) -> dict[str, Value]:
    """Select all Pods in a namespace, using the label that Kubernetes sets on every namespace."""
    return {"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: name}}}


def every_namespace() -> dict[str, Value]:
    """Select all Pods in all namespaces."""
    return {"namespaceSelector": {}}


def ports(*numbers: int) -> list[Value]:
    """Return the given TCP ports as they are written in a network policy."""
    return [{"protocol": "TCP", "port": number} for number in numbers]


def network_policy(
    resource: Resource,
    name: str,
    selector: dict[str, Value],
    context: Context,
    *,
    ingress: Sequence[Value] = (),
    egress: Sequence[Value] = (),
) -> KubeObject:
    """Build a network policy for a workload's connections, which the namespace denies by default."""
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
    return KubeObject(resource.origin, manifest)


def reach(uri: str, context: Context, addresses: Sequence[Value] = ()) -> list[Value]:
    """Allow egress to a URL, i.e. to a Service's namespace, or to a port on `addresses` (default: `egress`).

    For a Service, the whole namespace is allowed, because policies apply to Pods, whose ports may differ from the
    Service's port. A short host name may be a Service or an external host, so both are allowed.
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
    """Return the namespace where DNS resolves a short host name: our own for `mlflow`, `ml` for `mlflow.ml`."""
    labels = host.split(".")
    if not all(_LABEL.fullmatch(label) for label in labels):
        return ""
    return {1: context.namespace, 2: labels[-1]}.get(len(labels), "")


def reach_api(context: Context) -> dict[str, Value]:
    """Allow egress to the Kubernetes API, whose address isn't known in the cluster.

    If the platform doesn't know the API server's address either, allow the target's `egress` and private addresses, but
    not the internet.
    """
    return {"to": _cluster_addresses(context), "ports": ports(*_API_PORTS)}


def reach_nodes(numbers: Sequence[int], context: Context) -> list[Value]:
    """Allow egress to ports on nodes at every address the API server may have, as nodes' own are unknown."""
    return [{"to": _cluster_addresses(context), "ports": ports(*numbers)}]


def reach_store(store: Store, context: Context) -> list[Value]:
    """Allow egress to an object store.

    `egress` doesn't limit cloud storage, because a spec can't list its addresses. For storage in the target's own
    region, the program creates the policy, using addresses from the infrastructure project. An adopted network may also
    have its own storage endpoint.
    """
    driver = driver_of(store, context.system)
    if is_regional(store, context):
        network = context.target.options.network
        if network is None or not network.adopted:
            return []
        return [{"to": [{"ipBlock": {"cidr": network.cidr}}], "ports": ports(driver.port)}]
    if not store.endpoint and cloud_of(store, context.system) is not None:
        return [{"to": anywhere(context), "ports": ports(driver.port)}]
    return reach(store.endpoint or context.uri(store), context)


def is_regional(store: Store, context: Context) -> bool:
    """Return whether a store is in the placement's own cloud and region, whose address ranges are known."""
    cloud = cloud_of(store, context.system)
    here = cloud is not None and not store.endpoint and cloud.provider == context.target.provider
    if context.platform.storage_is_own and (store.adopt or store.target != context.placement):
        return False
    return here and bool(context.platform.storage_ranges) and region_of(store, context.system) == context.target.region


def reach_identity(workload: str, context: Context) -> list[Value]:
    """Allow egress to the agent that provides cloud credentials, if the workload may access any store."""
    identity = context.identity(workload)
    agents: list[Value] = [{"ipBlock": {"cidr": cidr}} for cidr in context.platform.identity_agents]
    opens = identity is not None and bool(identity.value.access)
    return [{"to": agents, "ports": ports(*context.platform.identity_ports)}] if agents and opens else []


def _cluster_addresses(context: Context) -> list[Value]:
    known = context.platform.api_addresses(context)
    if not (known or context.target.egress):
        return anywhere(context)
    return [{"ipBlock": {"cidr": cidr}} for cidr in known or dict.fromkeys((*context.target.egress, *_PRIVATE))]


def outside(context: Context) -> list[Value]:
    """Select peers outside the cluster, i.e. the addresses in `egress` or, by default, all non-link-local ones."""
    declared: list[Value] = [{"ipBlock": {"cidr": cidr}} for cidr in context.target.egress]
    return declared or anywhere(context)


def anywhere(context: Context) -> list[Value]:
    """Select all addresses except link-local ones and those where the platform serves the nodes' credentials."""
    hidden = context.platform.hidden_addresses
    if not hidden:
        return list(ANYWHERE)
    return [{"ipBlock": {"cidr": _EVERY[0], "except": [_LINK_LOCAL, *hidden]}}, *ANYWHERE[1:]]


def is_anywhere(peer: Mapping[str, Value]) -> bool:
    """Return whether a peer is one of the peers that `anywhere` returns."""
    block = peer.get("ipBlock")
    return isinstance(block, Mapping) and block.get("cidr") in _EVERY and "except" in block


def prometheus_pods(context: Context) -> dict[str, Value]:
    """Select Prometheus's Pods, or its whole namespace if we didn't install it and don't know its labels."""
    where = namespace(context.target.telemetry.namespace)
    return {**where, **pods("prometheus")} if installs_prometheus(context) else where


def installs_prometheus(context: Context) -> bool:
    """Return whether we install the placement's Prometheus."""
    return context.monitored and "prometheus" not in context.target.present
