"""Check the spec against a target's network: addresses outside `egress`, ineffective `clients`, and edge disks."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TypeAlias
from urllib.parse import urlsplit

from modelyard.diagnostics import reach as problems
from modelyard.diagnostics.base import Diagnostic, quote
from modelyard.plan import Identity, ModelServer, Plan, Route
from modelyard.source import Path
from modelyard.spec import Channel, target_path
from modelyard_targets.kube.data.crossing import keeps_models, reads_bundles
from modelyard_targets.kube.data.disk import has_disk
from modelyard_targets.kube.placement.placed import addons_to_install, registry_of, target_of

_Address: TypeAlias = IPv4Address | IPv6Address


def check_egress(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report IP addresses outside the target's `egress`. Host names cannot be checked."""
    target = target_of(plan, placement)
    if not target.egress:
        return
    open_ranges = [ip_network(cidr, strict=False) for cidr in target.egress]
    reported: set[Path] = set()
    for what, url, path in _addresses(plan, placement):
        address = _number(url)
        if address is not None and path not in reported and not any(address in network for network in open_ranges):
            reported.add(path)
            yield problems.beyond_egress(plan.system.at(*path), what, str(address), placement)


def _addresses(plan: Plan, placement: str) -> Iterator[tuple[str, str, Path]]:
    """Yield the addresses in the spec that a placement's workloads and installed add-ons call."""
    system, target = plan.system, target_of(plan, placement)
    here = target_path(system, placement)
    for identity in plan.of(Identity, placement):
        for store in (system.stores[access.store] for access in identity.value.access):
            yield f"store {quote(store.name)}", store.endpoint, ("stores", store.name, "endpoint")
    server = registry_of(plan, placement)
    database = server.value.database if server is not None else None
    if database is not None:
        yield f"store {quote(database.name)}", f"//{database.adopt}", ("stores", database.name, "adopt")
    for channel in (resource.value for resource in plan.of(Channel, placement)):
        if channel.type == "email" and "prometheus" in addons_to_install(plan, placement):
            yield f"channel {quote(channel.name)}", f"//{channel.smarthost}", ("channels", channel.name, "smarthost")
    if target.head_state is not None and plan.of(ModelServer, placement):
        yield "headState", target.head_state.redis, (*here, "headState", "redis")
    registry = system.registry
    if registry is not None and registry.adopt and _asks_registry(plan, placement):
        yield "the registry", registry.adopt, ("registry", "adopt")
    telemetry = target.telemetry
    if telemetry.remote_write and "prometheus" in addons_to_install(plan, placement):
        yield "telemetry.remoteWrite", telemetry.remote_write, (*here, "telemetry", "remoteWrite")


def _asks_registry(plan: Plan, placement: str) -> bool:
    return any(link.what == "registry" and link.ends[0] == placement for link in plan.links)


def _number(url: str) -> _Address | None:
    """Return the IP address in a URL, or None for host names and invalid addresses."""
    try:
        return ip_address(urlsplit(url).hostname or "")
    except ValueError:
        return None


def check_clients(plan: Plan, placement: str, own_class: str = "") -> Iterator[Diagnostic]:
    """Report endpoints whose `clients` have no effect because gateway proxies may run in any namespace.

    The proxies' namespace is only known if we install the gateway class's controller.
    """
    gateway = target_of(plan, placement).gateway
    if gateway is None or gateway.proxies or gateway.class_name in {"", own_class}:
        return
    for route in plan.of(Route, placement):
        inference = route.value.inference
        if route.value.needs_gateway and inference.endpoint.clients:
            where = plan.system.key("inference", inference.name, "endpoint", "clients")
            yield problems.clients_without_effect(where, inference.name, gateway.class_name, placement)


def check_edge(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report edge servers that lose captures or bundles whenever a Pod is replaced."""
    target = target_of(plan, placement)
    for resource in plan.of(ModelServer, placement) if target.edge else ():
        server = resource.value
        if has_disk(resource, plan, target):
            continue
        inference = server.applications[0].inference
        lost = (
            ["captures"]
            if any(application.inference.capture is not None for application in server.applications)
            else []
        )
        lost += ["model bundles"] if reads_bundles(resource, plan) or keeps_models(resource, plan) else []
        if lost and inference.rollout.strategy != "in-place":
            where = plan.system.key("inference", inference.name)
            yield problems.lost_at_the_edge(where, inference.name, " and ".join(lost))
