"""Envoy's metrics for endpoints behind a Gateway created here.

Envoy Gateway 1.9 names a rule's upstream cluster `httproute/NAMESPACE/NAME/rule/N`, adding `/backend/N` for one of its
backends and `-mirror-N` for a mirror. Its proxies serve `/stats/prometheus` on port `metrics` and have the labels
`gateway.envoyproxy.io/owning-gateway-*` (github.com/envoyproxy/gateway, internal/gatewayapi/helpers.go and
internal/infrastructure/kubernetes/proxy).

Envoy's router counts all responses by status, including its own: 503 without a server or with a refused connection, and
504 after the route's timeout. It has no status for clients that disconnect. Ray's proxy reports 499 if a client
disconnects or Envoy gives up (github.com/envoyproxy/envoy, source/common/router/router.cc). Read 2026-11-25.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from modelyard.plan import Route
from modelyard.records import record
from modelyard.spec import Inference
from modelyard_targets.kube.metrics.promql import matching, selector
from modelyard_targets.kube.network.route import gateway_name, is_ours, needs_route
from modelyard_targets.kube.placement.context import Context

REQUESTS: Final = "envoy_cluster_upstream_rq"
TIMED_OUT: Final = "envoy_cluster_upstream_rq_timeout"
CODE: Final = "envoy_response_code"

OWNER: Final = "gateway.envoyproxy.io/owning-gateway-name"
OWNER_NAMESPACE: Final = "gateway.envoyproxy.io/owning-gateway-namespace"
_OWNER: Final = "gateway_envoyproxy_io_owning_gateway_name"
_OWNER_NAMESPACE: Final = "gateway_envoyproxy_io_owning_gateway_namespace"


@record
class Front:
    """The names of the Gateway and the HTTPRoute in front of an endpoint."""

    gateway: str
    route: str


def front_of(inference: Inference, context: Context) -> Front | None:
    """Return the Gateway and route names in front of an endpoint, or None if we don't install the proxies."""
    return fronts(context).get(inference.name)


@lru_cache(maxsize=1)
def fronts(context: Context) -> Mapping[str, Front]:
    """Map endpoints to their Gateways and routes.

    For an incremental rollout, KubeRay creates the Gateway and the route
    (ray-operator/controllers/ray/rayservice_controller.go, v1.7.0, read 2026-11-25).
    """
    gateway = context.target.gateway
    if gateway is None or not is_ours(gateway, context):
        return {}
    by_endpoint: dict[str, Front] = {}
    for resource in context.plan.of(Route, context.placement):
        route = resource.value
        inference = route.inference
        if needs_route(route, gateway):
            name = gateway_name(gateway, inference.endpoint.exposure, context)
            by_endpoint[inference.name] = Front(name, resource.name)
        elif inference.rollout.strategy == "incremental":
            server = route.backends[0].server
            by_endpoint[inference.name] = Front(f"{server}-gateway", f"{server}-httproute")
    return by_endpoint


def of_route(front: Front, context: Context, *more: str) -> str:
    """Select Envoy's series for a route, excluding mirrored requests."""
    prefix = f"httproute/{context.namespace}/{front.route}/rule/"
    rules = matching("envoy_cluster_name", prefix, "[0-9]+(/backend/[0-9]+)?")
    return selector({"namespace": context.platform.gateway_namespace}, rules, *more)


def proxies_of(front: Front, context: Context) -> str:
    """Select a Gateway's proxies as scrape targets."""
    own = {"namespace": context.platform.gateway_namespace, _OWNER: front.gateway, _OWNER_NAMESPACE: context.namespace}
    return selector(own)
