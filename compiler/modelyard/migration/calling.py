"""Endpoint addresses: what changes for each endpoint's callers when traffic is cut over to the new side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.migration.records import Move, Step
from modelyard.migration.sites import for_each_site
from modelyard.plan import ModelServer, Resource, Route, is_same_cluster
from modelyard.spec import Inference

STEPS: Final = (1, 10, 50, 100)
"""The percentage of requests that the new side serves in each step."""

SERVE_PORT: Final = 8000
"""Ray Serve's port in a cluster, and the local port that commands forward to it."""


def endpoints_of(move: Move) -> tuple[Inference, ...]:
    """Return the endpoints that exist on both sides."""
    old = move.side("old").system.inference
    return tuple(
        route.value.inference for route in move.side("new").plan.of(Route) if route.value.inference.name in old
    )


def have_hosts(move: Move) -> bool:
    """Return whether any endpoint has a host, the DNS name that callers use."""
    return any(inference.endpoint.host for inference in endpoints_of(move))


def served(move: Move, which: str, inference: Inference) -> tuple[str, str, str]:
    """Return where an endpoint's first variant is served: the target, the server's name, and the path on the server."""
    plan, route = move.side(which).plan, _route(move, which, inference)
    backend = route.value.backends[0]
    server = next(candidate for candidate in plan.of(ModelServer, route.placement) if candidate.name == backend.server)
    application = next(
        candidate
        for candidate in server.value.applications
        if candidate.inference.name == inference.name and candidate.variant.name == backend.variant
    )
    path = inference.endpoint.path.rstrip("/") or application.route_prefix
    return route.placement, backend.server, path


def _route(move: Move, which: str, inference: Inference) -> Resource[Route]:
    routes = move.side(which).plan.of(Route)
    return next(route for route in routes if route.value.inference.name == inference.name)


def shifts(move: Move) -> Iterator[Step]:
    """Yield the steps that shift traffic, in general terms: specs have no DNS records or target weights."""
    percents = ", ".join(str(percent) for percent in STEPS)
    for inference in endpoints_of(move):
        if inference.endpoint.host:
            yield Step(
                f"{inference.name}: give the Gateway of the new side {percents} percent of {inference.endpoint.host},"
                " by weights in your DNS or in the load balancer in front of both sides. The spec cannot express this:"
                " it has no DNS, and its traffic shares are between variants of one endpoint."
            )
        else:
            yield Step(
                f"{inference.name}: it has no host. Change the address that callers use, one caller at a time, to"
                f" {_new_address(move, inference)}.{_unreachable(move, inference)}"
            )


def _new_address(move: Move, inference: Inference) -> str:
    """Return where callers reach an endpoint without a host: its Service, or a Gateway if one routes to it."""
    placement, server, path = served(move, "new", inference)
    route = _route(move, "new", inference)
    gateway = move.side("new").system.target(placement).gateway
    is_routed = inference.endpoint.exposure != "cluster" or len(route.value.backends) > 1
    if gateway is not None and is_routed:
        return f"the Gateway of target {placement} on the new side, with the same path"
    namespace = move.handovers["new"][placement].namespace
    address = f"http://{server}-serve-svc.{namespace}.svc.cluster.local:{SERVE_PORT}{path}"
    places = for_each_site(move.side("new"), address)
    return f"the Service {places[0]}" if len(places) == 1 else f"the Service of each site, such as {places[0]}"


def _unreachable(move: Move, inference: Inference) -> str:
    """Return a warning if callers in the old cluster can't reach the new Service, otherwise ""."""
    before, after = (move.side(which).system.target(served(move, which, inference)[0]) for which in ("old", "new"))
    if is_same_cluster(before, after) or inference.endpoint.exposure != "cluster":
        return ""
    return (
        " Callers inside the old cluster cannot reach a Service in the new one: move them first, or give the endpoint"
        " an exposure that they can reach, with a host, before you begin."
    )
