"""Network policies of workloads. Everything is closed by the namespace's own policy; these are the openings.

A NetworkPolicy knows Pods, namespaces and addresses, not host names. So a store or registry outside of the cluster is
opened as its port on the addresses of the target's `egress`; where none are declared, on every address but those on
which clouds serve credentials. docs/decisions/0010-openings.md has the reasons.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from modelyard.manifest import labels, metadata, object_of, without_empty
from modelyard.plan import (
    Identity,
    Job,
    ModelServer,
    MonitorJob,
    Promoter,
    Resource,
    Starter,
    cluster_service,
    reports,
)
from modelyard.spec import Inference, Store
from modelyard.stack import Manifest, Value
from modelyard_targets.cluster.context import REGISTRY_PORT, Context, Made, cloud_of, region_of
from modelyard_targets.cluster.describe import stores_of, uses_registry
from modelyard_targets.cluster.fixed import PORTS, SERVE_PORT
from modelyard_targets.cluster.job import job_groups
from modelyard_targets.cluster.launcher import launcher_name
from modelyard_targets.cluster.ray_cluster import serving_cluster_scales
from modelyard_targets.cluster.route import is_ours

COMPONENT = "network"
NAMESPACE_NAME = "kubernetes.io/metadata.name"

_API_PORTS = (443, 6443)
PROMETHEUS_PORT = 9090
_METRIC_PORTS = (PORTS["metrics"], PORTS["as-metrics"], PORTS["dash-metrics"])
ANYWHERE: tuple[Value, ...] = (
    {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}},
    {"ipBlock": {"cidr": "::/0", "except": ["fe80::/10", "fd00:ec2::254/128"]}},
)
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
"""Where the API of a cluster of one's own is: private addresses (RFC 1918, RFC 4193) and shared ones (RFC 6598)."""
_SCHEME_PORTS = {"http": 80, "redis": 6379, "rediss": 6379, "https": 443, "s3": 443, "gs": 443, "abfss": 443}
_SERVED = frozenset({"http", "postgresql"})
"""Schemes of Services. A bucket is no host, and a short name behind https without a port is a domain."""
_LABEL = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")


def lower_network(resource: Resource, context: Context) -> Iterator[Made]:
    """The policies of a MODEL_SERVER, a pipeline, a MONITOR, the PROMOTER or a STARTER."""
    value = resource.value
    if isinstance(value, ModelServer):
        yield from _server(resource, value, context)
    elif isinstance(value, Job):
        yield from _job(resource, value, context)
    elif isinstance(value, MonitorJob):
        yield from _monitor(resource, value, context)
    elif isinstance(value, Promoter):
        egress = _reached(resource, (), context)
        if context.prometheus_uri and value.reports(context.system):
            egress += _prometheus(context)
        yield network_policy(resource, resource.name, _selector(resource.name), context, egress=egress)
    elif isinstance(value, Starter):
        egress = [*_reached(resource, (), context), reach_api(context)]
        yield network_policy(resource, resource.name, _selector(resource.name), context, egress=egress)


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
    port = parts.port or _SCHEME_PORTS.get(parts.scheme, 443)
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
    if is_regional(store, context):
        network = context.target.options.network
        if network is None or not network.adopted:
            return []
        return [{"to": [{"ipBlock": {"cidr": network.cidr}}], "ports": ports(_SCHEME_PORTS["https"])}]
    if not store.endpoint and cloud_of(store, context.system) is not None:
        return [{"to": list(ANYWHERE), "ports": ports(_SCHEME_PORTS["https"])}]
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


def _server(resource: Resource, server: ModelServer, context: Context) -> Iterator[Made]:
    own = pods(resource.name)
    ingress: list[Value] = [
        {"from": [own]},
        {"from": [_operator(context)], "ports": ports(PORTS["dashboard"], SERVE_PORT)},
        *_scraped(context),
        {"from": _clients(server, context), "ports": ports(SERVE_PORT)},
    ]
    state = context.target.head_state
    uris = (state.redis,) if state is not None else ()
    egress: list[Value] = [{"to": [own]}, *_reached(resource, uris, context)]
    yield network_policy(resource, resource.name, _selector(resource.name), context, ingress=ingress, egress=egress)
    if serving_cluster_scales(server):
        yield _head(resource, context)


def _job(resource: Resource, job: Job, context: Context) -> Iterator[Made]:
    own = pods(resource.name)
    ingress: list[Value] = [
        {"from": [own]},
        {"from": [_operator(context)], "ports": ports(PORTS["dashboard"])},
        *_scraped(context),
    ]
    egress: list[Value] = [{"to": [own]}, *_reached(resource, _job_uris(job, context), context)]
    yield network_policy(resource, resource.name, _selector(resource.name), context, ingress=ingress, egress=egress)
    if any(group.minimum < group.maximum for group in job_groups(job, context)):
        yield _head(resource, context)
    if reports(job, context.system) and context.prometheus_uri:
        name = f"{resource.name}.{'gate' if job.pipeline.type == 'training' else 'files'}"
        selector = _head_selector(resource.name)
        yield network_policy(resource, name, selector, context, egress=_prometheus(context))
    if context.launched(job.pipeline):
        name = launcher_name(resource)
        yield network_policy(resource, name, _selector(name), context, egress=[reach_api(context)])


