"""Network policies for workloads, which add allow rules to the namespace's default deny."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from modelyard.plan import Job, ModelServer, MonitorJob, Promoter, Resource, Starter, cluster_service, reports
from modelyard.spec import Inference
from modelyard.stack import Value
from modelyard_targets.kube.network.policies import (
    PROMETHEUS_PORT,
    every_namespace,
    installs_prometheus,
    namespace,
    network_policy,
    pods,
    ports,
    prometheus_pods,
    reach,
    reach_api,
    reach_identity,
    reach_store,
)
from modelyard_targets.kube.network.route import is_ours
from modelyard_targets.kube.pipelines.job import job_groups
from modelyard_targets.kube.pipelines.launcher import launcher_name
from modelyard_targets.kube.placement.context import REGISTRY_PORT, Context, KubeObject
from modelyard_targets.kube.placement.fixed import PORTS, SERVE_PORT
from modelyard_targets.kube.storage.addressed import addressed
from modelyard_targets.kube.workload.describe import stores_of, uses_registry

_METRIC_PORTS = (PORTS["metrics"], PORTS["as-metrics"], PORTS["dash-metrics"])


def network_of_promoter(resource: Resource[Promoter], context: Context) -> Iterator[KubeObject]:
    """Yield the network policy of a PROMOTER."""
    egress = _reached(resource, (), context)
    if context.prometheus_uri and resource.value.reports(context.system):
        egress += _prometheus(context)
    yield network_policy(resource, resource.name, _selector(resource.name), context, egress=egress)


def network_of_starter(resource: Resource[Starter], context: Context) -> Iterator[KubeObject]:
    """Yield the network policy of a STARTER."""
    egress = [*_reached(resource, (), context), reach_api(context)]
    yield network_policy(resource, resource.name, _selector(resource.name), context, egress=egress)


def network_of_server(resource: Resource[ModelServer], context: Context) -> Iterator[KubeObject]:
    """Yield the network policies of a MODEL_SERVER."""
    server, own = resource.value, pods(resource.name)
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
    if server.scales:
        yield _head(resource, context)


def network_of_job(resource: Resource[Job], context: Context) -> Iterator[KubeObject]:
    """Yield the network policies of a JOB."""
    job, own = resource.value, pods(resource.name)
    ingress: list[Value] = [
        {"from": [own]},
        {"from": [_operator(context)], "ports": ports(PORTS["dashboard"])},
        *_scraped(context),
    ]
    egress: list[Value] = [{"to": [own]}, *_reached(resource, _uris(resource, context), context)]
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


def network_of_monitor(resource: Resource[MonitorJob], context: Context) -> Iterator[KubeObject]:
    """Yield the network policy of a MONITOR."""
    job = resource.value
    egress = _reached(resource, _uris(resource, context), context)
    if context.prometheus_uri:
        egress += _prometheus(context)
    if job.monitor.on_breach.run and job.request is None:
        egress.append(reach_api(context))
    yield network_policy(resource, resource.name, _selector(resource.name), context, egress=egress)


def _head(resource: Resource, context: Context) -> KubeObject:
    """Allow the head's autoscaler, but not the Ray cluster's other Pods, to call the Kubernetes API.

    The dot in the policy's name prevents collisions with other workloads' policies.
    """
    return network_policy(
        resource, f"{resource.name}.head", _head_selector(resource.name), context, egress=[reach_api(context)]
    )


def _head_selector(name: str) -> dict[str, Value]:
    """Select the head of a workload's Ray cluster, which runs the driver while workers run user code."""
    return {**_selector(name), "ray.io/node-type": "head"}


def _selector(name: str) -> dict[str, Value]:
    return {"app.kubernetes.io/name": name}


def _operator(context: Context) -> dict[str, Value]:
    """Select the KubeRay operator's Pods, in any namespace if the cluster already has an operator."""
    anywhere = "kuberay" in context.target.present
    where = every_namespace() if anywhere else namespace(context.operator_namespace)
    return {**where, **pods("kuberay-operator")}


def _scraped(context: Context) -> list[Value]:
    if not context.monitored:
        return []
    return [{"from": [prometheus_pods(context)], "ports": ports(*_METRIC_PORTS)}]


def _prometheus(context: Context) -> list[Value]:
    """Allow workloads to push metrics to Prometheus."""
    if context.target.telemetry.prometheus or not installs_prometheus(context):
        return reach(context.prometheus_uri, context)
    return [{"to": [prometheus_pods(context)], "ports": ports(PROMETHEUS_PORT)}]


def _clients(server: ModelServer, context: Context) -> list[Value]:
    """Return who may call a server: the gateway, and the namespaces in `clients` (by default our own)."""
    peers: dict[str, Value] = {}
    for application in server.applications:
        inference = application.inference
        for name in inference.endpoint.clients or (context.namespace,):
            peers.setdefault(f"namespace {name}", namespace(name))
        if _through_gateway(inference, context):
            peers.setdefault("gateway", _gateway(context))
    return list(peers.values())


def _through_gateway(inference: Inference, context: Context) -> bool:
    if context.target.gateway is None:
        return False
    divided = len(inference.variants) > 1 or inference.mirror is not None
    return divided or inference.endpoint.exposure != "cluster" or inference.rollout.strategy == "incremental"


def _gateway(context: Context) -> dict[str, Value]:
    """Select the gateway's proxies, in any namespace unless the spec or our own controller determines it."""
    gateway = context.target.gateway
    assert gateway is not None
    own = context.platform.gateway_namespace if is_ours(gateway, context) else ""
    where = gateway.namespace or own or gateway.proxies
    return namespace(where) if where else every_namespace()


def _reached(resource: Resource, uris: Sequence[str], context: Context) -> list[Value]:
    """Return the egress rules that a workload needs for its registry, stores and datasets."""
    openings: list[Value] = []
    if uses_registry(resource, context):
        openings += _registry(context)
    for store in stores_of(resource.workload, context):
        openings += reach_store(store, context)
    for uri in uris:
        openings += reach(uri, context)
    openings += reach_identity(resource.workload, context)
    distinct: list[Value] = []
    for opening in openings:
        if opening not in distinct:
            distinct.append(opening)
    return distinct


def _registry(context: Context) -> list[Value]:
    registry = context.system.registry
    service = cluster_service(context.registry_uri)
    if registry is None or registry.adopt or service is None:
        return reach(context.registry_uri, context)
    where = {**namespace(service[1]), **pods(service[0])}
    return [{"to": [where], "ports": ports(REGISTRY_PORT)}]


def _uris(resource: Resource, context: Context) -> list[str]:
    return [dataset.uri for dataset in addressed(resource, context.system)]
