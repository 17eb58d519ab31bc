"""Cost lines for cloud resources created by Kubernetes objects: add-on volumes and Gateway load balancers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from modelyard.plan import Plan, Route
from modelyard.spec import Gateway
from modelyard_targets.kube.monitoring.metrics_disk import volume_gi
from modelyard_targets.kube.network.route import needs_route
from modelyard_targets.kube.placement.placed import addons_needed, addons_to_install, target_of

ALERTMANAGER_GIB: Final = 1
_PROMETHEUS: Final = "prometheus"
_ENVOY: Final = "envoy-gateway"


def volumes(plan: Plan, placement: str) -> Mapping[int, int]:
    """Return how many volumes Prometheus and Alertmanager need, by size in GiB, if we install them."""
    if _PROMETHEUS not in addons_to_install(plan, placement):
        return {}
    target = target_of(plan, placement)
    replicas = 2 if plan.system.profile.size == "enterprise" and not target.edge else 1
    return {volume_gi(plan.system, target): replicas, ALERTMANAGER_GIB: replicas}


def load_balancers(plan: Plan, placement: str) -> Mapping[str, int]:
    """Return how many load balancers the Gateways create, by exposure (`internal` or `public`).

    Routes with the same exposure share a Gateway. Each endpoint with an incremental rollout has its own Gateway,
    created by KubeRay. The owner of an existing Gateway pays for it, and Gateways inside the cluster don't have a load
    balancer.
    """
    gateway = target_of(plan, placement).gateway
    if gateway is None and _ENVOY in addons_needed(plan, placement):
        gateway = Gateway(class_name=_ENVOY)
    if gateway is None:
        return {}
    routes = [resource.value for resource in plan.of(Route, placement)]
    counts: Counter[str] = Counter()
    if not gateway.name:
        counts.update({route.inference.endpoint.exposure for route in routes if needs_route(route, gateway)})
    counts.update(_of_rollouts(routes))
    return {exposure: count for exposure, count in sorted(counts.items()) if exposure != "cluster"}


def _of_rollouts(routes: list[Route]) -> Iterator[str]:
    for route in routes:
        if route.inference.rollout.strategy == "incremental":
            yield route.inference.endpoint.exposure
