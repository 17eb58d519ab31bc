"""The series of Envoy that rules and dashboards read, where an endpoint is behind a Gateway of ours.

Envoy Gateway 1.9 calls the upstream cluster of a rule `httproute/NAMESPACE/NAME/rule/N`, that of one of its backends
the same with `/backend/N`, and that of a mirror with `-mirror-N`. Its proxies show the series under
`/stats/prometheus` at their port `metrics` and carry the labels `gateway.envoyproxy.io/owning-gateway-*`
(github.com/envoyproxy/gateway, internal/gatewayapi/helpers.go and internal/infrastructure/kubernetes/proxy).

Envoy's router counts every answer by its status, its own among them: 503 where it finds no server or is refused, 504
where the time of the route is over. A client that leaves has no status here; Ray's proxy calls that 499, and calls
the same what Envoy itself gave up (github.com/envoyproxy/envoy, source/common/router/router.cc). Read 2026-11-25.
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
    """The Gateway and the HTTPRoute that an endpoint is reached through, by their names."""

    gateway: str
    route: str


def front_of(inference: Inference, context: Context) -> Front | None:
    """What is in front of an endpoint; None where that is no Gateway whose proxies are known here."""
    return fronts(context).get(inference.name)


@lru_cache(maxsize=1)
def fronts(context: Context) -> Mapping[str, Front]:
    """By endpoint. For a rollout in steps KubeRay creates Gateway and HTTPRoute
    (ray-operator/controllers/ray/rayservice_controller.go, v1.7.0, read 2026-11-25).
    """
    gateway = context.target.gateway
    if gateway is None or not is_ours(gateway, context):
        return {}
    found: dict[str, Front] = {}
    for resource in context.plan.of(Route, context.placement):
        route = resource.value
        inference = route.inference
        if needs_route(route, gateway):
            name = gateway_name(gateway, inference.endpoint.exposure, context)
            found[inference.name] = Front(name, resource.name)
        elif inference.rollout.strategy == "incremental":
            server = route.backends[0].server
            found[inference.name] = Front(f"{server}-gateway", f"{server}-httproute")
    return found


def of_route(front: Front, context: Context, *more: str) -> str:
    """The selector of what Envoy counts for a route, without its mirror."""
    prefix = f"httproute/{context.namespace}/{front.route}/rule/"
    rules = matching("envoy_cluster_name", prefix, "[0-9]+(/backend/[0-9]+)?")
    return selector({"namespace": context.platform.gateway_namespace}, rules, *more)


def proxies_of(front: Front, context: Context) -> str:
    """The selector of the proxies of a Gateway, as scrape targets."""
    own = {"namespace": context.platform.gateway_namespace, _OWNER: front.gateway, _OWNER_NAMESPACE: context.namespace}
    return selector(own)
