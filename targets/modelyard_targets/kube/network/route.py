"""Routes to endpoints, each an HTTPRoute with weights, a mirror and timeouts (Gateway API 1.6).

An endpoint with one variant and only in-cluster clients doesn't need a route, because KubeRay creates the Service
`<server>-serve-svc`.
"""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.diagnostics.base import Diagnostic
from modelyard.diagnostics.target import (
    gateway_class_lacks,
    gateway_needed,
    mirror_unsupported,
    rollout_owns_route,
)
from modelyard.manifest import labels, metadata, object_of
from modelyard.plan import Backend, Plan, Resource, Route
from modelyard.source import Path
from modelyard.spec import Endpoint, Gateway, target_path
from modelyard.stack import Value
from modelyard_targets.kube.network.gateway_classes import lacking
from modelyard_targets.kube.placement.context import Context, KubeObject
from modelyard_targets.kube.placement.fixed import SERVE_PORT

COMPONENT = "route"
EXPOSURE = "modelyard.dev/exposure"
"""An HTTPRoute's label for the endpoint's exposure in the spec: `cluster`, `internal` or `public`."""


def serve_service(server: str) -> str:
    """Return the name of KubeRay's Service for a RayService, which always points to the active Ray cluster."""
    return f"{server}-serve-svc"


def is_ours(gateway: Gateway, context: Context) -> bool:
    """Return whether we install the controller of the gateway class."""
    return gateway.class_name == context.platform.gateway_class != ""


def class_of(gateway: Gateway, exposure: str, context: Context) -> str:
    """Return the gateway class for an exposure. Our controller has one class for each exposure."""
    own = exposure if is_ours(gateway, context) and exposure != "internal" else ""
    return f"{gateway.class_name}-{own}" if own else gateway.class_name


def gateway_name(gateway: Gateway, exposure: str, context: Context) -> str:
    """Return the name of the Gateway that routes attach to, either an existing one or our own.

    If the platform distinguishes public from internal Gateways, public routes get a separate Gateway so that internal
    endpoints aren't exposed. Our own classes also have a separate Gateway for routes within the cluster.
    """
    system = context.system.metadata.name
    public = exposure == "public" and context.platform.gateway_class != ""
    apart = public or (exposure == "cluster" and is_ours(gateway, context))
    return gateway.name or (f"{system}-{exposure}" if apart else system)


def check_routes(plan: Plan, placement: str, gateway: Gateway | None) -> Iterator[Diagnostic]:
    """Report gateway features that endpoints need but the target does not provide."""
    routes = [route.value for route in plan.of(Route, placement)]
    for route in routes:
        yield from _check(route, gateway, plan, placement)
    if gateway is not None and gateway.class_name:
        lacks = lacking(gateway.class_name, [route for route in routes if needs_route(route, gateway)])
        if lacks:
            where = plan.system.at(*target_path(plan.system, placement), "gateway", "class")
            yield gateway_class_lacks(where, gateway.class_name, lacks)


def _check(route: Route, gateway: Gateway | None, plan: Plan, placement: str) -> Iterator[Diagnostic]:
    inference = route.inference
    here: Path = ("inference", inference.name)
    if gateway is None:
        if len(route.backends) > 1:
            where = plan.system.key(*here, "traffic")
            yield gateway_needed(where, placement, "splitting traffic between variants")
        if route.mirror is not None:
            yield gateway_needed(plan.system.key(*here, "mirror"), placement, "a mirror")
    elif route.mirror is not None and not gateway.mirrors:
        yield mirror_unsupported(plan.system.key(*here, "mirror"), placement)
    if inference.rollout.strategy == "incremental":
        for field in _owned_by_rollout(inference.endpoint):
            yield rollout_owns_route(plan.system.key(*here, "endpoint", field), field)


def _owned_by_rollout(endpoint: Endpoint) -> Iterator[str]:
    """Yield endpoint fields that have no effect during an incremental rollout, as KubeRay creates the route."""
    if endpoint.host:
        yield "host"
    if endpoint.exposure == "public":
        yield "exposure"


def needs_route(route: Route, gateway: Gateway | None) -> bool:
    """Return whether an endpoint needs a route through a gateway."""
    inference = route.inference
    if gateway is None or inference.rollout.strategy == "incremental":
        return False
    return inference.endpoint.exposure != "cluster" or len(route.backends) > 1 or route.mirror is not None


def lower_route(resource: Resource[Route], context: Context) -> Iterator[KubeObject]:
    """Yield the HTTPRoute of an endpoint, if it needs one."""
    route = resource.value
    gateway = context.target.gateway
    if gateway is None or not needs_route(route, gateway):
        return
    endpoint = route.inference.endpoint
    labelled = labels(context.system.metadata.name, resource.name, resource.workload, COMPONENT)
    parent: dict[str, Value] = {
        "name": gateway_name(gateway, endpoint.exposure, context),
        "namespace": gateway.namespace or context.namespace,
    }
    if gateway.listener:
        parent["sectionName"] = gateway.listener
    spec: dict[str, Value] = {"parentRefs": [parent]}
    if endpoint.host:
        spec["hostnames"] = [endpoint.host]
    spec["rules"] = [_rule(route, context)]
    # with this label, the cluster's operator can treat public and internal routes differently
    labelled = {**labelled, EXPOSURE: endpoint.exposure}
    meta = metadata(resource.name, context.namespace, labelled)
    yield KubeObject(resource.origin, object_of("gateway.networking.k8s.io/v1", "HTTPRoute", meta, spec=spec))


def _rule(route: Route, context: Context) -> dict[str, Value]:
    endpoint = route.inference.endpoint
    filters = [*_rewrite(route, context), *_mirror(route)]
    rule: dict[str, Value] = {"matches": [{"path": {"type": "PathPrefix", "value": endpoint.path}}]}
    if filters:
        rule["filters"] = filters
    rule["backendRefs"] = [
        {**_reference(backend), "weight": backend.percent} for backend in route.backends if backend.percent
    ]
    rule["timeouts"] = {"request": f"{endpoint.timeout_s}s"}
    return rule


def _reference(backend: Backend) -> dict[str, Value]:
    return {"name": serve_service(backend.server), "port": SERVE_PORT}


def _rewrite(route: Route, context: Context) -> list[Value]:
    """Rewrite the path to the application's prefix on a shared server, if the endpoint has no path."""
    inference = route.inference
    prefix = context.prefixes[inference.name]
    if prefix == "/" or inference.endpoint.path.rstrip("/"):
        return []
    path = {"type": "ReplacePrefixMatch", "replacePrefixMatch": prefix}
    return [{"type": "URLRewrite", "urlRewrite": {"path": path}}]


def _mirror(route: Route) -> list[Value]:
    if route.mirror is None:
        return []
    mirror: dict[str, Value] = {"backendRef": _reference(route.mirror), "percent": route.mirror.percent}
    return [{"type": "RequestMirror", "requestMirror": mirror}]
