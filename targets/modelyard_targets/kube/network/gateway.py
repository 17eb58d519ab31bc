"""The system's own Gateways, for targets that set a gateway class rather than an existing Gateway."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from modelyard.manifest import labels, metadata, object_of
from modelyard.plan import Resource, Route
from modelyard.source import Path
from modelyard.spec import Gateway
from modelyard.stack import Manifest, Value
from modelyard_targets.kube.network.policies import every_namespace
from modelyard_targets.kube.network.route import class_of, gateway_name, is_ours, needs_route
from modelyard_targets.kube.placement.context import Context, KubeObject

COMPONENT: Final = "gateway"
GATEWAY_NAME: Final = "gateway.networking.k8s.io/gateway-name"
"""The label on all objects that a controller creates for a Gateway."""


def lower_gateway(resource: Resource, context: Context) -> Iterator[KubeObject]:
    """Yield the Gateways that routes attach to. Yields nothing if there are none, as Gateways may cost money."""
    gateway = context.target.gateway
    if gateway is None:
        return
    origin = (*resource.origin, "gateway")
    if gateway.class_name and not gateway.name:
        yield from _own(gateway, origin, context)
    if beside_the_gateway(context):
        yield KubeObject(origin, _proxies(context))


def _own(gateway: Gateway, origin: Path, context: Context) -> Iterator[KubeObject]:
    for name in own_classes(context):
        yield KubeObject(origin, _class(name, context))
    gateways: dict[str, str] = {}
    routes = (route for route in _routes(context) if needs_route(route, gateway))
    for exposure in _in_order(route.inference.endpoint.exposure for route in routes):
        gateways.setdefault(gateway_name(gateway, exposure, context), exposure)
    for name, exposure in gateways.items():
        yield KubeObject(origin, _gateway(gateway, name, exposure, context))


def beside_the_gateway(context: Context) -> bool:
    """Return whether proxies may run in the system's namespace, which our own gateway class rules out."""
    gateway = context.target.gateway
    where = "" if gateway is None else gateway.namespace or gateway.proxies
    if gateway is None or where not in {"", context.namespace} or is_ours(gateway, context):
        return False
    return any(
        needs_route(route, gateway) or route.inference.rollout.strategy == "incremental" for route in _routes(context)
    )


def own_classes(context: Context) -> tuple[str, ...]:
    """Return our own gateway classes in use, one for each exposure, including the classes for KubeRay's rollouts."""
    gateway = context.target.gateway
    if gateway is None or gateway.name or not is_ours(gateway, context):
        return ()
    exposures = (
        route.inference.endpoint.exposure
        for route in _routes(context)
        if needs_route(route, gateway) or route.inference.rollout.strategy == "incremental"
    )
    return tuple(class_of(gateway, exposure, context) for exposure in _in_order(exposures))


def _in_order(exposures: Iterable[str]) -> list[str]:
    """Return each exposure only once, from the narrowest to the widest."""
    present = set(exposures)
    return [exposure for exposure in ("cluster", "internal", "public") if exposure in present]


def _routes(context: Context) -> Iterator[Route]:
    return (route.value for route in context.plan.of(Route, context.placement))


def _class(name: str, context: Context) -> Manifest:
    system = context.system.metadata.name
    described: dict[str, Value] = {"name": name, "labels": labels(system, system, component=COMPONENT)}
    parameters: dict[str, Value] = {**context.platform.gateway_parameters, "name": name}
    spec: dict[str, Value] = {"controllerName": context.platform.gateway_controller, "parametersRef": parameters}
    return object_of("gateway.networking.k8s.io/v1", "GatewayClass", described, spec=spec)


def _gateway(gateway: Gateway, name: str, exposure: str, context: Context) -> Manifest:
    """Build a Gateway for the given exposure.

    With our own GatewayClass, the Gateway's settings come from a parameters object for that exposure. With any other,
    they come from the Gateway's annotations.
    """
    system = context.system.metadata.name
    described = metadata(name, context.namespace, labels(system, system, component=COMPONENT))
    spec: dict[str, Value] = {
        "gatewayClassName": class_of(gateway, exposure, context),
        "listeners": [_listener(context)],
    }
    annotations = context.platform.gateway_annotations(exposure, context)
    if annotations and not is_ours(gateway, context):
        spec["infrastructure"] = {"annotations": dict(annotations)}
    return object_of("gateway.networking.k8s.io/v1", "Gateway", described, spec=spec)


def _proxies(context: Context) -> Manifest:
    """Build the policy for proxies that a controller runs next to their Gateway, in our default-deny namespace.

    All clients may connect to the proxies. The proxies may connect to their controller and to servers in any namespace.
    If the proxies run elsewhere, the policy doesn't select any Pods.

    The Gateway API requires the Pod label (gateway-api.sigs.k8s.io/geps/gep-1762, read 2026-11-25). The policy accepts
    any value, because KubeRay's rollout Gateways have other names. The dot in the policy's name prevents collisions.
    """
    system, name = context.system.metadata.name, "gateway.proxies"
    spec: dict[str, Value] = {
        "podSelector": {"matchExpressions": [{"key": GATEWAY_NAME, "operator": "Exists"}]},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{}],
        "egress": [{"to": [every_namespace()]}],
    }
    described = metadata(name, context.namespace, labels(system, name, component=COMPONENT))
    return object_of("networking.k8s.io/v1", "NetworkPolicy", described, spec=spec)


def _listener(context: Context) -> dict[str, Value]:
    gateway = context.target.gateway
    assert gateway is not None
    routes: dict[str, Value] = {"namespaces": {"from": "Same"}}
    if gateway.certificate is None:
        return {"name": "http", "protocol": "HTTP", "port": 80, "allowedRoutes": routes}
    secret = context.secret(gateway.certificate, "tls.crt")
    tls: dict[str, Value] = {"mode": "Terminate", "certificateRefs": [{"kind": "Secret", "name": secret.name}]}
    return {"name": "https", "protocol": "HTTPS", "port": 443, "tls": tls, "allowedRoutes": routes}
