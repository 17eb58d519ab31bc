"""Report addresses inside an old cluster that a move keeps, although the new cluster cannot resolve them."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.migrating import address_left_behind
from modelyard.source import Path
from modelyard.spec import System, TargetSpec


def check_kept_addresses(old: System, new: System) -> Iterator[Diagnostic]:
    """Report each unchanged address of a Service where the new side has a cluster that a move creates.

    In a cluster that exists already, the same name may belong to another Service.
    """
    before = {what: (target, address) for what, _, target, address in _addresses(old)}
    for what, path, target, address in _addresses(new):
        came_from, kept = before.get(what, (None, ""))
        there = new.target(target)
        if came_from is None or address != kept or not there.creates_cluster or not is_cluster_local(_host(address)):
            continue
        if _cluster(old.target(came_from)) != _cluster(there):
            yield address_left_behind(new.at(*path), what, _host(address), came_from, there.name)


def is_cluster_local(host: str) -> bool:
    """Return whether only one cluster resolves a name: a Service's, or one without a dot, as within a namespace."""
    labels = host.rstrip(".").split(".")
    return (
        bool(host)
        and ":" not in host
        and (len(labels) == 1 or "svc" in labels[2:] or labels[-2:] == ["cluster", "local"])
    )


def _addresses(system: System) -> Iterator[tuple[str, Path, str, str]]:
    """Yield everything that has an address of its own: what it is, where the address is written, and its target."""
    for store in system.stores.values():
        if store.endpoint:
            yield f"store '{store.name}'", ("stores", store.name, "endpoint"), store.target, store.endpoint
        elif store.type == "database" and store.adopt:
            address = f"postgresql://{store.adopt}"
            yield f"database '{store.name}'", ("stores", store.name, "adopt"), store.target, address
    if system.registry is not None and system.registry.adopt:
        yield "the registry", ("registry", "adopt"), system.deployment.placement.registry, system.registry.adopt


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:  # an incomplete IPv6 address, which is reported elsewhere
        return ""


def _cluster(target: TargetSpec) -> tuple[str, ...]:
    return target.name, target.provider, target.region, target.context
