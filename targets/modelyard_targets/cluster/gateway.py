"""A Gateway of the system's own, where the target names a class instead of one that is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.manifest import labels, metadata, object_of
from modelyard.plan import Resource, Route
from modelyard.spec import Gateway
from modelyard.stack import Manifest, Value
from modelyard_targets.cluster.context import Context, Made
from modelyard_targets.cluster.route import gateway_name, needs_route

COMPONENT: Final = "gateway"


def lower_gateway(resource: Resource, context: Context) -> Iterator[Made]:
    """The Gateways that routes of this placement hang on; none where no route needs it, since it may cost money."""
    gateway = context.target.gateway
    if gateway is None or not gateway.class_name or gateway.name:
        return
    origin = (*resource.origin, "gateway")
    if gateway.class_name == context.platform.gateway_class and _uses_class(gateway, context):
        yield Made(origin, _class(context))
    routes = _routes(gateway, context)
    for exposure in dict.fromkeys(route.inference.endpoint.exposure for route in routes):
        yield Made(origin, _gateway(gateway, exposure, context))
        if gateway.class_name != context.platform.gateway_class:
            return


def _routes(gateway: Gateway, context: Context) -> Iterator[Route]:
    """What hangs on a Gateway of ours, the internal before the public."""
    values = [one.value for one in context.plan.on(context.placement) if isinstance(one.value, Route)]
    routes = [route for route in values if needs_route(route, gateway)]
    yield from sorted(routes, key=lambda route: route.inference.endpoint.exposure == "public")


def _uses_class(gateway: Gateway, context: Context) -> bool:
    """Whether a Gateway of this class will be there: one of ours, or one that KubeRay makes for a rollout."""
    values = [one.value for one in context.plan.on(context.placement) if isinstance(one.value, Route)]
    return any(needs_route(one, gateway) or one.inference.rollout.strategy == "incremental" for one in values)


def _class(context: Context) -> Manifest:
    system = context.system.metadata.name
    described: dict[str, Value] = {
        "name": context.platform.gateway_class,
        "labels": labels(system, system, component=COMPONENT),
    }
    spec: dict[str, Value] = {"controllerName": context.platform.gateway_controller}
    return object_of("gateway.networking.k8s.io/v1", "GatewayClass", described, spec=spec)


def _gateway(gateway: Gateway, exposure: str, context: Context) -> Manifest:
    """One for all that a company reaches, and on platforms that know the internet another for what everybody does."""
    system = context.system.metadata.name
    name = gateway_name(gateway, exposure, context)
    described = metadata(name, context.namespace, labels(system, system, component=COMPONENT))
    spec: dict[str, Value] = {"gatewayClassName": gateway.class_name, "listeners": [_listener(context)]}
    annotations = context.platform.gateway_annotations(exposure, context)
    if annotations:
        spec["infrastructure"] = {"annotations": dict(annotations)}
    return object_of("gateway.networking.k8s.io/v1", "Gateway", described, spec=spec)


def _listener(context: Context) -> dict[str, Value]:
    gateway = context.target.gateway
    assert gateway is not None
    routes: dict[str, Value] = {"namespaces": {"from": "Same"}}
    if gateway.certificate is None:
        return {"name": "http", "protocol": "HTTP", "port": 80, "allowedRoutes": routes}
    secret = context.secret(gateway.certificate, "tls.crt")
    tls: dict[str, Value] = {"mode": "Terminate", "certificateRefs": [{"kind": "Secret", "name": secret.name}]}
    return {"name": "https", "protocol": "HTTPS", "port": 443, "tls": tls, "allowedRoutes": routes}