def _monitor(resource: Resource, job: MonitorJob, context: Context) -> Iterator[Made]:
    egress = _reached(resource, _monitor_uris(job, context), context)
    if context.prometheus_uri:
        egress += _prometheus(context)
    if job.monitor.on_breach.run and job.request is None:
        egress.append(reach_api(context))
    yield network_policy(resource, resource.name, _selector(resource.name), context, egress=egress)


def _head(resource: Resource, context: Context) -> Made:
    """The autoscaler in the head asks the cluster's API for machines; no other Pod of the cluster may reach it.

    The dot keeps its name apart from every workload's.
    """
    return network_policy(
        resource, f"{resource.name}.head", _head_selector(resource.name), context, egress=[reach_api(context)]
    )


def _head_selector(name: str) -> dict[str, Value]:
    """The head of a workload's Ray cluster, where the driver of a run is; code of the user runs on workers."""
    return {**_selector(name), "ray.io/node-type": "head"}


def _selector(name: str) -> dict[str, Value]:
    return {"app.kubernetes.io/name": name}


def _operator(context: Context) -> dict[str, Value]:
    """KubeRay's operator, in whichever namespace it is where it was there before."""
    anywhere = "kuberay" in context.target.present
    where = every_namespace() if anywhere else namespace(context.operator_namespace)
    return {**where, **pods("kuberay-operator")}


def _scraped(context: Context) -> list[Value]:
    if not context.monitored:
        return []
    return [{"from": [prometheus_pods(context)], "ports": ports(*_METRIC_PORTS)}]


def prometheus_pods(context: Context) -> dict[str, Value]:
    """Prometheus itself where it is installed here; an existing one may have any labels in its namespace."""
    where = namespace(context.target.telemetry.namespace)
    return {**where, **pods("prometheus")} if _installs_prometheus(context) else where


def _installs_prometheus(context: Context) -> bool:
    return context.monitored and "prometheus" not in context.target.present


def _prometheus(context: Context) -> list[Value]:
    """Egress to the Prometheus that takes what workloads push."""
    if context.target.telemetry.prometheus or not _installs_prometheus(context):
        return reach(context.prometheus_uri, context)
    return [{"to": [prometheus_pods(context)], "ports": ports(PROMETHEUS_PORT)}]


def _clients(server: ModelServer, context: Context) -> list[Value]:
    """Who may call: named namespaces, else the own one; and the gateway, where it leads here."""
    found: dict[str, Value] = {}
    for application in server.applications:
        inference = application.inference
        for name in inference.endpoint.clients or (context.namespace,):
            found.setdefault(f"namespace {name}", namespace(name))
        if _through_gateway(inference, context):
            found.setdefault("gateway", _gateway(context))
    return list(found.values())


def _through_gateway(inference: Inference, context: Context) -> bool:
    if context.target.gateway is None:
        return False
    divided = len(inference.variants) > 1 or inference.mirror is not None
    return divided or inference.endpoint.exposure != "cluster" or inference.rollout.strategy == "incremental"


def _gateway(context: Context) -> dict[str, Value]:
    """Where the proxies of a gateway run is its controller's choice, unless the spec names the namespace or the
    controller is installed here.
    """
    gateway = context.target.gateway
    assert gateway is not None
    own = context.platform.gateway_namespace if is_ours(gateway, context) else ""
    where = gateway.namespace or own or gateway.proxies
    return namespace(where) if where else every_namespace()


def _reached(resource: Resource, uris: Sequence[str], context: Context) -> list[Value]:
    """Egress to the registry, the stores and the datasets of a workload, each opening once."""
    openings: list[Value] = []
    if uses_registry(resource, context):
        openings += _registry(context)
    for store in stores_of(resource.workload, context):
        openings += reach_store(store, context)
    for uri in uris:
        openings += reach(uri, context)
    openings += reach_identity(resource.workload, context)
    found: list[Value] = []
    for opening in openings:
        if opening not in found:
            found.append(opening)
    return found


def _registry(context: Context) -> list[Value]:
    registry = context.system.registry
    service = cluster_service(context.registry_uri)
    if registry is None or registry.adopt or service is None:
        return reach(context.registry_uri, context)
    where = {**namespace(service[1]), **pods(service[0])}
    return [{"to": [where], "ports": ports(REGISTRY_PORT)}]


def _job_uris(job: Job, context: Context) -> list[str]:
    pipeline = job.pipeline
    names = [*pipeline.inputs, pipeline.output]
    for step in pipeline.steps:
        names += [*step.inputs, step.output]
    if job.model is not None and pipeline.type == "training":
        names += [check.data for check in job.model.validation]
    return _uris(names, context)


def _monitor_uris(job: MonitorJob, context: Context) -> list[str]:
    monitor = job.monitor
    names = [monitor.reference.data if monitor.reference else "", monitor.labels]
    section, _, watched = monitor.watch.partition(".")
    if section == "data":
        names.append(watched)
    elif section == "pipelines":
        pipeline = context.system.pipelines[watched]
        names.append(pipeline.output or pipeline.inputs[0])
    return _uris(names, context)


def _uris(names: Sequence[str], context: Context) -> list[str]:
    """Addresses of the datasets that lie in no declared store."""
    datasets = [context.system.data[name] for name in dict.fromkeys(names) if name]
    return [dataset.uri for dataset in datasets if dataset.uri]
