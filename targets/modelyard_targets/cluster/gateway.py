"""A Gateway of the system's own, where the target names a class instead of one that is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.manifest import labels, metadata, object_of
from modelyard.plan import Resource, Route
from modelyard.stack import Value
from modelyard_targets.cluster.context import Context, Made
from modelyard_targets.cluster.route import gateway_name, needs_route

COMPONENT: Final = "gateway"


def lower_gateway(resource: Resource, context: Context) -> Iterator[Made]:
    """The Gateway that routes of this placement hang on; none where no route needs it, since it may cost money."""
    gateway = context.target.gateway
    if gateway is None or not gateway.class_name or gateway.name:
        return
    routes = (one.value for one in context.plan.on(context.placement))
    if not any(isinstance(route, Route) and needs_route(route, gateway) for route in routes):
        return
    system = context.system.metadata.name
    described = metadata(gateway_name(gateway, system), context.namespace, labels(system, system, component=COMPONENT))
    spec: dict[str, Value] = {"gatewayClassName": gateway.class_name, "listeners": [_listener(context)]}
    origin = (*resource.origin, "gateway")
    yield Made(origin, object_of("gateway.networking.k8s.io/v1", "Gateway", described, spec=spec))


def _listener(context: Context) -> dict[str, Value]:
    gateway = context.target.gateway
    assert gateway is not None
    routes: dict[str, Value] = {"namespaces": {"from": "Same"}}
    if gateway.certificate is None:
        return {"name": "http", "protocol": "HTTP", "port": 80, "allowedRoutes": routes}
    secret = context.secret(gateway.certificate, "tls.crt")
    tls: dict[str, Value] = {"mode": "Terminate", "certificateRefs": [{"kind": "Secret", "name": secret.name}]}
    return {"name": "https", "protocol": "HTTPS", "port": 443, "tls": tls, "allowedRoutes": routes}
